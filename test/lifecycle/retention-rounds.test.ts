import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keepRetention } from "../../src/lifecycle/retention-rounds.ts";
import { tick } from "../support/aging.ts";
import { eventsAbout, freshName } from "../support/api.ts";
import { contextAt } from "../support/context.ts";
import { CountedRegistry, WatchedRegistry } from "../support/counted-registry.ts";
import { pushImage } from "../support/images.ts";
import { freshRepository } from "../support/registry.ts";
import { endRules, historyOf, repositoryWith, setPreviewedRule, setRule, tagsIn } from "../support/retention.ts";
import { rows } from "../support/uploads.ts";

beforeEach(endRules);
afterEach(endRules);

/** Repositories below a prefix, all alike, without a push for each: `count` of them with the tags `old` and `new`. */
async function seed(prefix: string, count: number): Promise<void> {
  await pushImage(`${prefix}/model`, { tag: "new" });
  const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)";
  const own = "n JOIN repositories r ON r.name = ?1 || printf('/r%04d', n.i)";
  const model = "JOIN repositories o ON o.name = ?1 || '/model' JOIN manifests m ON m.repository_id = o.id";
  for (const sql of [
    `${numbers} INSERT INTO repositories (name, created_at) SELECT ?1 || printf('/r%04d', i), 0 FROM n`,
    `${numbers} INSERT INTO manifests (repository_id, digest, media_type, size, bytes, pushed_at, pushed_by)
     SELECT r.id, m.digest, m.media_type, m.size, m.bytes, 0, 'x' FROM ${own} ${model}`,
    `${numbers} INSERT INTO tags (repository_id, name, digest, updated_at)
     SELECT r.id, t.value, m.digest, 0 FROM ${own} ${model}, json_each('["new","old"]') t`,
  ]) {
    await rows(sql, prefix, count);
  }
}

const left = async (prefix: string) =>
  (
    await rows(
      "SELECT t.name FROM repositories r JOIN tags t ON t.repository_id = r.id WHERE t.name = 'old' AND r.name LIKE ?1 || '/%'",
      prefix,
    )
  ).length;

describe("the schedule", () => {
  it("runs rules that were previewed, and no others, and is named in history and audit", async () => {
    const [done, spared] = [await repositoryWith("v1", "v2"), await repositoryWith("v1", "v2")];
    const name = await setPreviewedRule({ repository: done, keep: { newest: 1 } });
    await setRule({ repository: spared, keep: { newest: 1 } });
    await tick();
    expect(await tagsIn(done)).toEqual(["v2"]);
    expect(await tagsIn(spared)).toEqual(["v1", "v2"]);
    expect((await historyOf(done, "v1")).at(-1)!.actor).toBe(`retention:${name}`);
    const [event] = (await eventsAbout(done)).filter(({ action }) => action === "retention.run");
    expect(event).toMatchObject({ actor: "stowage:retention", credential: "none", detail: { removed: 1 } });
  });

  it("goes through many repositories, a bounded number at a time, and once in a while", async () => {
    const prefix = freshRepository();
    await seed(prefix, 50);
    await setRule({ repository: `${prefix}/**`, keep: { tags: ["new"] } });
    await rows("UPDATE retention_rules SET previewed_at = 1");
    const counts = [];
    for (let run = 0; run < 4; run += 1) {
      await keepRetention(contextAt(0));
      counts.push(await left(prefix));
    }
    expect(counts).toEqual([30, 10, 0, 0]);
    await rows(
      `INSERT INTO tags (repository_id, name, digest, updated_at)
       SELECT t.repository_id, 'old', t.digest, 0 FROM repositories r JOIN tags t ON t.repository_id = r.id WHERE r.name = ?1`,
      `${prefix}/r0001`,
    );
    await keepRetention(contextAt(5));
    expect(await left(prefix)).toBe(1);
    await keepRetention(contextAt(7));
    expect(await left(prefix)).toBe(0);
  });

  it("goes on where nothing is to be removed, 200 repositories at a time", async () => {
    const prefix = freshRepository();
    await seed(prefix, 250);
    await setRule({ repository: `${prefix}/**`, keep: { tags: ["new", "old"] } });
    await rows("UPDATE retention_rules SET previewed_at = 1");
    const position = async () =>
      (await rows<{ after_name: string | null }>("SELECT after_name FROM retention_round"))[0]!.after_name;
    expect(await keepRetention(contextAt(0))).toBe(0);
    expect(await position()).toBe(`${prefix}/r0199`);
    expect(await keepRetention(contextAt(0))).toBe(0);
    expect(await position()).toBeNull();
  });

  it("goes on after a repository that fails, and fails at the end", async () => {
    const prefix = freshRepository();
    await seed(prefix, 3);
    await setPreviewedRule({ repository: `${prefix}/**`, keep: { tags: ["new"] } });
    const broken = `${prefix}/r0002`;
    const { env: watched } = new WatchedRegistry(async (call, proceed) => {
      const isBroken =
        call.binding === "DB" &&
        call.statements.some(({ sql, parameters }) => sql.startsWith("DELETE FROM tags") && parameters[0] === broken);
      if (isBroken) throw new Error("the database is down");
      return await proceed();
    });
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    await expect(keepRetention(contextAt(0, watched.DB))).rejects.toThrow("some repositories");
    expect(logged).toHaveBeenCalledTimes(1);
    logged.mockRestore();
    expect(await left(prefix)).toBe(1);
    expect(await tagsIn(broken)).toEqual(["new", "old"]);
    await keepRetention(contextAt(0));
    expect(await left(prefix)).toBe(1);
    await keepRetention(contextAt(7));
    expect(await left(prefix)).toBe(0);
  });

  it("dies of no repository twice in a round", async () => {
    const prefix = freshRepository();
    await seed(prefix, 3);
    await setPreviewedRule({ repository: `${prefix}/**`, keep: { tags: ["new"] } });
    // Whatever comes after the first removal begins never answers: as if the Worker had been ended.
    const { env: dying } = new WatchedRegistry(async (call, proceed) => {
      const isRemoval = call.binding === "DB" && call.statements.some(({ sql }) => sql.startsWith("DELETE FROM tags"));
      return isRemoval ? await new Promise(() => undefined) : await proceed();
    });
    const ended = keepRetention(contextAt(0, dying.DB));
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 500))]);
    expect(await left(prefix)).toBe(3);
    await keepRetention(contextAt(0));
    expect(await left(prefix)).toBe(1);
  });
});

describe("what a tick costs", () => {
  const registry = new CountedRegistry();
  async function costOf(): Promise<CountedRegistry["counter"]["usage"]> {
    registry.counter.reset();
    await keepRetention(contextAt(0, registry.env.DB));
    return registry.counter.usage;
  }

  it("is one query where there is no rule, or none that was previewed", async () => {
    expect(await costOf()).toMatchObject({ roundTrips: 1, statements: 1 });
    await setRule({ repository: "**", keep: { newest: 1 } });
    expect(await costOf()).toMatchObject({ roundTrips: 1, statements: 1 });
  });

  it("is one query when the round is over", async () => {
    await setPreviewedRule({ repository: await repositoryWith("v1"), keep: { newest: 1 } });
    await keepRetention(contextAt(0));
    expect(await costOf()).toMatchObject({ roundTrips: 1, statements: 1 });
  });

  it("grows with the tags that rules are for, and not with other repositories", async () => {
    const prefix = freshName("test/cost");
    await seed(prefix, 20);
    await setPreviewedRule({ repository: `${prefix}/**`, keep: { tags: ["new", "old"] } });
    const before = await costOf();
    expect(before.roundTrips).toBeLessThanOrEqual(4);
    await seed(freshRepository(), 500);
    await rows("UPDATE retention_round SET started_at = 0");
    const after = await costOf();
    expect(after.rowsRead).toBeLessThanOrEqual(before.rowsRead + 5);
    expect(after.rowsRead).toBeLessThanOrEqual(21 * 2 * 8);
  });
});
