import type { Context } from "../context.ts";
import { listUsageDays, readUsage, saveUsageDay, type Usage, type UsageDay } from "../metadata/usage.ts";
import { toTime } from "../oci/time.ts";

export type { Usage, UsageDay } from "../metadata/usage.ts";

/** What is stored now, and costs space. One D1 query of one row, however much that is. */
export async function measureUsage({ db }: Context): Promise<Usage> {
  return await readUsage(db);
}

const DAY_MS = 86_400_000;

/** The day of a time, in UTC. */
const dayOf = (ms: number): string => toTime(ms).slice(0, 10);

/** Keeps what is stored now as what was on this day. Returns whether that was not kept before. One D1 query. */
export async function keepUsage({ db, now }: Context): Promise<boolean> {
  return await saveUsageDay(db, dayOf(now()));
}

/** What was stored at the end of each of the last days, this one included, as far as it was kept; the oldest first. One D1 query. */
export async function listUsage({ db, now }: Context, days: number): Promise<UsageDay[]> {
  return await listUsageDays(db, dayOf(now() - days * DAY_MS));
}
