import { text } from "node:stream/consumers";
import { Failure } from "../local/failure.ts";
import { canAsk, type Environment } from "./environment.ts";

/** Whether the operator wants it; the libraries that ask are loaded when there is somebody to ask. */
export async function askWhether(question: string, environment: Environment): Promise<boolean> {
  const { confirm } = await import("@inquirer/prompts");
  return await confirm({ message: question, default: false }, streamsOf(environment));
}

/**
 * A new password: from stdin where the command line says so, else asked for on a terminal. Undefined leaves its making to the
 * registry. There is no option that takes one: other users see the arguments of every process.
 */
export async function readPassword(
  { passwordStdin = false }: { readonly passwordStdin?: boolean },
  environment: Environment,
): Promise<string | undefined> {
  if (passwordStdin) return await readFromStdin(environment);
  if (!canAsk(environment)) return undefined;
  const { password: ask } = await import("@inquirer/prompts");
  const streams = streamsOf(environment);
  const message = "New password (leave it empty to have one made):";
  const password = await ask({ message, mask: true }, streams);
  if (password === "") return undefined;
  const again = await ask({ message: "The same again:", mask: true }, streams);
  if (again !== password) throw new Failure("these were two different passwords, and nothing was changed: try again");
  return password;
}

/** Without the line's end, which `echo` and files add. */
async function readFromStdin({ stdin }: Environment): Promise<string> {
  const password = (await text(stdin)).replace(/\r?\n$/, "");
  if (password === "") throw new Failure("--password-stdin: there is no password on stdin", 2);
  return password;
}

/** Questions go to stderr: stdout is for results. */
function streamsOf({ stdin, stderr }: Environment) {
  return { input: stdin, output: stderr };
}
