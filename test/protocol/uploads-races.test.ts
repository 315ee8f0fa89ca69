import { describe, expect, it } from "vitest";
import { emptyStorage } from "../support/empty-storage.ts";
import { digestOf, randomBytes } from "../support/images.ts";
import { expectError, expectStatus, freshRepository, runSchedule, send } from "../support/registry.ts";
import {
  contentRange,
  expectBlob,
  finish,
  handFedBody,
  patch,
  received,
  rows,
  sessionId,
  startUpload,
  storedKeys,
  untilHeld,
} from "../support/uploads.ts";

const PART = 6 * 1024 * 1024;

describe("two writers", () => {
  it("on one session: one wins, and the other learns where the upload stands", async () => {
    const repository = freshRepository();
    const location = await startUpload(repository);
    await patch(location, "12345");
    const first = handFedBody();
    const winner = patch(location, first.body);
    await first.write(new TextEncoder().encode("678"));
    await untilHeld(location);
    const loser = await patch(location, "abc");
    expect(loser.headers.get("Location")).toBe(location);
    expect(loser.headers.get("Range")).toBe("0-4");
    await expectError(loser, 416, "RANGE_INVALID");
    await first.close();
    expect((await expectStatus(await winner, 202)).headers.get("Range")).toBe("0-7");
    await expectStatus(await finish(location, await digestOf("12345678")), 201);
  });

  it("at the same moment: exactly one of many wins", async () => {
    const location = await startUpload(freshRepository());
    const range = contentRange(0, 3);
    const responses = await Promise.all(
      ["abc", "def", "ghi", "jkl"].map(async (body) => await patch(location, body, range)),
    );
    expect(responses.map(({ status }) => status).sort()).toEqual([202, 416, 416, 416]);
    expect(await received(location)).toBe(3);
  });

  it("a PUT during a PATCH is refused, and the upload goes on", async () => {
    const location = await startUpload(freshRepository());
    const first = handFedBody();
    const patching = patch(location, first.body);
    await first.write(new TextEncoder().encode("12345"));
    await untilHeld(location);
    const digest = await digestOf("12345");
    await expectError(await finish(location, digest), 416, "RANGE_INVALID");
    await first.close();
    await expectStatus(await patching, 202);
    await expectStatus(await finish(location, digest), 201);
  });

  it("the status during a PATCH is that before it", async () => {
    const location = await startUpload(freshRepository());
    await patch(location, "12345");
    const body = handFedBody();
    const patching = patch(location, body.body);
    await body.write(new TextEncoder().encode("678"));
    await untilHeld(location);
    expect(await received(location)).toBe(5);
    await body.close();
    await patching;
    expect(await received(location)).toBe(8);
  });
});

describe("cancelled during a PATCH, an upload", () => {
  it.each([1_000, 700_000, PART + 100_000])("of %i bytes keeps nothing", async (size) => {
    await emptyStorage();
    const location = await startUpload(freshRepository());
    const body = handFedBody();
    const patching = patch(location, body.body);
    await body.write(randomBytes(size));
    await untilHeld(location);
    await expectStatus(await send("DELETE", location), 204);
    await body.close();
    await expectError(await patching, 404, "BLOB_UPLOAD_UNKNOWN");
    await expectError(await send("GET", location), 404, "BLOB_UPLOAD_UNKNOWN");
    await runSchedule();
    expect(await storedKeys()).toEqual([]);
  });
});

it("cancelled during a PUT, an upload is unknown, and there is no blob", async () => {
  const repository = freshRepository();
  const location = await startUpload(repository);
  const last = handFedBody();
  const digest = await digestOf("12345");
  const finishing = finish(location, digest, { body: last.body });
  await last.write(new TextEncoder().encode("12345"));
  await untilHeld(location);
  await expectStatus(await send("DELETE", location), 204);
  await last.close();
  await expectError(await finishing, 404, "BLOB_UPLOAD_UNKNOWN");
  expect((await send("HEAD", `/v2/${repository}/blobs/${digest}`)).status).toBe(404);
});

describe("a request that loses its hold to another", () => {
  const takeOver = async (location: string) =>
    await rows(
      "UPDATE upload_sessions SET writer = 'another', writer_expires_at = 9e15 WHERE id = ?1",
      sessionId(location),
    );
  const letGo = async (location: string) =>
    await rows("UPDATE upload_sessions SET writer = NULL, writer_expires_at = NULL WHERE id = ?1", sessionId(location));

  it("as a PATCH takes nothing that the session still holds", async () => {
    const repository = freshRepository();
    const bytes = randomBytes(100_000);
    const location = await startUpload(repository);
    await patch(location, bytes);
    const late = handFedBody();
    const patching = patch(location, late.body);
    await late.write(randomBytes(PART));
    await untilHeld(location);
    await takeOver(location);
    await late.close();
    await expectError(await patching, 416, "RANGE_INVALID");
    await letGo(location);
    await runSchedule();
    const digest = await digestOf(bytes);
    await expectStatus(await finish(location, digest), 201);
    await expectBlob(repository, digest, bytes);
  });

  it.each([
    ["with a last piece", new Uint8Array([1, 2, 3])],
    ["of no bytes", new Uint8Array(0)],
  ])("as a PUT %s takes nothing that the session still holds", async (_name, piece) => {
    const repository = freshRepository();
    const bytes = randomBytes(100_000);
    const location = await startUpload(repository);
    await patch(location, bytes);
    const late = handFedBody();
    const finishing = finish(location, await digestOf(new Uint8Array([...bytes, ...piece])), { body: late.body });
    await untilHeld(location);
    await takeOver(location);
    if (piece.byteLength > 0) await late.write(piece);
    await late.close();
    await expectError(await finishing, 416, "RANGE_INVALID");
    await letGo(location);
    await runSchedule();
    const digest = await digestOf(bytes);
    await expectStatus(await finish(location, digest), 201);
    await expectBlob(repository, digest, bytes);
  });
});

it("a hold of a request that died ends by itself", async () => {
  const location = await startUpload(freshRepository());
  const hold = async (until: number) =>
    await rows(
      "UPDATE upload_sessions SET writer = 'dead', writer_expires_at = ?2 WHERE id = ?1",
      sessionId(location),
      until,
    );
  await hold(Date.now() + 60_000);
  await expectError(await patch(location, "12345"), 416, "RANGE_INVALID");
  await hold(Date.now() - 1);
  await expectStatus(await patch(location, "12345"), 202);
});
