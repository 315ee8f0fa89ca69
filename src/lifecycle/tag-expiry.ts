import type { Context } from "../context.ts";
import { expireTags } from "../metadata/tag-expiry.ts";
import { changing } from "../registry/recent.ts";

/** Tags ended in one run; the next run goes on. */
const BATCH = 200;

/** Whom records name for what nobody does: the time is over. */
const ACTOR = "stowage:expiry";

/** Ends a batch of tags whose time is over. Returns how many. */
export async function endTags(context: Context): Promise<number> {
  const { db, now } = context;
  return await changing(context, "all", expireTags(db, ACTOR, now(), BATCH));
}
