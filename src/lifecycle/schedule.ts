import type { Context } from "../context.ts";
import { logInfo } from "../log.ts";
import { deleteDiscardedObjects } from "./discarded-objects.ts";
import { expireUploads } from "./upload-expiry.ts";

/**
 * What each tick of the cron trigger does: a bounded batch of everything that is due. A job that fails keeps no other from
 * its turn; the run fails with all that went wrong.
 */
export async function runSchedule(context: Context): Promise<void> {
  const [expired, deleted] = [await settle(expireUploads(context)), await settle(deleteDiscardedObjects(context))];
  const errors = [expired, deleted].flatMap((job) => (job.status === "rejected" ? [job.reason as unknown] : []));
  if (errors.length > 0) throw new AggregateError(errors, "the schedule failed");
  const [expiredUploads, deletedObjects] = [countOf(expired), countOf(deleted)];
  if (expiredUploads + deletedObjects > 0) logInfo("schedule ran", { expiredUploads, deletedObjects });
}

async function settle(job: Promise<number>): Promise<PromiseSettledResult<number>> {
  const [result] = await Promise.allSettled([job]);
  return result;
}

function countOf(job: PromiseSettledResult<number>): number {
  return job.status === "fulfilled" ? job.value : 0;
}
