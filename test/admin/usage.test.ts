import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { claimMirror } from "../../src/metadata/mirrored.ts";
import { saveUsageDay } from "../../src/metadata/usage.ts";
import { parseRepositoryName } from "../../src/oci/repository-name.ts";
import { tick } from "../support/aging.ts";
import { answerOf, callApi, expectDone, expectInvalid } from "../support/api.ts";
import { makeBytes } from "../support/content.ts";
import { CountedRegistry, WatchedRegistry } from "../support/counted-registry.ts";
import { makeImage, TOO_BIG_FOR_A_ROW } from "../support/manifest-content.ts";
import * as push from "../support/pushes.ts";
import { freshRepository } from "../support/registry.ts";

interface Usage {
  readonly repositories: number;
  readonly objects: number;
  readonly bytes: number;
  readonly mirroredBytes: number;
  readonly databaseBytes: number;
}

const registry = new WatchedRegistry(async (_call, run) => await run());

async function usage(): Promise<Usage> {
  return await answerOf(await callApi("GET", "usage"));
}

/** What a step adds to the usage. */
async function growthBy(step: () => Promise<unknown>): Promise<Omit<Usage, "databaseBytes">> {
  const before = await usage();
  await step();
  const after = await usage();
  return {
    repositories: after.repositories - before.repositories,
    objects: after.objects - before.objects,
    bytes: after.bytes - before.bytes,
    mirroredBytes: after.mirroredBytes - before.mirroredBytes,
  };
}

const NOTHING = { repositories: 0, objects: 0, bytes: 0, mirroredBytes: 0 };

describe("the usage", () => {
  const [one, other] = [freshRepository(), freshRepository()];
  const bytes = makeBytes(1_234, 977);
  let config: Awaited<ReturnType<typeof push.storeBlob>>;

  beforeAll(async () => {
    config = await push.storeBlob(registry, freshRepository(), makeBytes(100, 978));
  });

  it("grows by a blob and its repository", async () => {
    const grown = { ...NOTHING, repositories: 1, objects: 1, bytes: bytes.byteLength };
    expect(await growthBy(async () => await push.storeBlob(registry, one, bytes))).toEqual(grown);
  });

  it("does not grow by content that is stored already", async () => {
    expect(await growthBy(async () => await push.storeBlob(registry, one, bytes))).toEqual(NOTHING);
    const elsewhere = { ...NOTHING, repositories: 1 };
    expect(await growthBy(async () => await push.storeBlob(registry, other, bytes))).toEqual(elsewhere);
  });

  it("does not grow by a manifest that lies in the database, and does by one that is too big for it", async () => {
    const from = `mount=${config.digest}`;
    expect((await registry.send("POST", `/v2/${one}/blobs/uploads/?${from}`)).status).toBe(201);
    const small = await makeImage([config]);
    expect(await growthBy(async () => await push.pushManifest(registry, one, "small", small))).toEqual(NOTHING);
    const big = await makeImage([config], TOO_BIG_FOR_A_ROW);
    const grown = { ...NOTHING, objects: 1, bytes: big.size };
    expect(await growthBy(async () => await push.pushManifest(registry, one, "big", big))).toEqual(grown);
    expect(await growthBy(async () => await push.pushManifest(registry, one, "again", big))).toEqual(NOTHING);
  });

  it("tells what only mirrors hold: blobs that none of our own links, and their big manifests", async () => {
    const [mirror, own] = [freshRepository(), freshRepository()];
    await claimMirror(env.DB, parseRepositoryName(mirror), "up.test", 0);
    const held = makeBytes(2_345, 981);
    const byMirror = { ...NOTHING, objects: 1, bytes: held.byteLength, mirroredBytes: held.byteLength };
    expect(await growthBy(async () => await push.storeBlob(registry, mirror, held))).toEqual(byMirror);
    const shared = { ...NOTHING, repositories: 1, mirroredBytes: -held.byteLength };
    expect(await growthBy(async () => await push.storeBlob(registry, own, held))).toEqual(shared);
    const alone = { ...NOTHING, repositories: -1, mirroredBytes: held.byteLength };
    expect(await growthBy(async () => await callApi("DELETE", `repositories/${own}`))).toEqual(alone);
    expect((await registry.send("POST", `/v2/${mirror}/blobs/uploads/?mount=${config.digest}`)).status).toBe(201);
    const big = await makeImage([config], TOO_BIG_FOR_A_ROW);
    const grown = { ...NOTHING, objects: 1, bytes: big.size, mirroredBytes: big.size };
    expect(await growthBy(async () => await push.pushManifest(registry, mirror, "big", big))).toEqual(grown);
    const gone = { ...NOTHING, repositories: -1, mirroredBytes: -held.byteLength - big.size };
    expect(await growthBy(async () => await callApi("DELETE", `repositories/${mirror}`))).toEqual(gone);
    await env.DB.prepare("DELETE FROM discarded_objects WHERE size > 900000").run();
  });

  it("shrinks by a repository that is deleted, and by the big manifests in it once R2 has deleted them", async () => {
    const deletion = await growthBy(async () => await expectDone(await callApi("DELETE", `repositories/${one}`)));
    expect(deletion).toEqual({ ...NOTHING, repositories: -1 });
    const { bytes: shrunk, ...rest } = await growthBy(async () => {
      await env.DB.prepare("DELETE FROM discarded_objects WHERE size > 900000").run();
    });
    expect(rest).toEqual({ repositories: 0, objects: -1, mirroredBytes: 0 });
    expect(shrunk).toBeLessThan(-1_000_000);
  });

  it("is what the rows sum up to, after all that tests have done so far", async () => {
    const { databaseBytes, mirroredBytes, ...counted } = await usage();
    const summed = await env.DB.prepare(
      `SELECT (SELECT COUNT(*) FROM repositories) AS repositories, COUNT(*) AS objects, SUM(size) AS bytes
       FROM (SELECT size FROM blobs UNION ALL SELECT size FROM manifests WHERE object_key IS NOT NULL
             UNION ALL SELECT size FROM discarded_objects WHERE size IS NOT NULL)`,
    ).first();
    expect(counted).toEqual(summed);
    expect(mirroredBytes).toBeLessThan(counted.bytes);
    expect(databaseBytes).toBeGreaterThan(100_000);
  });
});

describe("the usage of the last days", () => {
  interface Day extends Omit<Usage, "databaseBytes"> {
    readonly day: string;
  }
  const history = async (query = "") =>
    (await answerOf<{ days: Day[] }>(await callApi("GET", `usage/history${query}`))).days;
  const today = () => new Date().toISOString().slice(0, 10);
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

  it("is kept by the schedule, once a day, as it was last", async () => {
    await push.storeBlob(registry, freshRepository(), makeBytes(100, 979));
    await tick();
    const { databaseBytes, ...first } = await usage();
    expect(databaseBytes).toBeGreaterThan(0);
    expect((await history()).at(-1)).toEqual({ day: today(), ...first });
    await push.storeBlob(registry, freshRepository(), makeBytes(100, 980));
    await tick();
    const days = await history();
    expect(days.at(-1)).toEqual({
      day: today(),
      ...first,
      repositories: first.repositories + 1,
      objects: first.objects + 1,
      bytes: first.bytes + 100,
    });
    expect(days.filter(({ day }) => day === today())).toHaveLength(1);
  });

  it("is written only where it has changed", async () => {
    const counted = new CountedRegistry();
    await counted.runSchedule();
    const written = async () => {
      counted.counter.reset();
      await saveUsageDay(counted.env.DB, today());
      return counted.counter.usage.rowsWritten;
    };
    await written();
    expect(await written()).toBe(0);
  });

  it("goes back as far as it is asked to, the oldest first", async () => {
    const save = env.DB.prepare(
      "INSERT INTO usage_days (day, repositories, objects, bytes) VALUES (?1, 1, 2, 3) ON CONFLICT DO NOTHING",
    );
    const kept = [1, 2, 89, 90, 3_659, 3_660];
    await env.DB.batch(kept.map((days) => save.bind(daysAgo(days))));
    await tick();
    const asked = async (query: string) => (await history(query)).map(({ day }) => day);
    expect(await asked("?days=1")).toEqual([today()]);
    expect(await asked("?days=3")).toEqual([daysAgo(2), daysAgo(1), today()]);
    expect(await asked("")).toEqual([daysAgo(89), daysAgo(2), daysAgo(1), today()]);
    expect(await asked("?days=3660")).toHaveLength(6);
    expect((await history("?days=2"))[0]).toEqual({
      ...{ day: daysAgo(1), repositories: 1, objects: 2, bytes: 3, mirroredBytes: 0 },
    });
  });

  it.each(["0", "-1", "1.5", "3661", "x", ""])("is not of %j days", async (days) => {
    await expectInvalid(await callApi("GET", `usage/history?days=${days}`), "days");
  });
});
