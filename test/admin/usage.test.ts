import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { answerOf, callApi, expectDone } from "../support/api.ts";
import { makeBytes } from "../support/content.ts";
import { WatchedRegistry } from "../support/counted-registry.ts";
import { makeImage, TOO_BIG_FOR_A_ROW } from "../support/manifest-content.ts";
import * as push from "../support/pushes.ts";
import { freshRepository } from "../support/registry.ts";

interface Usage {
  readonly repositories: number;
  readonly objects: number;
  readonly bytes: number;
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
  };
}

const NOTHING = { repositories: 0, objects: 0, bytes: 0 };

describe("the usage", () => {
  const [one, other] = [freshRepository(), freshRepository()];
  const bytes = makeBytes(1_234, 977);
  let config: Awaited<ReturnType<typeof push.storeBlob>>;

  beforeAll(async () => {
    config = await push.storeBlob(registry, freshRepository(), makeBytes(100, 978));
  });

  it("grows by a blob and its repository", async () => {
    const grown = { repositories: 1, objects: 1, bytes: bytes.byteLength };
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

  it("shrinks by a repository that is deleted, and by the big manifests in it once R2 has deleted them", async () => {
    const deletion = await growthBy(async () => await expectDone(await callApi("DELETE", `repositories/${one}`)));
    expect(deletion).toEqual({ ...NOTHING, repositories: -1 });
    const { bytes: shrunk, ...rest } = await growthBy(async () => {
      await env.DB.prepare("DELETE FROM discarded_objects WHERE size > 900000").run();
    });
    expect(rest).toEqual({ repositories: 0, objects: -1 });
    expect(shrunk).toBeLessThan(-1_000_000);
  });

  it("is what the rows sum up to, after all that tests have done so far", async () => {
    const { databaseBytes, ...counted } = await usage();
    const summed = await env.DB.prepare(
      `SELECT (SELECT COUNT(*) FROM repositories) AS repositories, COUNT(*) AS objects, SUM(size) AS bytes
       FROM (SELECT size FROM blobs UNION ALL SELECT size FROM manifests WHERE object_key IS NOT NULL
             UNION ALL SELECT size FROM discarded_objects WHERE size IS NOT NULL)`,
    ).first();
    expect(counted).toEqual(summed);
    expect(databaseBytes).toBeGreaterThan(100_000);
  });
});
