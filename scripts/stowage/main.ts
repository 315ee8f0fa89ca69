import { CommanderError } from "commander";
import { explain, Failure } from "../local/failure.ts";
import type { Environment } from "./environment.ts";
import { buildProgram, nameCommand } from "./program.ts";
import { plainLines } from "./text.ts";

/** What a shell reports of a process that Ctrl-C ended. */
const INTERRUPTED = 130;

/** Runs one command. Returns the exit code: 0 done, 1 failed, 2 misused. */
export async function main(args: readonly string[], environment: Environment): Promise<number> {
  const program = buildProgram(environment);
  try {
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof Error && error.name === "ExitPromptError") return INTERRUPTED;
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      // "stowage account" alone shows its help, and says all by that.
      if (error.code !== "commander.help") report(`${explainMisuse(error)}; see ${nameCommand(program, args)} --help`);
      return 2;
    }
    report(error instanceof Failure ? error.message : explain(error));
    return error instanceof Failure ? error.exitCode : 1;
  }

  function report(message: string): void {
    // Others have a part in it: the registry, its certificate, a credential helper.
    environment.stderr.write(`stowage: ${plainLines(message)}\n`);
  }
}

function explainMisuse({ message }: CommanderError): string {
  return message
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ")
    .replace(/\.$/, "");
}
