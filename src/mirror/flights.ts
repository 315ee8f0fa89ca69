/** How long a blob's way here may stand still before another request takes it for dead: its own request has ended. */
const STILL_MS = 20_000;
const WAIT_STEP_MS = 25;

/** A blob that a request of this isolate fetches: others that want it wait for that, as they cannot read along. */
export interface Flight {
  /** Bytes, once the upstream has said it. */
  size: number | undefined;
  state: "flying" | "landed" | "failed";
  /** When the last of it came, in milliseconds since the epoch. */
  movedAt: number;
}

/** Whether a flight goes on. */
export function isFlying(flight: Flight, now: number): boolean {
  return flight.state === "flying" && flight.movedAt > now - STILL_MS;
}

/**
 * Waits until it is known how large the blob is, or, with "end", until its flight has ended. It asks again and again, since a promise of
 * one request must not wait for another's.
 */
export async function waitFor(flight: Flight, what: "size" | "end", now: () => number): Promise<void> {
  while (isFlying(flight, now()) && (what === "end" || flight.size === undefined)) await scheduler.wait(WAIT_STEP_MS);
}
