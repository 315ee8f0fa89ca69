import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../local/failure.ts";

/** What may go well when it is tried again: a connection broke, or the registry asks for patience. */
export class Interruption extends Failure {
  /** How long the registry asks to wait; undefined where it does not say. */
  readonly waitMs: number | undefined;

  constructor(message: string, waitMs?: number) {
    super(message);
    this.waitMs = waitMs;
  }
}

/** How often and when something is tried again. */
export interface Patience {
  /** Tries in a row that may fail. */
  readonly tries: number;
  /** Before the second try; twice as long before each further one. */
  readonly firstMs: number;
  readonly mostMs: number;
}

export const PATIENCE: Patience = { tries: 6, firstMs: 500, mostMs: 30_000 };

/** A registry may ask for so much patience; who asks for hours, as limits of a day do, is told to the operator. */
const WAIT_MAX_MS = 120_000;

/**
 * Waits before the next try, after `failures` in a row.
 * @throws the error itself, when it is no interruption or there were too many.
 */
export async function waitAfter(
  error: unknown,
  failures: number,
  { tries, firstMs, mostMs }: Patience,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!(error instanceof Interruption) || failures >= tries) throw error;
  const { waitMs } = error;
  if (waitMs !== undefined && waitMs > WAIT_MAX_MS) throw error;
  const backoffMs = Math.min(mostMs, firstMs * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
  await sleep(Math.max(waitMs ?? 0, backoffMs), undefined, signal === undefined ? {} : { signal });
}
