import { Cron } from "croner";
import { Failure, reasonOf } from "./failure.ts";

/** A running schedule. */
export interface Schedule {
  stop: () => void;
}

/**
 * Calls `run` by the cron patterns, in UTC and with Cloudflare's weekdays (1 is Sunday). Runs never overlap: one that is
 * due while its own pattern's last still runs is left out, and one of another pattern waits.
 */
export function startSchedule(
  patterns: readonly string[],
  run: (pattern: string, scheduledTime: Date) => Promise<void>,
  onError: (problem: string) => void,
): Schedule {
  let last = Promise.resolve();
  const jobs = patterns.map((pattern) =>
    makeJob(pattern, async (scheduledTime) => {
      last = last
        .then(async () => await run(pattern, scheduledTime))
        .catch((error: unknown) => onError(`the run of '${pattern}' failed: ${reasonOf(error)}`));
      await last;
    }),
  );
  return { stop: () => jobs.forEach((job) => job.stop()) };
}

function makeJob(pattern: string, run: (scheduledTime: Date) => Promise<void>): Cron {
  const options = { timezone: "UTC", alternativeWeekdays: true, protect: true, unref: true } as const;
  try {
    return new Cron(pattern, options, async (job: Cron) => await run(job.currentRun() ?? new Date()));
  } catch (error) {
    throw new Failure(`wrangler.toml has a schedule that cannot be read, '${pattern}': ${reasonOf(error)}`);
  }
}
