import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PART_SIZE_BYTES } from "../../src/oci/upload-session.ts";
import { WatchedRegistry } from "../support/counted-registry.ts";
import { digestOf, randomBytes } from "../support/images.ts";
import { expectError, expectStatus, freshRepository, runSchedule, send } from "../support/registry.ts";
import {
  expectBlob,
  finish,
  patch,
  rows,
  sessionId,
  startUpload,
  keysBeside,
  storedKeys,
  streamOf,
} from "../support/uploads.ts";
import type { BindingCall } from "../support/watched-bindings.ts";

beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));
afterEach(() => vi.restoreAllMocks());

const LARGE = randomBytes(2 * PART_SIZE_BYTES);

type Loss = (call: BindingCall) => boolean;

const isComplete: Loss = (call) => call.operation === "complete";
const isCommit: Loss = (call) =>
  call.binding === "DB" && call.statements.some(({ sql }) => sql.includes("INSERT INTO repository_blobs"));

/** A registry in which one call fails; if it is `done`, only its answer is lost. */
function losing(isLost: Loss, isDone: boolean): WatchedRegistry {
  return new WatchedRegistry(async (call, run) => {
    if (!isLost(call)) return await run();
    if (isDone) await run();
    throw new Error("the answer was lost");
  });
}

/** An upload that has these bytes. */
async function uploadWith(repository: string, bytes: Uint8Array): Promise<string> {
  const location = await startUpload(repository);
  await expectStatus(await patch(location, streamOf(bytes)), 202);
  return location;
}

async function multipartOf(location: string): Promise<R2MultipartUpload> {
  const sql = "SELECT multipart_key AS key, multipart_id AS id FROM upload_sessions WHERE id = ?1";
  const [row] = await rows<{ key: string; id: string }>(sql, sessionId(location));
  return env.BUCKET.resumeMultipartUpload(row!.key, row!.id);
}

describe("an upload whose parts were joined by a request that failed after that", () => {
  it.each<[string, number, Loss, boolean]>([
    ["whose answer from R2 was lost", 2 * PART_SIZE_BYTES, isComplete, true],
    ["whose answer from R2 was lost, with a tail", PART_SIZE_BYTES + 100_000, isComplete, true],
    ["whose commit failed", 2 * PART_SIZE_BYTES, isCommit, false],
    ["whose commit failed, with a tail", PART_SIZE_BYTES + 1_000, isCommit, false],
  ])("%s, is closed by the next one", async (_name, size, isLost, isDone) => {
    const repository = freshRepository();
    const bytes = randomBytes(size);
    const digest = await digestOf(bytes);
    const location = await uploadWith(repository, bytes);
    expect((await losing(isLost, isDone).send("PUT", `${location}?digest=${digest}`)).status).toBe(500);
    await expectStatus(await finish(location, digest), 201);
    await runSchedule();
    await expectBlob(repository, digest, bytes);
  });

  it("is closed by one that brings the same last bytes, and not by one that brings others", async () => {
    const repository = freshRepository();
    const [before, last] = [randomBytes(PART_SIZE_BYTES), randomBytes(1_000)];
    const digest = await digestOf(new Uint8Array([...before, ...last]));
    for (const [isSame, status] of [[true, 201] as const, [false, 400] as const]) {
      const location = await uploadWith(repository, before);
      const sent = { body: { bytes: last } };
      const lost = await losing(isComplete, true).send("PUT", `${location}?digest=${digest}`, sent);
      expect(lost.status).toBe(500);
      const body = isSame ? last : randomBytes(1_000);
      const wanted = isSame ? digest : await digestOf(new Uint8Array([...before, ...body]));
      await expectStatus(await finish(location, wanted, { body }), status);
      await expectError(await send("GET", location), 404, "BLOB_UPLOAD_UNKNOWN");
    }
  });
});

describe("an upload that R2 does not have any more", () => {
  it.each<[string, (location: string, bytes: Uint8Array) => Promise<Response>]>([
    ["a PATCH", async (location) => await patch(location, randomBytes(PART_SIZE_BYTES))],
    ["a PUT", async (location, bytes) => await finish(location, await digestOf(bytes))],
    ["a PUT of parts", async (location) => await finish(location, await digestOf("x"), { body: streamOf(LARGE) })],
  ])("ends with %s, and leaves nothing", async (_name, request) => {
    await runSchedule();
    const before = await storedKeys();
    const bytes = randomBytes(PART_SIZE_BYTES + 100_000);
    const location = await uploadWith(freshRepository(), bytes);
    await (await multipartOf(location)).abort();
    const error = await expectError(await request(location, bytes), 404, "BLOB_UPLOAD_UNKNOWN");
    expect(error.message).toContain("push the blob again");
    await expectError(await send("GET", location), 404, "BLOB_UPLOAD_UNKNOWN");
    await runSchedule();
    expect(await keysBeside(before)).toEqual([]);
  });
});

describe("an upload of which a part was overwritten by one that came late", () => {
  it.each([
    ["by as many bytes", PART_SIZE_BYTES],
    ["by more bytes", PART_SIZE_BYTES + 1],
  ])("%s, ends at its close, and leaves nothing", async (_name, size) => {
    await runSchedule();
    const before = await storedKeys();
    const repository = freshRepository();
    const bytes = randomBytes(PART_SIZE_BYTES + 100_000);
    const digest = await digestOf(bytes);
    const location = await uploadWith(repository, bytes);
    await (await multipartOf(location)).uploadPart(1, randomBytes(size));
    const error = await expectError(await finish(location, digest), 404, "BLOB_UPLOAD_UNKNOWN");
    expect(error.message).toContain("push the blob again");
    await expectError(await send("GET", location), 404, "BLOB_UPLOAD_UNKNOWN");
    await runSchedule();
    expect(await keysBeside(before)).toEqual([]);
    await expectStatus(await finish(await uploadWith(repository, bytes), digest), 201);
    await expectBlob(repository, digest, bytes);
  });
});
