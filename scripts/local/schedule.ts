import { Cron } from "croner";
import { Failure, reasonOf } from "./failure.ts";

/**
 * Calls `run` by the cron patterns, in UTC and with Cloudflare's weekdays (1 is Sunday), until the signal. Runs never
 * overlap: one that is due while its own pattern's last still runs is left out, and one of another pattern waits.
 */
export function startSchedule(
  patterns: readonly string[],
  run: (pattern: string, scheduledTime: Date) => Promise<void>,
  { onError, signal }: { onError: (problem: string) => void; signal: AbortSignal },
): void {
  let last = Promise.resolve();
  for (const pattern of patterns) {
    const runOnce = async (scheduledTime: Date) => {
      try {
        if (!signal.aborted) await run(pattern, scheduledTime);
      } catch (error) {
        if (!signal.aborted) onError(`the run of '${pattern}' failed: ${reasonOf(error)}`);
      }
    };
    const job = makeJob(pattern, async (scheduledTime) => {
      last = last.then(async () => await runOnce(scheduledTime));
      await last;
    });
    signal.addEventListener("abort", () => job.stop());
  }
}

function makeJob(pattern: string, run: (scheduledTime: Date) => Promise<void>): Cron {
  const options = { timezone: "UTC", alternativeWeekdays: true, protect: true, unref: true } as const;
  try {
    return new Cron(pattern, options, async (job: Cron) => await run(job.currentRun() ?? new Date()));
  } catch (error) {
    throw new Failure(`wrangler.toml has a schedule that cannot be read, '${pattern}': ${reasonOf(error)}`);
  }
}
