import { beforeAll, describe, expect, it } from "vitest";
import { makeSubject, pathsOf, type Subject, WARM } from "../support/caches.ts";
import { CountedRegistry, type Measured } from "../support/counted-registry.ts";
import { setVisibility } from "../support/people.ts";
import { basicAuth } from "../support/registry.ts";

type Cost = readonly [classA: number, classB: number, roundTrips: number];

const costOf = ({ usage }: Measured): Cost => [usage.classA, usage.classB, usage.roundTrips];

interface Pull {
  readonly method?: "GET" | "HEAD";
  readonly path: keyof ReturnType<typeof pathsOf>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status?: number;
}

interface Case extends Pull {
  readonly does: string;
  readonly cold: Cost;
  readonly warm: Cost;
}

/** The first GET of a manifest in a day is noted, and that of an object puts it into the data centre's cache: once more each. */
const CASES: readonly Case[] = [
  { does: "GET a manifest by digest", path: "a manifest by digest", cold: [0, 0, 2], warm: [0, 0, 0] },
  { does: "HEAD a manifest by digest", method: "HEAD", path: "a manifest by digest", cold: [0, 0, 1], warm: [0, 0, 0] },
  { does: "GET a manifest in R2", path: "a manifest too big for a row", cold: [0, 2, 2], warm: [0, 0, 0] },
  { does: "GET a blob", path: "a blob", cold: [0, 2, 1], warm: [0, 0, 0] },
  { does: "HEAD a blob", method: "HEAD", path: "a blob", cold: [0, 0, 1], warm: [0, 0, 1] },
  {
    ...{ does: "GET a blob that the client has", path: "a blob", headers: { "If-None-Match": "*" }, status: 304 },
    ...{ cold: [0, 0, 1], warm: [0, 0, 0] },
  },
  {
    ...{ does: "GET a part of a blob, which caches nothing", path: "a blob", headers: { Range: "bytes=5-10" } },
    ...{ status: 206, cold: [0, 1, 1], warm: [0, 1, 0] },
  },
];

async function measure(registry: CountedRegistry, subject: Subject, pull: Pull): Promise<Cost> {
  const headers = { ...subject.puller, ...pull.headers };
  const measured = await registry.send(pull.method ?? "GET", pathsOf(subject)[pull.path], { headers });
  expect(measured.status).toBe(pull.status ?? 200);
  return costOf(measured);
}

describe("with a token to pull, by default", () => {
  const registry = new CountedRegistry({});

  it.each(CASES)("$does: $cold, then $warm", async (one) => {
    const subject = await makeSubject();
    expect(await measure(registry, subject, one)).toEqual(one.cold);
    expect(await measure(registry, subject, one)).toEqual(one.warm);
  });

  it("GET a part of a blob that was pulled: nothing", async () => {
    const subject = await makeSubject();
    await measure(registry, subject, { path: "a blob" });
    const part = { path: "a blob", headers: { Range: "bytes=5-10" }, status: 206 } as const;
    expect(await measure(registry, subject, part)).toEqual([0, 0, 0]);
  });

  it("a manifest by tag: one D1 query each time", async () => {
    const subject = await makeSubject();
    const costs = [];
    for (const method of ["GET", "GET", "HEAD"] as const) {
      costs.push(await measure(registry, subject, { method, path: "a manifest by tag" }));
    }
    expect(costs).toEqual([
      [0, 0, 2],
      [0, 0, 1],
      [0, 0, 1],
    ]);
  });

  it("as docker pulls: by digest, what HEAD has just found by tag, costs no second query", async () => {
    const subject = await makeSubject();
    expect(await measure(registry, subject, { method: "HEAD", path: "a manifest by tag" })).toEqual([0, 0, 1]);
    // To note the pull.
    expect(await measure(registry, subject, { path: "a manifest by digest" })).toEqual([0, 0, 1]);
    expect(await measure(registry, subject, { path: "a manifest by digest" })).toEqual([0, 0, 0]);
  });

  it("what is not there is asked for each time", async () => {
    const subject = await makeSubject();
    const unknown = `sha256:${"0".repeat(64)}`;
    for (const path of [`manifests/${unknown}`, `blobs/${unknown}`, "manifests/unknown"]) {
      for (let time = 0; time < 2; time += 1) {
        const headers = subject.puller;
        const measured = await registry.send("GET", `/v2/${subject.repository}/${path}`, { headers });
        expect([path, measured.status, costOf(measured)]).toEqual([path, 404, [0, 0, 1]]);
      }
    }
  });
});

describe("with TAG_CACHE_TTL", () => {
  const registry = new CountedRegistry(WARM);

  it.each(["GET", "HEAD"] as const)("%s a manifest by tag a second time: nothing", async (method) => {
    const subject = await makeSubject();
    await measure(registry, subject, { method, path: "a manifest by tag" });
    const again = await measure(registry, subject, { method, path: "a manifest by tag" });
    expect(again).toEqual([0, 0, 0]);
  });
});

describe("who else pulls what this isolate knows", () => {
  const registry = new CountedRegistry(WARM);
  let subject: Subject;

  beforeAll(async () => {
    subject = await makeSubject();
    await setVisibility(subject.repository, "public");
    for (const path of Object.values(pathsOf(subject))) {
      for (let time = 0; time < 2; time += 1) await registry.send("GET", path, { headers: subject.puller });
    }
  });

  it.each<[string, string, number, number]>([
    ["who may push, since he may rely on it", basicAuth(), 1, 0],
    ["nobody, without a token", basicAuth("", ""), 1, 1],
  ])("%s: a query for a manifest, or for the policy", async (_who, authorization, forManifest, forBlob) => {
    const headers = { Authorization: authorization };
    const costs: Cost[] = [];
    for (const path of Object.values(pathsOf(subject)))
      costs.push(costOf(await registry.send("GET", path, { headers })));
    expect(costs).toEqual([...Array<Cost>(3).fill([0, 0, forManifest]), [0, 0, forBlob]]);
  });
});
