import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { absent, digestOf, randomBytes } from "../support/images.ts";
import { expectError, expectStatus, freshRepository, runSchedule, send, sendWith } from "../support/registry.ts";
import {
  brokenStream,
  contentRange,
  expectBlob,
  finish,
  patch,
  patchBroken,
  received,
  startUpload,
  keysBeside,
  storedKeys,
} from "../support/uploads.ts";

const PART = 6 * 1024 * 1024;

beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));
afterEach(() => vi.restoreAllMocks());

describe("a body that breaks off", () => {
  it.each<[string, number, number, (size: number) => Record<string, string>]>([
    ["before its first byte", 0, 0, () => ({})],
    ["early", 0, 100, () => ({})],
    ["late", 0, 700_000, () => ({})],
    ["after a part", 0, PART + 400_000, () => ({})],
    ["after others", 90_000, 700_000, () => ({})],
    ["with Content-Range", 90_000, 700_000, (size) => contentRange(90_000, size * 2)],
    ["of known length, in one put", 0, 700_000, (size) => ({ "Content-Length": String(size * 2) })],
    ["of known length, in parts", 90_000, 700_000, (size) => ({ "Content-Length": String(size * 2) })],
  ])(
    "%s leaves an upload that goes on",
    async (_name, before, size, headersFor) => {
      const repository = freshRepository();
      const bytes = randomBytes(before + size + 300_000);
      const digest = await digestOf(bytes);
      const location = await startUpload(repository);
      if (before > 0) await expectStatus(await patch(location, bytes.slice(0, before), contentRange(0, before)), 202);
      const body = brokenStream(bytes.slice(before, before + size));
      await expectError(await patchBroken(location, body, headersFor(size)), 400, "BLOB_UPLOAD_INVALID");
      const kept = await received(location);
      expect(kept).toBeGreaterThanOrEqual(before);
      expect(kept).toBeLessThanOrEqual(before + size);
      const rest = bytes.slice(kept);
      await expectStatus(await patch(location, rest, contentRange(kept, rest.byteLength)), 202);
      await expectStatus(await finish(location, digest), 201);
      await expectBlob(repository, digest, bytes);
    },
    30_000,
  );

  it("loses little of what came before", async () => {
    const location = await startUpload(freshRepository());
    await patchBroken(location, brokenStream(randomBytes(3_000_000)));
    expect(await received(location)).toBeGreaterThan(3_000_000 - 512 * 1024);
  });

  it("may break off again and again", async () => {
    const repository = freshRepository();
    const bytes = randomBytes(2_000_000);
    const location = await startUpload(repository);
    let kept = 0;
    for (let attempt = 0; attempt < 3; attempt++) {
      await patchBroken(location, brokenStream(bytes.slice(kept, kept + 500_000)));
      kept = await received(location);
    }
    expect(kept).toBeGreaterThan(0);
    const digest = await digestOf(bytes);
    await expectStatus(await finish(location, digest, { body: bytes.slice(kept) }), 201);
    await expectBlob(repository, digest, bytes);
  });

  it.each([
    ["of unknown length", {}],
    ["with Content-Range", contentRange(5, 900_000)],
  ])("in the PUT, %s, leaves an upload that goes on", async (_name, headers) => {
    const repository = freshRepository();
    const bytes = randomBytes(700_000);
    const digest = await digestOf(bytes);
    const location = await startUpload(repository);
    await patch(location, bytes.slice(0, 5), contentRange(0, 5));
    const body = brokenStream(bytes.slice(5, 600_000));
    const response = await sendWith({}, "PUT", `${location}?digest=${digest}`, { body, headers });
    await expectError(response, 400, "BLOB_UPLOAD_INVALID");
    const kept = await received(location);
    await expectStatus(await finish(location, digest, { body: bytes.slice(kept) }), 201);
    await expectBlob(repository, digest, bytes);
  });

  it("leaves no object that nothing needs", async () => {
    await runSchedule();
    const before = await storedKeys();
    const location = await startUpload(freshRepository());
    await patchBroken(location, brokenStream(randomBytes(700_000)), { "Content-Length": "1400000" });
    await patchBroken(location, brokenStream(randomBytes(700_000)));
    await send("DELETE", location);
    await runSchedule();
    expect(await keysBeside(before)).toEqual([]);
  });
});

it("a bucket that fails leaves the upload as it was", async () => {
  const location = await startUpload(freshRepository());
  await patch(location, "12345");
  const BUCKET = new Proxy(env.BUCKET, {
    get: (bucket, name) => {
      if (name !== "put" && name !== "createMultipartUpload") return Reflect.get(bucket, name) as unknown;
      return async () => await Promise.reject(new Error("the bucket is down"));
    },
  });
  const body = randomBytes(300_000);
  await expectError(await sendWith({ BUCKET }, "PATCH", location, { body }), 500, "UNKNOWN");
  expect(await received(location)).toBe(5);
  const { digest } = await absent();
  await expectError(await sendWith({ BUCKET }, "PUT", `${location}?digest=${digest}`, { body }), 500, "UNKNOWN");
  await expectStatus(await finish(location, await digestOf("12345")), 201);
});
