import { expect, it } from "vitest";
import { pushBlob } from "../support/images.ts";
import { expectError, freshRepository, send, sendAnonymously } from "../support/registry.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;

it.each([
  ["POST", "/v2/", "GET, HEAD"],
  ["DELETE", "/v2/_catalog", "GET"],
  ["DELETE", "/v2/a/tags/list", "GET"],
  ["PUT", `/v2/a/referrers/${DIGEST}`, "GET"],
  ["GET", "/v2/a/blobs/uploads/", "POST"],
  ["POST", "/v2/a/blobs/uploads/x", "GET, PATCH, PUT, DELETE"],
  ["PUT", `/v2/a/blobs/${DIGEST}`, "GET, HEAD, DELETE"],
  ["POST", "/v2/a/manifests/latest", "GET, HEAD, PUT, DELETE"],
  ["OPTIONS", "/v2/a/manifests/latest", "GET, HEAD, PUT, DELETE"],
])("answers %s %s with what is allowed there", async (method, path, allowed) => {
  const response = await send(method, path);
  expect(response.headers.get("Allow")).toBe(allowed);
  await expectError(response, 405, "UNSUPPORTED");
});

it.each(["/v1/", "/v2/a", "/v2/a/b/c", "/v2/a/tags", "/v2/a/manifests/", "/v2/a/blobs/"])(
  "knows no endpoint %s",
  async (path) => {
    await expectError(await send("GET", path), 404, "NOT_FOUND");
    expect((await sendAnonymously("GET", path)).status).toBe(404);
  },
);

const INVALID = [
  ...["A", "Library/nginx", "a..b", ".a", "a.", "a__-b", "a//b", "-a", "a_", "a:b", "a@b", "a%2fb", "a%2Fb"],
  ...["%61", "a%20b", "é", "名前/a", "a%00b", "_a", "a".repeat(256), `${"a/".repeat(128)}a`],
];
it.each(INVALID)("refuses the repository name %j everywhere", async (name) => {
  const paths: [string, string][] = [
    ["GET", `/v2/${name}/tags/list`],
    ["GET", `/v2/${name}/manifests/latest`],
    ["PUT", `/v2/${name}/manifests/latest`],
    ["GET", `/v2/${name}/blobs/${DIGEST}`],
    ["POST", `/v2/${name}/blobs/uploads/`],
    ["PATCH", `/v2/${name}/blobs/uploads/x`],
    ["GET", `/v2/${name}/referrers/${DIGEST}`],
  ];
  for (const [method, path] of paths) await expectError(await send(method, path), 400, "NAME_INVALID");
});

it("lets no name climb out of its place", async () => {
  for (const path of ["/v2/../v2/climber/tags/list", "/v2/x/../climber/tags/list", "/v2/x/%2e%2e/climber/tags/list"]) {
    const { detail } = await expectError(await send("GET", path), 404, "NAME_UNKNOWN");
    expect(detail).toEqual({ name: "climber" });
  }
});

it.each(["", "/"])("does not take an empty name for one: /v2/%s/tags/list", async (name) => {
  const { status } = await send("GET", `/v2/${name}/tags/list`);
  expect([400, 404]).toContain(status);
});

it("finds names that contain the words of other routes", async () => {
  const names = ["blobs", "a/blobs/uploads", "manifests/tags", "tags/list", "referrers/a/manifests", "uploads"];
  for (const name of names) {
    const response = await send("POST", `/v2/${name}/blobs/uploads/`);
    expect(response.headers.get("Location")).toContain(`/v2/${name}/blobs/uploads/`);
    const { detail } = await expectError(await send("GET", `/v2/${name}/tags/list`), 404, "NAME_UNKNOWN");
    expect(detail).toEqual({ name });
  }
});

it.each([
  ["GET", "/v2/nowhere/tags/list"],
  ["GET", "/v2/nowhere/manifests/latest"],
  ["GET", `/v2/nowhere/manifests/${DIGEST}`],
  ["DELETE", "/v2/nowhere/manifests/latest"],
  ["DELETE", `/v2/nowhere/manifests/${DIGEST}`],
  ["GET", `/v2/nowhere/blobs/${DIGEST}`],
  ["DELETE", `/v2/nowhere/blobs/${DIGEST}`],
])("says that a repository is unknown: %s %s", async (method, path) => {
  await expectError(await send(method, path), 404, "NAME_UNKNOWN");
});

it.each([
  ["GET", "/v2/a/blobs/sha256:xyz", "DIGEST_INVALID"],
  ["GET", `/v2/a/blobs/md5:${"0".repeat(32)}`, "DIGEST_INVALID"],
  ["GET", "/v2/a/blobs/latest", "DIGEST_INVALID"],
  ["GET", "/v2/a/referrers/latest", "DIGEST_INVALID"],
  ["GET", "/v2/a/manifests/sha256:xyz", "DIGEST_INVALID"],
  ["PUT", "/v2/a/manifests/.hidden", "TAG_INVALID"],
])("refuses %s %s", async (method, path, code) => {
  await expectError(await send(method, path), 400, code);
});

it("does not find what no tag can be", async () => {
  const repository = freshRepository();
  await pushBlob(repository, "x");
  for (const reference of ["a".repeat(129), ".hidden", "a+b"]) {
    await expectError(await send("GET", `/v2/${repository}/manifests/${reference}`), 404, "MANIFEST_UNKNOWN");
  }
});

it("says of broken percent escapes that they lead nowhere", async () => {
  await expectError(await send("GET", "/v2/a/manifests/%zz"), 404, "NOT_FOUND");
});
