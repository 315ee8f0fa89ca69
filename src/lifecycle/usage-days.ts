import type { Context } from "../context.ts";
import { keepUsage } from "../registry/usage.ts";

/** Keeps how much is stored as what was on this day. Returns 1 where that has changed since the last run, else 0. */
export async function noteUsage(context: Context): Promise<number> {
  return (await keepUsage(context)) ? 1 : 0;
}
