import { beforeAll, describe, expect, it } from "vitest";
import { type Budget, expectWithin } from "../support/budget.ts";
import { makeBytes, toBytes } from "../support/content.ts";
import { CountedRegistry, type Measured, type Sent } from "../support/counted-registry.ts";
import {
  makeImage,
  makeIndex,
  type ManifestContent,
  referringTo,
  TOO_BIG_FOR_A_ROW,
} from "../support/manifest-content.ts";
import * as push from "../support/pushes.ts";
import { seedBlobs } from "../support/seed.ts";

const registry = new CountedRegistry();

const blobBytes = makeBytes(100_000);
let blob: { readonly digest: string };
let image: ManifestContent;
let bigImage: ManifestContent;
let token: string;

beforeAll(async () => {
  const config = await push.storeBlob(registry, "app", blobBytes);
  blob = config;
  image = await makeImage([config]);
  bigImage = await makeImage([config], TOO_BIG_FOR_A_ROW);
  const tagged = {
    latest: image,
    big: bigImage,
    referrer: await makeImage([config], referringTo(image)),
    "big-referrer": await makeImage([config], { ...referringTo(bigImage), ...TOO_BIG_FOR_A_ROW }),
  };
  for (const [tag, manifest] of Object.entries(tagged)) {
    const answer = await push.pushManifest(registry, "app", tag, manifest);
    expect(answer.status).toBe(201);
  }
  // The first pull of a manifest in a day is noted.
  for (const tag of Object.keys(tagged)) await registry.send("GET", `/v2/app/manifests/${tag}`);
  const answer = await registry.send("GET", "/token?service=stowage&scope=repository:app:pull");
  token = (JSON.parse(new TextDecoder().decode(answer.bytes)) as { token: string }).token;
});

interface Case {
  readonly does: string;
  readonly request: () => readonly [method: string, path: string, sent?: Sent];
  readonly status: number;
  readonly budget: Budget;
}

const range = (value: string): Sent => ({ headers: { Range: value } });

const READS: readonly Case[] = [
  ...["GET", "HEAD"].flatMap((method): Case[] => [
    {
      does: `${method} a manifest by tag`,
      request: () => [method, "/v2/app/manifests/latest"],
      ...{ status: 200, budget: [0, 0, 1] },
    },
    {
      does: `${method} a manifest by digest`,
      request: () => [method, `/v2/app/manifests/${image.digest}`],
      ...{ status: 200, budget: [0, 0, 1] },
    },
    {
      does: `${method} a manifest too big for a row, by tag`,
      request: () => [method, "/v2/app/manifests/big"],
      ...{ status: 200, budget: method === "HEAD" ? [0, 0, 1] : [0, 1, 1] },
    },
    {
      does: `${method} a manifest too big for a row, by digest`,
      request: () => [method, `/v2/app/manifests/${bigImage.digest}`],
      ...{ status: 200, budget: method === "HEAD" ? [0, 0, 1] : [0, 1, 1] },
    },
    {
      does: `${method} an unknown manifest`,
      request: () => [method, "/v2/app/manifests/unknown"],
      ...{ status: 404, budget: [0, 0, 1] },
    },
  ]),
  {
    does: "GET a manifest too big for a row that the client has",
    request: () => ["GET", "/v2/app/manifests/big", { headers: { "If-None-Match": `"${bigImage.digest}"` } }],
    ...{ status: 304, budget: [0, 0, 1] },
  },
  { does: "HEAD a blob", request: () => ["HEAD", `/v2/app/blobs/${blob.digest}`], status: 200, budget: [0, 0, 1] },
  {
    does: "HEAD an unknown blob",
    request: () => ["HEAD", `/v2/app/blobs/sha256:${"0".repeat(64)}`],
    ...{ status: 404, budget: [0, 0, 1] },
  },
  { does: "GET a blob", request: () => ["GET", `/v2/app/blobs/${blob.digest}`], status: 200, budget: [0, 1, 1] },
  ...["bytes=5-10", "bytes=5-", "bytes=-10"].map((value): Case => ({
    does: `GET a blob's ${value}`,
    request: () => ["GET", `/v2/app/blobs/${blob.digest}`, range(value)],
    ...{ status: 206, budget: [0, 1, 1] },
  })),
  {
    does: "GET two ranges of a blob",
    request: () => ["GET", `/v2/app/blobs/${blob.digest}`, range("bytes=0-1,5-6")],
    ...{ status: 200, budget: [0, 1, 1] },
  },
  {
    does: "GET a range beyond a blob",
    request: () => ["GET", `/v2/app/blobs/${blob.digest}`, range("bytes=100000-")],
    ...{ status: 416, budget: [0, 0, 1] },
  },
  {
    does: "GET a blob that the client has",
    request: () => ["GET", `/v2/app/blobs/${blob.digest}`, { headers: { "If-None-Match": `"${blob.digest}"` } }],
    ...{ status: 304, budget: [0, 0, 1] },
  },
  {
    does: "GET an archive: each blob once",
    request: () => ["GET", "/archive/app:latest.tar"],
    ...{ status: 200, budget: [0, 1, 2] },
  },
  { does: "HEAD an archive", request: () => ["HEAD", "/archive/app:latest.tar"], status: 200, budget: [0, 0, 2] },
  {
    does: "GET an archive's beginning: no blob",
    request: () => ["GET", "/archive/app:latest.tar", range("bytes=0-511")],
    ...{ status: 206, budget: [0, 0, 2] },
  },
  {
    does: "pull with a Bearer token: no query asks who may",
    request: () => ["GET", "/v2/app/manifests/latest", { headers: { Authorization: `Bearer ${token}` } }],
    ...{ status: 200, budget: [0, 0, 1] },
  },
  {
    does: "be refused for want of scope",
    request: () => ["GET", "/v2/other/manifests/latest", { headers: { Authorization: `Bearer ${token}` } }],
    ...{ status: 401, budget: [0, 0, 0] },
  },
  {
    does: "get a token",
    request: () => ["GET", "/token?service=stowage&scope=repository:app:pull"],
    ...{ status: 200, budget: [0, 0, 0] },
  },
  { does: "ping", request: () => ["GET", "/v2/"], status: 200, budget: [0, 0, 0] },
  { does: "list tags", request: () => ["GET", "/v2/app/tags/list"], status: 200, budget: [0, 0, 1] },
  { does: "list repositories", request: () => ["GET", "/v2/_catalog?n=10"], status: 200, budget: [0, 0, 1] },
  {
    does: "list referrers",
    request: () => ["GET", `/v2/app/referrers/${image.digest}`],
    ...{ status: 200, budget: [0, 0, 1] },
  },
  {
    does: "list a referrer too big for a row",
    request: () => ["GET", `/v2/app/referrers/${bigImage.digest}`],
    ...{ status: 200, budget: [0, 1, 1] },
  },
];

describe("reads", () => {
  it.each(READS)("$does", async ({ request, status, budget }) => {
    const answer = await registry.send(...request());
    expect(answer.status).toBe(status);
    expectWithin([answer], budget);
  });
});

describe("changes in one request", () => {
  const digests = { known: "", unknown: `sha256:${"0".repeat(64)}` };
  const uploads = "/v2/changes/blobs/uploads/";
  const CHANGES: readonly Case[] = [
    {
      does: "mount a blob from a repository",
      request: () => ["POST", `${uploads}?mount=${blob.digest}&from=app`],
      ...{ status: 201, budget: [0, 0, 1] },
    },
    {
      does: "mount a blob from anywhere",
      request: () => ["POST", `${uploads}?mount=${blob.digest}`],
      ...{ status: 201, budget: [0, 0, 1] },
    },
    {
      does: "open an upload, when there is nothing to mount",
      request: () => ["POST", `${uploads}?mount=${digests.unknown}&from=app`],
      ...{ status: 202, budget: [0, 0, 2] },
    },
    {
      does: "delete a tag, and index what the others say",
      request: () => ["DELETE", "/v2/deletions/manifests/latest"],
      ...{ status: 202, budget: [0, 0, 3] },
    },
    {
      does: "not delete a blob that a manifest holds",
      request: () => ["DELETE", `/v2/deletions/blobs/${digests.known}`],
      ...{ status: 405, budget: [0, 0, 1] },
    },
    {
      does: "delete a manifest",
      request: () => ["DELETE", `/v2/deletions/manifests/${image.digest}`],
      ...{ status: 202, budget: [0, 0, 2] },
    },
    {
      does: "delete a manifest too big for a row",
      request: () => ["DELETE", `/v2/deletions/manifests/${bigImage.digest}`],
      ...{ status: 202, budget: [0, 0, 3] },
    },
    {
      does: "delete a blob",
      request: () => ["DELETE", `/v2/deletions/blobs/${digests.known}`],
      ...{ status: 202, budget: [0, 0, 1] },
    },
  ];

  beforeAll(async () => {
    digests.known = (await push.storeBlob(registry, "deletions", blobBytes)).digest;
    await push.pushManifest(registry, "deletions", "latest", image);
    await push.pushManifest(registry, "deletions", "big", bigImage);
  });

  it.each(CHANGES)("$does", async ({ request, status, budget }) => {
    const answer = await registry.send(...request());
    expect(answer.status).toBe(status);
    expectWithin([answer], budget);
  });

  it("asks and cancels an upload", async () => {
    const post = await registry.send("POST", uploads);
    const location = post.headers.get("Location")!;
    expectWithin([await registry.send("GET", location)], [0, 0, 1]);
    expectWithin([await registry.send("DELETE", location)], [0, 0, 1]);
  });
});

describe("pushes of a manifest", () => {
  async function pushImage(count: number): Promise<Measured> {
    const manifest = await makeImage(await seedBlobs("layers", count));
    const answer = await push.pushManifest(registry, "layers", `n${count}`, manifest);
    expect(answer.status).toBe(201);
    return answer;
  }

  it.each([1, 40, 500])("that refers to %i blobs", async (count) => {
    expectWithin([await pushImage(count)], [0, 1, 2]);
  });

  it("read a number of rows that is linear in its references", async () => {
    const rows = [];
    for (const count of [100, 200, 400]) rows.push((await pushImage(count)).usage.rowsRead);
    const [of100 = 0, of200 = 0, of400 = 0] = rows;
    expect(of400 - of200).toBeLessThanOrEqual(2 * (of200 - of100) + 10);
    expect((of200 - of100) / 100).toBeLessThanOrEqual(10);
  });

  it("again, for another tag", async () => {
    expectWithin([await push.pushManifest(registry, "app", "again", image)], [0, 0, 2]);
  });

  it("where tags may end by themselves: with its config, where that may say so, and once more where it does", async () => {
    const repository = "ending";
    const { status } = await registry.send("PATCH", `/api/repositories/${repository}`, {
      body: { bytes: toBytes('{"expiringTags":true}') },
    });
    expect(status).toBe(200);
    const config = async (text: string) => await push.storeBlob(registry, repository, toBytes(text));
    const plain = await config("{}");
    const labelled = await config('{"config":{"Labels":{"expires-after":"1h"}}}');
    const annotated = { annotations: { "expires-after": "1h" } };
    const child = await makeImage([labelled]);
    const cases: [reference: string, manifest: ManifestContent, budget: Budget][] = [
      [child.digest, child, [0, 0, 1]],
      ["labelled", child, [0, 2, 3]],
      ["plain", await makeImage([plain]), [0, 2, 2]],
      ["annotated", await makeImage([labelled], annotated), [0, 0, 2]],
      ["all", await makeIndex([child]), [0, 0, 2]],
    ];
    for (const [reference, manifest, budget] of cases) {
      const answer = await push.pushManifest(registry, repository, reference, manifest);
      expect(answer.status).toBe(201);
      expectWithin([answer], budget);
    }
  });

  it("with ten tags beside its digest", async () => {
    const tags = Array.from({ length: 10 }, (_, i) => `tag=t${i}`).join("&");
    expectWithin([await push.pushManifest(registry, "app", `${image.digest}?${tags}`, image)], [0, 0, 2]);
  });

  it("that is an index of 40", async () => {
    const blobs = await seedBlobs("indexes", 40);
    const children = await Promise.all(blobs.map(async (one) => await makeImage([one])));
    for (const child of children) await push.pushManifest(registry, "indexes", child.digest, child);
    const answer = await push.pushManifest(registry, "indexes", "all", await makeIndex(children));
    expect(answer.status).toBe(201);
    // The configs of the first children.
    expectWithin([answer], [0, 8, 2]);
  });

  it("that is too big for a row", async () => {
    const manifest = await makeImage(await seedBlobs("large", 1), TOO_BIG_FOR_A_ROW);
    const answer = await push.pushManifest(registry, "large", "latest", manifest);
    expect(answer.status).toBe(201);
    expectWithin([answer], [1, 1, 2]);
  });

  it("that refers to 500 absent blobs, and is refused", async () => {
    const blobs = await seedBlobs("complete", 500);
    await seedBlobs("incomplete", 1);
    const answer = await push.pushManifest(registry, "incomplete", "latest", await makeImage(blobs));
    expect(answer.status).toBe(404);
    expectWithin([answer], [0, 0, 2]);
  });
});
