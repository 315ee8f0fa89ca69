import { describe, expect, it } from "vitest";
import { type Algorithm, digestOf } from "../support/images.ts";
import { expectError, expectStatus, freshRepository, send } from "../support/registry.ts";
import { type Push, pushInPieces, repeat } from "../support/pieces.ts";
import { contentRange, finish, patch, received, startUpload, streamOf } from "../support/uploads.ts";

describe.each<Algorithm>(["sha256", "sha512"])("by %s", (algorithm) => {
  it.each<[string, number[], Push]>([
    ["nothing but a PUT", [], {}],
    ["all in the PUT", [1_000], { lastInPut: true }],
    ["all in the PUT, of unknown length", [100_000], { lastInPut: true, streamed: true }],
    ["all in the PUT, with Content-Range", [1_000], { lastInPut: true, ranged: true }],
    ["one PATCH", [50_000], {}],
    ["one PATCH that goes to the bucket in one put", [200_000], {}],
    ["one PATCH of unknown length", [200_000], { streamed: true }],
    ["one PATCH of an inline tail", [1_000], { streamed: true }],
    ["one PATCH of no bytes", [0], {}],
    ["one PATCH of unknown length and no bytes", [0], { streamed: true }],
    ["two PATCHes", [70_000, 3], {}],
    ["two PATCHes of unknown length", [70_000, 3], { streamed: true }],
    ["PATCHes of one byte", repeat(12, 1), {}],
    ["PATCHes of one byte, with Content-Range", repeat(12, 1), { ranged: true }],
    ["PATCHes of 100 KB", repeat(4, 100_000), {}],
    ["PATCHes of 100 KB, with Content-Range", repeat(4, 100_000), { ranged: true }],
    ["a last piece in the PUT", [70_000, 5_000], { lastInPut: true }],
    ["a last piece in the PUT, with Content-Range", [70_000, 5_000], { lastInPut: true, ranged: true }],
    ["a last piece in the PUT, of unknown length", [70_000, 5_000], { lastInPut: true, streamed: true }],
    ["pieces that pass the inline limit", [60_000, 60_000, 60_000, 1], {}],
  ])("keeps %s", async (_name, sizes, push) => {
    await pushInPieces(sizes, { ...push, algorithm });
  });
});

it.each<[string, number[], Push]>([
  ["in one PATCH", [70_000], { streamed: true }],
  ["in PATCHes with Content-Range", [70_000, 5], { ranged: true }],
  ["in the PUT", [5], { lastInPut: true }],
])("keeps a blob by sha512 that was announced, %s", async (_name, sizes, push) => {
  await pushInPieces(sizes, { ...push, algorithm: "sha512", hint: true });
});

it("tells where an upload stands", async () => {
  const location = await startUpload(freshRepository());
  expect(await received(location)).toBe(0);
  await patch(location, "12345");
  expect(await received(location)).toBe(5);
  const response = await send("GET", location);
  expect(response.headers.get("Docker-Upload-UUID")).toBe(location.split("/").at(-1));
  expect(await response.text()).toBe("");
});

it("goes on after a query that a client adds to the Location", async () => {
  const location = await startUpload(freshRepository());
  await expectStatus(await patch(`${location}?ns=docker.io&_state=x`, "12345"), 202);
  await expectStatus(await send("PUT", `${location}?_state=x&digest=${await digestOf("12345")}`), 201);
});

describe("a chunk out of order", () => {
  it.each([
    ["before", 0],
    ["after", 9],
  ])("that starts %s where the upload stands is refused, and the upload goes on", async (_name, offset) => {
    const repository = freshRepository();
    const location = await startUpload(repository);
    await patch(location, "12345", contentRange(0, 5));
    const refused = await patch(location, "abc", contentRange(offset, 3));
    expect(refused.headers.get("Location")).toBe(location);
    expect(refused.headers.get("Range")).toBe("0-4");
    await expectError(refused, 416, "RANGE_INVALID");
    const digest = await digestOf("12345678");
    const early = await finish(location, digest, { body: "678", headers: contentRange(offset, 3) });
    expect(early.headers.get("Range")).toBe("0-4");
    await expectError(early, 416, "RANGE_INVALID");
    expect(await received(location)).toBe(5);
    await expectStatus(await patch(location, "678", contentRange(5, 3)), 202);
    await expectStatus(await finish(location, digest), 201);
  });

  it("as the first is refused", async () => {
    const location = await startUpload(freshRepository());
    await expectError(await patch(location, "abc", contentRange(5, 3)), 416, "RANGE_INVALID");
    await expectStatus(await patch(location, "abc", contentRange(0, 3)), 202);
  });
});

describe("a Content-Range", () => {
  it.each(["5", "bytes", "3-1", "a-b", "0-"])("of %j is refused as malformed", async (range) => {
    const location = await startUpload(freshRepository());
    await expectError(await patch(location, "abc", { "Content-Range": range }), 416, "RANGE_INVALID");
    expect(await received(location)).toBe(0);
  });

  it("in RFC 9110's form is understood", async () => {
    const location = await startUpload(freshRepository());
    await expectStatus(await patch(location, "abc", { "Content-Range": "bytes 0-2/5" }), 202);
    await expectStatus(await patch(location, "de", { "Content-Range": "bytes 3-4/*" }), 202);
    await expectStatus(await finish(location, await digestOf("abcde")), 201);
  });

  it.each([
    ["longer", 9],
    ["shorter", 2],
  ])("that is %s than the body is refused, and nothing kept", async (_name, length) => {
    const location = await startUpload(freshRepository());
    await patch(location, "12345");
    const headers = contentRange(5, length);
    await expectError(await patch(location, "abc", headers), 400, "SIZE_INVALID");
    const streamed = streamOf(new TextEncoder().encode("abc"));
    await expectError(await patch(location, streamed, headers), 400, "SIZE_INVALID");
    expect(await received(location)).toBe(5);
    await expectStatus(await finish(location, await digestOf("12345")), 201);
  });
});
