import { createExecutionContext, createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import worker from "../../src/worker.ts";
import { endGrace } from "./registry.ts";

/** Lets all times of one repository lie long ago: other tests' things stay young. */
export async function age(repository: string): Promise<void> {
  const where = "WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1)";
  await env.DB.batch(
    [
      `UPDATE repository_blobs SET linked_at = 0, condemned_at = IIF(condemned_at IS NULL, NULL, 0) ${where}`,
      `UPDATE manifests SET pushed_at = 0, unheld_at = IIF(unheld_at IS NULL, NULL, 0),
         deleted_at = IIF(deleted_at IS NULL, NULL, 0), kept_until = IIF(kept_until IS NULL, NULL, 0) ${where}`,
    ].map((sql) => env.DB.prepare(sql).bind(repository)),
  );
}

/** Runs what the cron trigger runs, once, with other settings. */
export async function tick(settings: Readonly<Record<string, string>> = {}): Promise<void> {
  await worker.scheduled(createScheduledController(), { ...env, ...settings }, createExecutionContext());
}

/** Lets as much time pass for a repository as it takes until all that nothing needs of it is gone. */
export async function collectAll(repository: string): Promise<void> {
  // Marked, taken, condemned, taken; the objects last.
  for (let time = 0; time < 4; time += 1) {
    await age(repository);
    await tick();
  }
  await endGrace();
  await tick();
}
