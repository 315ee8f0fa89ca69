import type { Context } from "../context.ts";
import { logInfo } from "../log.ts";
import { deleteDiscardedObjects } from "./discarded-objects.ts";
import { expireUploads } from "./upload-expiry.ts";

/** What each tick of the cron trigger does: a bounded batch of everything that is due. */
export async function runSchedule(context: Context): Promise<void> {
  const expiredUploads = await expireUploads(context);
  const deletedObjects = await deleteDiscardedObjects(context);
  if (expiredUploads + deletedObjects > 0) logInfo("schedule ran", { expiredUploads, deletedObjects });
}
