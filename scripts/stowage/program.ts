import { Command } from "commander";
import { account } from "./commands/account.ts";
import { audit } from "./commands/audit.ts";
import { copy } from "./commands/copy.ts";
import { cost } from "./commands/cost.ts";
import { df } from "./commands/df.ts";
import { gc } from "./commands/gc.ts";
import { load } from "./commands/load.ts";
import { mirror } from "./commands/mirror.ts";
import { policy } from "./commands/policy.ts";
import { relay } from "./commands/relay.ts";
import { repository } from "./commands/repository.ts";
import { retention } from "./commands/retention.ts";
import { tag } from "./commands/tag.ts";
import { token } from "./commands/token.ts";
import { trust } from "./commands/trust.ts";
import type { Environment } from "./environment.ts";
import type { Act } from "./noun.ts";
import { Session, type SessionOptions } from "./session.ts";

/** Every noun, in the order of the help. A new one is a file in commands/, and its name here. */
const NOUNS = [
  account,
  token,
  policy,
  trust,
  repository,
  tag,
  copy,
  load,
  relay,
  mirror,
  retention,
  gc,
  df,
  cost,
  audit,
];

const EXAMPLES = `
Without --registry it speaks to the registry that npm start runs here. Credentials are STOWAGE_USERNAME and
STOWAGE_PASSWORD, the local data folder, or what docker login kept, in this order.

Examples:
  $ npx stowage account list
  $ npx stowage token create ci --repository 'team/*' --actions pull,push --registry registry.example.org`;

/** The command line's grammar. Whatever ends a run is thrown: a CommanderError for misuse and for shown help. */
export function buildProgram(environment: Environment): Command {
  const { stdout, stderr } = environment;
  const program = new Command("stowage")
    .description("Look after a Stowage registry.")
    .option("--registry <url>", "the registry's address (or STOWAGE_URL)")
    .option("--data <folder>", "the data folder of a registry that npm start runs")
    .option("--json", "print the registry's JSON")
    .addHelpText("after", EXAMPLES)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
      // The one who catches it says it.
      outputError: () => undefined,
    })
    .exitOverride();

  const act: Act =
    (handler) =>
    async (...args) => {
      const command: unknown = args.at(-1);
      if (!(command instanceof Command)) throw new TypeError("commander calls actions with their command at the end");
      await handler(new Session(command.optsWithGlobals<SessionOptions>(), environment), ...args);
    };
  for (const noun of NOUNS) noun(program, act);
  return program;
}

/** The words by which the arguments name a command, such as `stowage token create`, to point at its help. */
export function nameCommand(program: Command, args: readonly string[]): string {
  const names = [program.name()];
  let current = program;
  for (const arg of args) {
    const next = current.commands.find((command) => command.name() === arg);
    if (next === undefined) continue;
    current = next;
    names.push(arg);
  }
  return names.join(" ");
}
