import { text } from "node:stream/consumers";
import { Failure } from "../local/failure.ts";
import { canAsk, type Environment } from "./environment.ts";

/** Whether the operator wants it; the libraries that ask are loaded when there is somebody to ask. */
export async function askWhether(question: string, environment: Environment): Promise<boolean> {
  const { confirm } = await import("@inquirer/prompts");
  return await ask(environment, (terminal) => confirm({ message: question, default: false }, terminal));
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
  const prompts = await import("@inquirer/prompts");
  const askFor = async (message: string) =>
    await ask(environment, (terminal) => prompts.password({ message, mask: true }, terminal));
  const password = await askFor("New password (leave it empty to have one made):");
  if (password === "") return undefined;
  if ((await askFor("The same again:")) !== password)
    throw new Failure("these were two different passwords, and nothing was changed: try again");
  return password;
}

/** The password that an account has, of who sits at a terminal. */
export async function askForPassword(name: string, environment: Environment): Promise<string> {
  const { password } = await import("@inquirer/prompts");
  const message = `The password of ${name} until now:`;
  const given = await ask(environment, (terminal) => password({ message, mask: true }, terminal));
  if (given === "") throw new Failure("nothing was changed");
  return given;
}

/** Without the line's end, which `echo` and files add. */
async function readFromStdin({ stdin }: Environment): Promise<string> {
  const password = (await text(stdin)).replace(/\r?\n$/, "");
  if (password === "") throw new Failure("--password-stdin: there is no password on stdin", 2);
  return password;
}

/** The streams of a question: stdout is for results. */
interface Terminal {
  readonly input: Environment["stdin"];
  readonly output: Environment["stderr"];
  readonly signal: AbortSignal;
}

/** Ctrl-D closes the input, and the library would wait for ever; all that shows is that its reader pauses. */
async function ask<T>({ stdin, stderr }: Environment, question: (terminal: Terminal) => Promise<T>): Promise<T> {
  const closing = new AbortController();
  const close = () => closing.abort();
  stdin.once("pause", close);
  try {
    return await question({ input: stdin, output: stderr, signal: closing.signal });
  } catch (error) {
    if (error instanceof Error && error.name === "AbortPromptError") throw new Failure("nothing was changed");
    throw error;
  } finally {
    stdin.off("pause", close);
  }
}
