import type { Context } from "../context.ts";
import { expireTags } from "../metadata/tag-expiry.ts";

/** Tags ended in one run; the next run goes on. */
const BATCH = 200;

/** Whom records name for what nobody does: the time is over. */
const ACTOR = "stowage:expiry";

/** Ends a batch of tags whose time is over. Returns how many. */
export async function endTags({ db, now }: Context): Promise<number> {
  return await expireTags(db, ACTOR, now(), BATCH);
}
