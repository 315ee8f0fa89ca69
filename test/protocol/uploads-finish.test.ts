import { describe, expect, it } from "vitest";
import { absent, type Algorithm, digestOf, randomBytes } from "../support/images.ts";
import { expectError, expectStatus, freshRepository, runSchedule, send } from "../support/registry.ts";
import {
  contentRange,
  expectBlob,
  expire,
  finish,
  patch,
  received,
  rows,
  sessionId,
  startUpload,
  keysBeside,
  storedKeys,
  streamOf,
} from "../support/uploads.ts";

const LARGE = 6 * 1024 * 1024 + 3;

describe.each<Algorithm>(["sha256", "sha512"])("bytes that do not have their digest by %s", (algorithm) => {
  it.each<[string, (location: string, digest: string) => Promise<Response>]>([
    ["in the PUT", async (location, digest) => await finish(location, digest, { body: "12345" })],
    [
      "in the PUT, of unknown length",
      async (location, digest) => await finish(location, digest, { body: streamOf(randomBytes(80_000)) }),
    ],
    ["none at all", async (location, digest) => await finish(location, digest)],
    [
      "in a row",
      async (location, digest) => {
        await patch(location, "12345");
        return await finish(location, digest);
      },
    ],
    [
      "in an object",
      async (location, digest) => {
        await patch(location, randomBytes(200_000));
        return await finish(location, digest);
      },
    ],
    [
      "in several objects",
      async (location, digest) => {
        for (const offset of [0, 1, 2])
          await patch(location, randomBytes(80_000), contentRange(offset * 80_000, 80_000));
        return await finish(location, digest, { body: "12345" });
      },
    ],
    [
      "in parts",
      async (location, digest) => {
        await patch(location, streamOf(randomBytes(LARGE)));
        return await finish(location, digest);
      },
    ],
    [
      "in parts, of which the last come with the PUT",
      async (location, digest) => {
        await patch(location, randomBytes(1_000));
        return await finish(location, digest, { body: randomBytes(LARGE) });
      },
    ],
  ])("%s are refused, with nothing kept", async (_name, push) => {
    await runSchedule();
    const before = await storedKeys();
    const repository = freshRepository();
    const { digest } = algorithm === "sha256" ? await absent() : { digest: await digestOf(randomBytes(9), algorithm) };
    const location = await startUpload(repository);
    await expectError(await push(location, digest), 400, "DIGEST_INVALID");
    await expectError(await send("GET", location), 404, "BLOB_UPLOAD_UNKNOWN");
    await expectError(await send("GET", `/v2/${repository}/blobs/${digest}`), 404, "NAME_UNKNOWN");
    const id = sessionId(location);
    expect(await rows("SELECT id FROM upload_sessions WHERE id = ?1", id)).toEqual([]);
    expect(await rows("SELECT number FROM upload_parts WHERE session_id = ?1", id)).toEqual([]);
    expect(await rows("SELECT digest FROM blobs WHERE digest = ?1", digest)).toEqual([]);
    await runSchedule();
    expect(await keysBeside(before)).toEqual([]);
    expect(await rows("SELECT object_key FROM discarded_objects")).toEqual([]);
  });
});

it.each([
  ["no digest", "", "DIGEST_INVALID"],
  ["a malformed digest", "?digest=sha256:0", "DIGEST_INVALID"],
  ["an unknown algorithm", `?digest=md5:${"0".repeat(32)}`, "DIGEST_INVALID"],
])("refuses a PUT with %s, and the upload goes on", async (_name, query, code) => {
  const location = await startUpload(freshRepository());
  await patch(location, "12345");
  await expectError(await send("PUT", `${location}${query}`), 400, code);
  expect(await received(location)).toBe(5);
  await expectStatus(await finish(location, await digestOf("12345")), 201);
});

it("finishes an upload of what is known already, and stores it once", async () => {
  const bytes = randomBytes(200_000);
  const digest = await digestOf(bytes);
  await expectStatus(await finish(await startUpload(freshRepository()), digest, { body: bytes }), 201);
  await runSchedule();
  const before = await storedKeys();
  const repository = freshRepository();
  for (const body of [bytes, streamOf(bytes)]) {
    const location = await startUpload(repository);
    await patch(location, body);
    await expectStatus(await finish(location, digest), 201);
  }
  await runSchedule();
  expect(await keysBeside(before)).toEqual([]);
  await expectBlob(repository, digest, bytes);
});

it("leaves nothing but the blob behind", async () => {
  await runSchedule();
  const before = await storedKeys();
  const repository = freshRepository();
  const bytes = randomBytes(300_000);
  const location = await startUpload(repository);
  for (let offset = 0; offset < 300_000; offset += 100_000)
    await patch(location, bytes.slice(offset, offset + 100_000));
  await expectStatus(await finish(location, await digestOf(bytes)), 201);
  await runSchedule();
  expect(await keysBeside(before)).toHaveLength(1);
  expect(await rows("SELECT id FROM upload_sessions WHERE id = ?1", sessionId(location))).toEqual([]);
});

/** Every request that an open session takes. */
const REQUESTS: [method: string, query: string][] = [
  ["GET", ""],
  ["PATCH", ""],
  ["PUT", `?digest=sha256:${"0".repeat(64)}`],
  ["DELETE", ""],
];

describe.each(REQUESTS)("%s", (method, query) => {
  const body = method === "PATCH" || method === "PUT" ? "12345" : null;
  const sendTo = async (location: string) => await send(method, `${location}${query}`, { body });

  it("does not know a session that never was", async () => {
    const path = `/v2/${freshRepository()}/blobs/uploads/${crypto.randomUUID()}`;
    await expectError(await sendTo(path), 404, "BLOB_UPLOAD_UNKNOWN");
  });

  it("does not know a session of another repository", async () => {
    const location = await startUpload(freshRepository());
    const elsewhere = `/v2/${freshRepository()}/blobs/uploads/${sessionId(location)}`;
    await expectError(await sendTo(elsewhere), 404, "BLOB_UPLOAD_UNKNOWN");
    expect(await received(location)).toBe(0);
  });

  it("does not know a session that is finished, cancelled or expired", async () => {
    const [finished, cancelled, expired] = await Promise.all(
      [1, 2, 3].map(async () => await startUpload(freshRepository())),
    );
    await expectStatus(await finish(finished!, await digestOf("x"), { body: "x" }), 201);
    await expectStatus(await send("DELETE", cancelled!), 204);
    await expire(expired!);
    for (const location of [finished!, cancelled!, expired!]) {
      await expectError(await sendTo(location), 404, "BLOB_UPLOAD_UNKNOWN");
    }
  });
});

it("lives on with each request", async () => {
  const location = await startUpload(freshRepository());
  const expiry = async () =>
    (
      await rows<{ expires_at: number }>("SELECT expires_at FROM upload_sessions WHERE id = ?1", sessionId(location))
    )[0]!.expires_at;
  const dayMs = 24 * 3_600_000;
  expect(Math.abs((await expiry()) - Date.now() - dayMs)).toBeLessThan(60_000);
  const first = await expiry();
  await new Promise((resolve) => setTimeout(resolve, 5));
  await patch(location, "12345");
  expect(await expiry()).toBeGreaterThan(first);
});

it("cancels an upload with all that it holds", async () => {
  await runSchedule();
  const before = await storedKeys();
  const location = await startUpload(freshRepository());
  await patch(location, streamOf(randomBytes(LARGE)));
  await patch(location, randomBytes(100_000));
  const response = await expectStatus(await send("DELETE", location), 204);
  expect(await response.text()).toBe("");
  await runSchedule();
  expect(await keysBeside(before)).toEqual([]);
  expect(await rows("SELECT number FROM upload_parts WHERE session_id = ?1", sessionId(location))).toEqual([]);
});
