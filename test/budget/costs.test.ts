import { beforeAll, describe, expect, it } from "vitest";
import { CALL_KINDS, type Calls, NO_CALLS } from "../../cost/calls.ts";
import { costOf, type OperationName, OPERATIONS, SCHEDULE } from "../../cost/operations.ts";
import { INDEXED_TAGS_MAX } from "../../src/metadata/image-words.ts";
import { PART_SIZE_BYTES } from "../../src/oci/upload-session.ts";
import { makeBytes } from "../support/content.ts";
import { CountedRegistry, type Measured, sumUsage } from "../support/counted-registry.ts";
import { emptyStorage } from "../support/empty-storage.ts";
import { type Descriptor, makeImage } from "../support/manifest-content.ts";
import { addAccount, createToken, type Person, setVisibility } from "../support/people.ts";
import { makeSavedImage, oldStyle } from "../support/archives.ts";
import { makeTar } from "../support/tars.ts";
import * as push from "../support/pushes.ts";
import { basicAuth } from "../support/registry.ts";

const registry = new CountedRegistry();
/** With the caches that a registry has by default; without them, each pull costs what the first does. */
const caching = new CountedRegistry({});

/** With the pulls written down each time. */
const counting = new CountedRegistry({ CONTENT_CACHE_TTL: "0s", BLOB_CACHE: "off", PULL_COUNT_INTERVAL: "0s" });

/** A search reads the row on which it ends, if there is one: so much less may be read than the table says. */
const ENDS_MAX = 2;

const repository = "costs/m";
/** So that most searches do end on a row. */
const NEIGHBOURS = ["costs/a", "costs/z"];
const path = `/v2/${repository}`;
const NOBODY = basicAuth("", "");

let seed = 7_000;
const freshBytes = (size: number) => makeBytes(size, (seed += 1));

let blobs: Descriptor[];
let account: Person;
let robot: Person;
let bearer: string;

/** An image of the first blobs that no other push has. */
const freshImage = async (references: number) =>
  await makeImage(blobs.slice(0, references), { annotations: { "test.number": String((seed += 1)) } });

async function pushImage(references: number, tag: string): Promise<{ digest: string; measured: Measured }> {
  const image = await freshImage(references);
  return { digest: image.digest, measured: await push.pushManifest(registry, repository, tag, image) };
}

/** Pushes an image, whose config nobody has read before, to a repository that has so many tags, all of them of such images. */
async function pushBesideOthers(
  references: number,
  others = 0,
  fresh = `${repository}/fresh-${(seed += 1)}`,
): Promise<Measured> {
  for (const { digest } of blobs) {
    const { status } = await registry.send("POST", `/v2/${fresh}/blobs/uploads/?mount=${digest}&from=${repository}`);
    expect(status).toBe(201);
  }
  const pushNext = async (tag: string) => {
    const config = await push.storeBlob(registry, fresh, freshBytes(1_000));
    const image = await makeImage([config, ...blobs.slice(1, references)], { annotations: { "test.tag": tag } });
    return await push.pushManifest(registry, fresh, tag, image);
  };
  for (let n = 0; n < others; n += 1) await pushNext(`other${n}`);
  return await pushNext("new");
}

async function send(method: string, target: string, authorization = bearer): Promise<Measured> {
  return await registry.send(method, target, { headers: { Authorization: authorization } });
}

/** The second pull of the same. */
async function sendAgain(target: string): Promise<Measured> {
  const sent = { headers: { Authorization: bearer } };
  await caching.send("GET", target, sent);
  return await caching.send("GET", target, sent);
}

const askToken = async (authorization: string) =>
  await send("GET", `/token?service=stowage&scope=repository:${repository}:pull`, authorization);

/** What requests cost, each of which must have been answered as a client hopes. */
function total(measured: readonly Measured[]): Calls {
  for (const { status } of measured) expect([200, 201, 202, 401, 404]).toContain(status);
  return { requests: measured.length, ...sumUsage(measured) };
}

/** Of what two ways to do something cost, the difference. */
function difference(more: Measured, less: Measured): Calls {
  const [one, other] = [total([more]), total([less])];
  return Object.fromEntries(CALL_KINDS.map((kind) => [kind, one[kind] - other[kind]])) as unknown as Calls;
}

beforeAll(async () => {
  // Rules that other tests have left would be read as well.
  await emptyStorage();
  for (const name of [repository, `${repository}/other`, ...NEIGHBOURS]) {
    const config = await push.storeBlob(registry, name, freshBytes(1_000));
    for (const tag of ["a", "n", "z"]) {
      const image = await makeImage([config], { annotations: { "test.tag": tag } });
      expect((await push.pushManifest(registry, name, tag, image)).status).toBe(201);
    }
  }
  blobs = [];
  while (blobs.length < 12) blobs.push(await push.storeBlob(registry, repository, freshBytes(500)));
  expect((await pushImage(6, "pulled")).measured.status).toBe(201);
  await setVisibility(repository, "public");
  account = await addAccount({ [repository]: ["pull", "push"] });
  robot = await createToken(repository, ["pull", "push"]);
  // Its first use in an hour is noted.
  await askToken(robot.basic.Authorization);
  const { token } = JSON.parse(new TextDecoder().decode((await askToken(NOBODY)).bytes)) as { token: string };
  bearer = `Bearer ${token}`;
  await send("GET", `${path}/manifests/pulled`);
});

const manifest = `${path}/manifests/pulled`;
const absent = `${path}/blobs/sha256:${"8".repeat(64)}`;
const blob = () => `${path}/blobs/${blobs[0]!.digest}`;

type Doing = (parts: number) => Promise<readonly Measured[] | Calls>;

const DOINGS: Readonly<Record<OperationName, Doing>> = {
  challenge: async () => [await send("GET", "/v2/", "")],
  anonymousToken: async () => [await askToken(NOBODY)],
  accountToken: async () => [await askToken(account.basic.Authorization)],
  accessTokenToken: async () => [await askToken(robot.basic.Authorization)],
  withoutToken: async () => difference(await send("GET", manifest, ""), await send("GET", manifest)),
  getManifestByTag: async () => [await send("GET", manifest)],
  getManifestByDigest: async () => {
    const { digest } = await pushImage(3, "by-digest");
    await send("GET", `${path}/manifests/${digest}`);
    return [await send("GET", `${path}/manifests/${digest}`)];
  },
  firstPullOfDay: async () => {
    await pushImage(4, "first");
    const target = `${path}/manifests/first`;
    return difference(await send("GET", target), await send("GET", target));
  },
  countPulls: async () => {
    const sent = { headers: { Authorization: bearer } };
    // What others have counted is written down first.
    await counting.send("GET", manifest, sent);
    await send("GET", manifest);
    const quiet = await send("GET", manifest);
    return difference(await counting.send("GET", manifest, sent), quiet);
  },
  getCachedManifest: async () => {
    const { digest } = await pushImage(5, "cached");
    return [await sendAgain(`${path}/manifests/${digest}`)];
  },
  getBlob: async () => [await send("GET", blob())],
  fillCache: async () => {
    const target = `${path}/blobs/${blobs[1]!.digest}`;
    const { usage, status } = await caching.send("GET", target, { headers: { Authorization: bearer } });
    expect(status).toBe(200);
    const { usage: uncached } = await send("GET", target);
    return { ...NO_CALLS, classB: usage.classB - uncached.classB };
  },
  getCachedBlob: async () => [await sendAgain(`${path}/blobs/${blobs[2]!.digest}`)],
  headBlob: async () => [await send("HEAD", blob())],
  headAbsentBlob: async () => [await send("HEAD", absent)],
  pushSmallBlob: async () => await push.pushByPatch(registry, { repository, bytes: freshBytes(100_000) }),
  pushLargeBlob: async (parts) =>
    await push.pushByPatch(registry, { repository, bytes: freshBytes(parts * PART_SIZE_BYTES - 1) }),
  putBlob: async () => await push.pushByPut(registry, { repository, bytes: freshBytes(1_000) }),
  postBlob: async () => await push.pushByPost(registry, { repository, bytes: freshBytes(1_000) }),
  mountBlob: async () => [
    await registry.send("POST", `${path}/other/blobs/uploads/?mount=${blobs[5]!.digest}&from=${repository}`),
  ],
  pushManifest: async (references) => [await pushBesideOthers(references)],
  getArchive: async (references) => {
    await pushImage(references, `archived${references}`);
    const target = `/archive/${repository}:archived${references}.tar`;
    await send("GET", target);
    return [await send("GET", target)];
  },
  putArchive: async (references) => {
    const saved = await makeSavedImage(Array<number>(references - 1).fill(70_000));
    const bytes = makeTar(oldStyle({ "hello:1": saved }));
    return [await registry.send("PUT", `/archive/${repository}/loaded${references}:new`, { body: { bytes } })];
  },
  lookAtOtherTags: async () => difference(await pushBesideOthers(1, INDEXED_TAGS_MAX - 1), await pushBesideOthers(1)),
  deleteTag: async () => {
    const fresh = `${repository}/deleted`;
    await pushBesideOthers(2, 2, fresh);
    return [await registry.send("DELETE", `/v2/${fresh}/manifests/new`)];
  },
  deleteManifest: async () => {
    const { digest } = await pushImage(2, "moved");
    await pushImage(2, "moved");
    return [await registry.send("DELETE", `${path}/manifests/${digest}`)];
  },
};

/** Numbers of parts to try, where an operation has any. */
const PARTS: Partial<Record<OperationName, readonly number[]>> = {
  pushLargeBlob: [2, 3],
  pushManifest: [1, 6, 12],
  getArchive: [2, 6],
  putArchive: [2, 6],
};

const CASES = (Object.keys(OPERATIONS) as OperationName[]).flatMap((name) =>
  (PARTS[name] ?? [0]).map((parts) => ({ name, parts, does: OPERATIONS[name].does })),
);

describe("what stands in the table of costs is what it costs", () => {
  it.each(CASES)("to $does ($parts parts)", async ({ name, parts }) => {
    const done = await DOINGS[name](parts);
    const cost = "requests" in done ? done : total(done);
    const stated = costOf(name, parts);
    for (const kind of CALL_KINDS) {
      if (kind !== "rowsRead") expect.soft(cost[kind], kind).toBe(stated[kind]);
    }
    expect.soft(cost.rowsRead, "rowsRead").toBeLessThanOrEqual(stated.rowsRead);
    expect.soft(cost.rowsRead, "rowsRead").toBeGreaterThanOrEqual(stated.rowsRead - ENDS_MAX);
  });

  it("to run the schedule when there is nothing to do, at most", async () => {
    await registry.runSchedule();
    const usage = await registry.runSchedule();
    // Other tests leave rows without objects. To look for these is something to do, and costs more.
    for (const kind of ["classA", "rowsRead"] as const) {
      expect.soft(usage[kind], kind).toBeLessThanOrEqual(SCHEDULE.calls[kind]);
    }
  });
});
