import type { Random } from "./random.ts";

const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Settings of the registry. */
export const GC_GRACE_MS = 60 * MINUTE_MS;
export const UNTAGGED_TTL_MS = 24 * HOUR_MS;

/** How fast a history goes: seconds between most requests, or hours, so that graces end between them. */
export type Pace = "brisk" | "slow";

const PAUSES = {
  brisk: [
    [60, [0, 0]],
    [20, [0, 10 * SECOND_MS]],
    [12, [MINUTE_MS, 20 * MINUTE_MS]],
    [6, [20 * MINUTE_MS, 3 * HOUR_MS]],
    [2, [24 * HOUR_MS, 72 * HOUR_MS]],
  ],
  slow: [
    [35, [0, 0]],
    [10, [0, 10 * MINUTE_MS]],
    [35, [20 * MINUTE_MS, 70 * MINUTE_MS]],
    [10, [HOUR_MS, 5 * HOUR_MS]],
    [10, [20 * HOUR_MS, 30 * HOUR_MS]],
  ],
} as const;

/** How long a client waits before it goes on: often not at all; sometimes long enough that things expire. */
export function thinkingTime(random: Random, pace: Pace): number {
  const [least, most] = random.weighted<readonly [number, number]>(PAUSES[pace]);
  return random.between(least, most);
}

/** How long the cron trigger rests: mostly as real ones do, in slow histories so that runs lie as far apart as graces are long. */
export function cronRest(random: Random, pace: Pace): number {
  if (pace === "brisk") return thinkingTime(random, pace) + random.below(12 * MINUTE_MS);
  return random.chance(0.4) ? random.below(15 * MINUTE_MS) : random.below(2 * HOUR_MS);
}
