import { createExecutionContext, createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import worker from "../../src/worker.ts";
import { WatchedRegistry } from "../support/counted-registry.ts";
import { digestOf, randomBytes } from "../support/images.ts";
import {
  endGrace,
  expectError,
  expectStatus,
  freshRepository,
  runSchedule,
  send,
  sendWith,
} from "../support/registry.ts";
import {
  contentRange,
  expectBlob,
  expire,
  finish,
  patch,
  rows,
  sessionId,
  startUpload,
  keysBeside,
  storedKeys,
  streamOf,
} from "../support/uploads.ts";

const PART = 6 * 1024 * 1024;

const sessions = async (location: string) =>
  await rows("SELECT id FROM upload_sessions WHERE id = ?1", sessionId(location));
const discarded = async () => await rows<{ object_key: string }>("SELECT object_key FROM discarded_objects");

describe("an expired upload", () => {
  it.each<[string, (location: string) => Promise<unknown>]>([
    ["of no bytes", async () => await Promise.resolve()],
    ["in a row", async (location) => await patch(location, "12345")],
    ["in an object", async (location) => await patch(location, randomBytes(100_000))],
    [
      "in several objects",
      async (location) => {
        for (const n of [0, 1, 2]) await patch(location, randomBytes(70_000), contentRange(n * 70_000, 70_000));
      },
    ],
    ["in parts and a tail", async (location) => await patch(location, streamOf(randomBytes(PART + 100_000)))],
  ])("%s is removed with all that it holds", async (_name, push) => {
    await runSchedule();
    const before = await storedKeys();
    const location = await startUpload(freshRepository());
    await push(location);
    await expire(location);
    await runSchedule();
    expect(await sessions(location)).toEqual([]);
    expect(await rows("SELECT number FROM upload_parts WHERE session_id = ?1", sessionId(location))).toEqual([]);
    expect(await discarded()).toEqual([]);
    expect(await keysBeside(before)).toEqual([]);
  });

  it("cannot be gone on with, even before it is removed", async () => {
    const location = await startUpload(freshRepository());
    await expire(location);
    await expectError(await patch(location, "12345"), 404, "BLOB_UPLOAD_UNKNOWN");
    expect(await sessions(location)).toHaveLength(1);
  });

  it("is left alone while a request holds it", async () => {
    const location = await startUpload(freshRepository());
    await expire(location);
    const hold = async (until: number) =>
      await rows(
        "UPDATE upload_sessions SET writer = 'w', writer_expires_at = ?2 WHERE id = ?1",
        sessionId(location),
        until,
      );
    await hold(Date.now() + 60_000);
    await runSchedule();
    expect(await sessions(location)).toHaveLength(1);
    await hold(Date.now() - 1);
    await runSchedule();
    expect(await sessions(location)).toEqual([]);
  });
});

it("leaves uploads that live, and what they hold", async () => {
  const repository = freshRepository();
  const bytes = randomBytes(200_000);
  const location = await startUpload(repository);
  await patch(location, bytes.slice(0, 100_000), contentRange(0, 100_000));
  await runSchedule();
  const digest = await digestOf(bytes);
  await expectStatus(await finish(location, digest, { body: bytes.slice(100_000) }), 201);
  await runSchedule();
  await expectBlob(repository, digest, bytes);
});

/** Runs the schedule with another bucket, when the grace of what was discarded is over. */
async function runWith(BUCKET: R2Bucket): Promise<void> {
  await endGrace();
  await worker.scheduled(createScheduledController(), { ...env, BUCKET }, createExecutionContext());
}

/** The bucket, but for one method. */
function bucketWith(method: keyof R2Bucket, replacement: () => Promise<never>): R2Bucket {
  return new Proxy(env.BUCKET, {
    get: (bucket, name) => {
      if (name === method) return replacement;
      const value = Reflect.get(bucket, name) as unknown;
      return typeof value === "function" ? (value.bind(bucket) as unknown) : value;
    },
  });
}

/** A database that lets the first batch of a request pass, which takes the session, and loses the answers of the others. */
function failingFromSecondBatch(isApplied: boolean): D1Database {
  let batches = 0;
  const batch = async (statements: D1PreparedStatement[]) => {
    batches++;
    const results = batches === 1 || (batches === 2 && isApplied) ? await env.DB.batch(statements) : [];
    if (batches > 1) throw new Error("the database is down");
    return results;
  };
  return new Proxy(env.DB, {
    get: (db, name) => (name === "batch" ? batch : (Reflect.get(db, name) as (...args: unknown[]) => unknown).bind(db)),
  });
}

describe("a crash", () => {
  it("between the end of a session and the deletion of its objects loses nothing and leaves nothing", async () => {
    await runSchedule();
    const before = await storedKeys();
    const location = await startUpload(freshRepository());
    await patch(location, randomBytes(100_000));
    await send("DELETE", location);
    const failing = bucketWith("delete", async () => await Promise.reject(new Error("the bucket is down")));
    await expect(runWith(failing)).rejects.toMatchObject({ errors: [new Error("the bucket is down")] });
    expect(await discarded()).toHaveLength(1);
    expect(await keysBeside(before)).toHaveLength(1);
    await runSchedule();
    expect(await discarded()).toEqual([]);
    expect(await keysBeside(before)).toEqual([]);
  });

  it("of an abort leaves the note of its multipart upload to the next run", async () => {
    await runSchedule();
    const aborted: boolean[] = [];
    const registry = new WatchedRegistry(async (call, run) => {
      if (call.operation !== "abort") return await run();
      aborted.push(aborted.length > 0);
      if (aborted.length === 1) throw new Error("the bucket is down");
      return await run();
    });
    const location = await startUpload(freshRepository());
    await patch(location, streamOf(randomBytes(PART + 100_000)));
    await send("DELETE", location);
    await expect(registry.runSchedule()).rejects.toMatchObject({ errors: [new Error("the bucket is down")] });
    expect(await discarded()).not.toEqual([]);
    await registry.runSchedule();
    expect(aborted).toEqual([false, true]);
    expect(await discarded()).toEqual([]);
  });

  it("after the deletion, before it is forgotten, is made good by the next run", async () => {
    const location = await startUpload(freshRepository());
    await patch(location, streamOf(randomBytes(PART + 100_000)));
    await send("DELETE", location);
    const noted = await discarded();
    expect(noted.length).toBeGreaterThan(1);
    await env.BUCKET.delete(noted.map(({ object_key: key }) => key));
    await runSchedule();
    expect(await discarded()).toEqual([]);
  });

  it.each([
    ["before the database heard of it leaves the upload", false],
    ["after the database heard of it leaves the blob", true],
  ])("while an upload closes, %s", async (_name, isApplied) => {
    const repository = freshRepository();
    const bytes = randomBytes(100_000);
    const digest = await digestOf(bytes);
    const location = await startUpload(repository);
    await patch(location, bytes);
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const closing = await sendWith({ DB: failingFromSecondBatch(isApplied) }, "PUT", `${location}?digest=${digest}`);
    await expectError(closing, 500, "UNKNOWN");
    // Once for the request, and once for the session that could not be given back.
    expect(logged).toHaveBeenCalledTimes(2);
    logged.mockRestore();
    await rows("UPDATE upload_sessions SET writer_expires_at = 1 WHERE id = ?1", sessionId(location));
    await runSchedule();
    expect(await sessions(location)).toHaveLength(isApplied ? 0 : 1);
    if (!isApplied) await expectStatus(await finish(location, digest), 201);
    await runSchedule();
    await expectBlob(repository, digest, bytes);
  });
});

it("keeps what was just discarded: a transaction that was taken for lost may still come, and a reader be at it", async () => {
  await runSchedule();
  const location = await startUpload(freshRepository());
  await patch(location, randomBytes(100_000));
  await send("DELETE", location);
  const [noted] = await discarded();
  await worker.scheduled(createScheduledController(), env, createExecutionContext());
  expect(await env.BUCKET.head(noted!.object_key)).not.toBeNull();
  await runSchedule();
  expect(await env.BUCKET.head(noted!.object_key)).toBeNull();
});

it("takes a bounded number of sessions at a time, and all of them in the end", async () => {
  await runSchedule();
  const repository = freshRepository();
  await rows(
    `INSERT INTO upload_sessions (id, repository, algorithm, tail, expires_at)
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
     SELECT ?1 || i, ?1, 'sha256', '{"pieces":[],"inline":""}', i FROM n`,
    repository,
  );
  const left = async () => (await rows("SELECT id FROM upload_sessions WHERE repository = ?1", repository)).length;
  await runSchedule();
  expect(await left()).toBe(100);
  await runSchedule();
  expect(await left()).toBe(0);
});

it("takes a bounded number of objects at a time, and all of them in the end", async () => {
  await runSchedule();
  await rows(
    `INSERT INTO discarded_objects (object_key, discarded_at)
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) SELECT 'blobs/none-' || i, i FROM n`,
  );
  await runSchedule();
  expect(await discarded()).toHaveLength(500);
  await runSchedule();
  expect(await discarded()).toEqual([]);
});
