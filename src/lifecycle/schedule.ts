import type { Context } from "../context.ts";
import { logError, logInfo } from "../log.ts";
import { changing } from "../registry/recent.ts";
import { expireAuditEvents } from "./audit-expiry.ts";
import { auditBucket } from "./bucket-audit.ts";
import { collectBatch } from "./collection.ts";
import { deleteDiscardedObjects } from "./discarded-objects.ts";
import { indexWaiting } from "./image-words.ts";
import { keepRetention } from "./retention-rounds.ts";
import { endTags } from "./tag-expiry.ts";
import { expireUploads } from "./upload-expiry.ts";
import { noteUsage } from "./usage-days.ts";

/** The jobs, by the name under which the log tells how many things each has dealt with. */
const JOBS: Readonly<Record<string, (context: Context) => Promise<number>>> = {
  expiredUploads: expireUploads,
  deletedObjects: deleteDiscardedObjects,
  expiredAuditEvents: expireAuditEvents,
  usageDays: noteUsage,
  expiredTags: endTags,
  retiredTags: keepRetention,
  indexedRepositories: indexWaiting,
  collected: collectBatch,
  strayObjects: auditBucket,
};

/**
 * What each tick of the cron trigger does: a bounded batch of everything that is due. A job that fails keeps no other from
 * its turn: its cause is logged, and the run fails at the end.
 */
export async function runSchedule(context: Context): Promise<void> {
  const names = Object.keys(JOBS);
  const jobs = Object.values(JOBS).map(async (job) => await job(context));
  const settled = await changing(context, "all", Promise.allSettled(jobs));
  const errors = settled.flatMap((job) => (job.status === "rejected" ? [job.reason as unknown] : []));
  for (const error of errors) logError("a job of the schedule failed", error);
  if (errors.length > 0) throw new AggregateError(errors, "the schedule failed");
  const counts = settled.flatMap((job, index) =>
    job.status === "fulfilled" && job.value > 0 ? [[names[index] ?? "", job.value]] : [],
  );
  if (counts.length > 0) logInfo("schedule ran", Object.fromEntries(counts) as Record<string, unknown>);
}
