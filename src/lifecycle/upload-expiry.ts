import type { Context } from "../context.ts";
import { expireSessions } from "../metadata/uploads.ts";

/** Sessions ended in one run; the next run goes on. */
const BATCH = 100;

/** Ends a batch of upload sessions that nobody went on with. Returns how many. */
export async function expireUploads({ db, now }: Context): Promise<number> {
  return await expireSessions(db, now(), BATCH);
}
