import { createExecutionContext, createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, describe, expect, it, vi } from "vitest";
import worker from "../../src/worker.ts";
import { rows } from "../support/uploads.ts";

describe("the schedule", () => {
  const actor = `test:${crypto.randomUUID()}`;
  const DAY_MS = 86_400_000;

  /** Runs what the cron trigger runs, with other settings. */
  async function run(settings: object = {}): Promise<void> {
    const logged = vi.spyOn(console, "info").mockImplementation(() => undefined);
    await worker.scheduled(createScheduledController(), { ...env, ...settings }, createExecutionContext());
    logged.mockRestore();
  }

  /** Events of so many days ago, one a microsecond. */
  async function seed(daysAgo: number, count: number): Promise<void> {
    await rows(
      `WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ?2)
       INSERT INTO audit_events (id, actor, credential, action) SELECT ?3 + value, ?1, 'none', 'blob.delete' FROM n`,
      ...[actor, count, (Date.now() - daysAgo * DAY_MS) * 1_000],
    );
  }

  const left = async () => (await rows("SELECT id FROM audit_events WHERE actor = ?1", actor)).length;
  afterAll(async () => {
    await rows("DELETE FROM audit_events WHERE actor = ?1", actor);
  });

  it("forgets events older than AUDIT_TTL, a thousand at a time, and no others", async () => {
    await seed(366, 2_500);
    await seed(364, 3);
    await seed(8, 5);
    await seed(6, 2);
    for (const expected of [1_510, 510, 10, 10]) {
      await run();
      expect(await left()).toBe(expected);
    }
    await run({ AUDIT_TTL: "7d" });
    expect(await left()).toBe(2);
    await run({ AUDIT_TTL: "7d" });
    expect(await left()).toBe(2);
  });
});
