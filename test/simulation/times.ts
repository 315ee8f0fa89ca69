import type { Random } from "./random.ts";

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;

/** Settings of the registry. */
export const GC_GRACE_MS = 60 * MINUTE_MS;

/** How long manifests stay that nothing holds, and that were deleted, as UNTAGGED_TTL has it. */
export interface UntaggedTtl {
  readonly setting: string;
  readonly untaggedMs: number;
  readonly deletedMs: number;
}

const ttlOfHours = (hours: number): UntaggedTtl => {
  return { setting: `${hours}h`, untaggedMs: hours * HOUR_MS, deletedMs: hours * HOUR_MS };
};

/** As real ones are; nothing at all; for ever, of which what was deleted has a week. */
export const UNTAGGED_TTLS: readonly (readonly [weight: number, UntaggedTtl])[] = [
  [65, ttlOfHours(24)],
  [20, ttlOfHours(0)],
  [15, { setting: "never", untaggedMs: Infinity, deletedMs: 7 * 24 * HOUR_MS }],
];

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
