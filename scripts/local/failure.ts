import { inspect } from "node:util";

/** A failure that the operator can mend: its message is one line that says what happened and what to do. */
export class Failure extends Error {
  /** 1: it could not be done; 2: the command line was wrong. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What went wrong, in one line, whatever was thrown. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n", 1)[0] ?? "";
}

/** The code of a system error, such as `EACCES`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** A failure and a system error say themselves what happened; anything else is a mistake in here, shown whole. */
export function explain(error: unknown): string {
  if (error instanceof Failure || codeOf(error) !== undefined) return reasonOf(error);
  return `unexpected: ${inspect(error)}`;
}
