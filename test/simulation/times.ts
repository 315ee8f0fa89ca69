import type { Random } from "./random.ts";

const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** How long a client waits before it goes on: mostly not at all; sometimes long enough that things expire. */
export function thinkingTime(random: Random): number {
  const [least, most] = random.weighted([
    [60, [0, 0]],
    [20, [0, 10 * SECOND_MS]],
    [12, [MINUTE_MS, 20 * MINUTE_MS]],
    [6, [20 * MINUTE_MS, 3 * HOUR_MS]],
    [2, [24 * HOUR_MS, 72 * HOUR_MS]],
  ] as const);
  return random.between(least, most);
}
