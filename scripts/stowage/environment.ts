import type { Readable, Writable } from "node:stream";
import type { Patience } from "../distribution/interruption.ts";

/** A stream that may be a terminal. */
interface Input extends Readable {
  readonly isTTY?: boolean;
}
interface Output extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** All that the program takes from outside: the process has one, tests make their own. */
export interface Environment {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Where the data folder of `npm start` is looked for: the working folder, then the checkout, whence npm starts it. */
  readonly folders: readonly string[];
  readonly now: () => Date;
  /** How long the registry may take to answer one request. */
  readonly timeoutMs: number;
  /** How long a credential helper of Docker's may take; it may ask its user to unlock a key ring. */
  readonly helperTimeoutMs: number;
  /** How often what broke on its way between registries is tried again. */
  readonly patience: Patience;
}

/** Whether there is somebody to ask: questions are written to stderr and answered on stdin. */
export function canAsk({ stdin, stderr }: Environment): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}
