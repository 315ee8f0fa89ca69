import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { PART_SIZE_BYTES } from "../../src/oci/upload-session.ts";
import { makeBytes, digestOf } from "../support/content.ts";
import { type Measured, WatchedRegistry } from "../support/counted-registry.ts";
import { emptyStorage } from "../support/empty-storage.ts";
import { type Effect, FailOnce } from "../support/failing.ts";
import { makeImage, TOO_BIG_FOR_A_ROW } from "../support/manifest-content.ts";
import * as push from "../support/pushes.ts";

beforeAll(emptyStorage);

type Answer = Omit<Measured, "usage">;

/** All of a push's requests, as its client sends them: it goes on as long as it is told to, and returns all answers. */
type Push = (registry: WatchedRegistry, seed: number) => Promise<readonly Answer[]>;

const healthy = new WatchedRegistry(async (_call, run) => await run());

const blobPush =
  (size: number, pushBy: (to: WatchedRegistry, blob: push.BlobPush) => Promise<readonly Answer[]>): Push =>
  async (to, seed) =>
    await pushBy(to, { repository: "failures", bytes: makeBytes(size, seed) });

const chunksOf =
  (chunkSize: number): Parameters<typeof blobPush>[1] =>
  async (to, blob) =>
    await push.pushInChunks(to, { ...blob, chunkSize });

const withLength: Parameters<typeof blobPush>[1] = async (to, blob) =>
  await push.pushByPatch(to, { ...blob, body: { bytes: blob.bytes } });

/** A layer is in place; the manifest itself is what fails. */
const manifestPush =
  (extras: Readonly<Record<string, unknown>>): Push =>
  async (to, seed) => {
    const layer = await push.storeBlob(healthy, "failures", makeBytes(100, seed));
    const manifest = await makeImage([layer], extras);
    return [await push.pushManifest(to, "failures", `tag${seed}`, manifest)];
  };

/** A large push takes its time; what has to be in order for the next one is so whichever way it comes. */
const TIMEOUT_MS = 60_000;

const PUSHES: readonly {
  readonly by: string;
  readonly push: Push;
  readonly retry?: Push;
  readonly answeredAfter?: number;
}[] = [
  { by: "POST with the digest", push: blobPush(1_000, push.pushByPost) },
  { by: "PUT", push: blobPush(1_000, push.pushByPut) },
  { by: "PATCH of a few bytes", push: blobPush(1_000, push.pushByPatch) },
  { by: "PATCH of 100 KB", push: blobPush(100_000, push.pushByPatch) },
  { by: "PATCH of 100 KB that states its length", push: blobPush(100_000, withLength) },
  {
    by: "PATCH of two parts",
    push: blobPush(PART_SIZE_BYTES + 100_000, push.pushByPatch),
    retry: blobPush(PART_SIZE_BYTES + 100_000, push.pushByPost),
  },
  { by: "chunks of 70 KB", push: blobPush(200_000, chunksOf(70_000)) },
  // What they say is indexed after the answer, or else by the schedule.
  { by: "a manifest", push: manifestPush({}), answeredAfter: 1 },
  { by: "a manifest too big for a row", push: manifestPush(TOO_BIG_FOR_A_ROW), answeredAfter: 2 },
];

/** As if all sessions had been left alone for long, and the cron trigger had come twice. */
async function collectEverything(): Promise<void> {
  await env.DB.prepare("UPDATE upload_sessions SET expires_at = 0, writer_expires_at = 0").run();
  await healthy.runSchedule();
  await healthy.runSchedule();
}

async function listObjects(): Promise<Set<string>> {
  const { objects, truncated } = await env.BUCKET.list();
  expect(truncated).toBe(false);
  return new Set(objects.map(({ key }) => key));
}

async function listNeeded(): Promise<string[]> {
  const { results } = await env.DB.prepare(
    "SELECT object_key FROM blobs UNION ALL SELECT object_key FROM manifests WHERE object_key IS NOT NULL",
  ).all<{ object_key: string }>();
  return results.map((row) => row.object_key);
}

/** Every row has its bytes. Returns the objects that no row knows: nothing will ever delete them. */
async function checkObjects(): Promise<string[]> {
  const objects = await listObjects();
  const needed = await listNeeded();
  expect(needed.filter((key) => !objects.has(key))).toEqual([]);
  const { results } = await env.DB.prepare("SELECT object_key FROM discarded_objects").all<{ object_key: string }>();
  const known = new Set([...needed, ...results.map((row) => row.object_key)]);
  return [...objects].filter((key) => !known.has(key));
}

/** What a push made can be read, byte by byte; R2 itself has verified what came in one request. */
async function expectReadable(answer: Answer): Promise<void> {
  const read = await healthy.send("GET", answer.headers.get("Location")!);
  expect(read.status).toBe(200);
  expect(await digestOf(read.bytes)).toBe(answer.headers.get("Docker-Content-Digest"));
}

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  vi.spyOn(console, "info").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const statuses = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status);
const isError = (status: number): boolean => status >= 400;

describe.each(PUSHES)(
  "a push by $by",
  { timeout: TIMEOUT_MS },
  ({ push: pushBy, retry = pushBy, by, answeredAfter = Infinity }) => {
    /** Fails the `index`-th call, then does all that can be done about it. False when there was no such call. */
    async function failOnce(index: number, effect: Effect): Promise<boolean> {
      const seed = by.length * 1_000 + (effect === "done" ? 500 : 0) + index;
      const leakedBefore = await checkObjects();
      const failing = new FailOnce(index, effect);
      const answers = await pushBy(new WatchedRegistry(failing.watch), seed);
      if (failing.failed === undefined) {
        expect(statuses(answers).filter(isError)).toEqual([]);
        return false;
      }
      const what = `call ${index}, ${failing.failed.operation}`;
      // What is in doubt is not acknowledged; what is acknowledged after it is there.
      expect(statuses(answers).some(isError), what).toBe(index < answeredAfter);
      const last = answers.at(-1)!;
      if (last.status === 201) await expectReadable(last);
      await checkObjects();

      const retried = await retry(healthy, seed);
      expect(statuses(retried).filter(isError), what).toEqual([]);
      await collectEverything();
      const leaked = await checkObjects();
      if (retry === pushBy) await expectReadable(retried.at(-1)!);
      expect(leaked.length - leakedBefore.length, what).toBe(0);
      return true;
    }

    it("can be repeated after any of its calls failed", async () => {
      let calls = 0;
      while (await failOnce(calls, "none")) calls += 1;
      expect(calls).toBeGreaterThan(0);
    });

    it("can be repeated after the answer to any of its calls was lost", async () => {
      let calls = 0;
      while (await failOnce(calls, "done")) calls += 1;
      expect(calls).toBeGreaterThan(0);
    });
  },
);

describe("a body that R2 does not take", () => {
  it("ends in an error, not in a wait without end", async () => {
    const stubborn = new WatchedRegistry(async (call, run) => {
      if (call.operation === "put") throw new Error("R2 is not there");
      return await run();
    });
    const answers = await blobPush(1_000_000, withLength)(stubborn, 1);
    expect(statuses(answers)).toEqual([202, 500, 500]);
  });
});
