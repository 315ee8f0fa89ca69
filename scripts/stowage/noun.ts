import type { Command } from "commander";
import type { Session } from "./session.ts";

/** Makes a handler commander's: what follows the session is the command's arguments, then its options. */
export type Act = <A extends unknown[]>(
  handler: (session: Session, ...args: A) => Promise<void>,
) => (...args: A) => Promise<void>;

/** Adds a noun with its verbs to the program. */
export type Noun = (program: Command, act: Act) => void;

/** The end of a help text. */
export function example(...lines: readonly string[]): string {
  return `\nExample:\n${lines.map((line) => `  $ npx ${line}`).join("\n")}`;
}

/** The option of commands that ask. */
export const YES = ["--yes", "do not ask"] as const;
