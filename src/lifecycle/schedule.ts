import type { Context } from "../context.ts";
import { logError, logInfo } from "../log.ts";
import { deleteDiscardedObjects } from "./discarded-objects.ts";
import { expireUploads } from "./upload-expiry.ts";

/**
 * What each tick of the cron trigger does: a bounded batch of everything that is due. A job that fails keeps no other from
 * its turn: its cause is logged, and the run fails at the end.
 */
export async function runSchedule(context: Context): Promise<void> {
  const jobs = { expiredUploads: expireUploads(context), deletedObjects: deleteDiscardedObjects(context) };
  const settled = await Promise.allSettled(Object.values(jobs));
  const errors = settled.flatMap((job) => (job.status === "rejected" ? [job.reason as unknown] : []));
  for (const error of errors) logError("a job of the schedule failed", error);
  if (errors.length > 0) throw new AggregateError(errors, "the schedule failed");
  const [expiredUploads, deletedObjects] = await Promise.all([jobs.expiredUploads, jobs.deletedObjects]);
  if (expiredUploads + deletedObjects > 0) logInfo("schedule ran", { expiredUploads, deletedObjects });
}
