import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { expectError, expectStatus, send, sendWith } from "../support/registry.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;
let logged: string[] = [];

beforeEach(() => {
  logged = [];
  vi.spyOn(console, "error").mockImplementation((line: string) => void logged.push(line));
});
afterEach(() => vi.restoreAllMocks());

it("answers errors in the spec's JSON, and HEAD without a body", async () => {
  const path = `/v2/nowhere/blobs/${DIGEST}`;
  const answered = await send("GET", path);
  const { detail } = await expectError(answered.clone(), 404, "NAME_UNKNOWN");
  expect(detail).toEqual({ digest: DIGEST });
  const head = await expectStatus(await send("HEAD", path), 404);
  expect(await head.text()).toBe("");
  // Without it, clients cannot tell that nothing more comes, and some close the connection.
  expect(head.headers.get("Content-Length")).toBe(String((await answered.text()).length));
  const manifest = await expectStatus(await send("HEAD", "/v2/nowhere/manifests/a"), 404);
  expect(await manifest.text()).toBe("");
  expect(logged).toEqual([]);
});

it("lets nobody sniff at what an error is", async () => {
  expect((await send("GET", "/v2/nowhere/tags/list")).headers.get("X-Content-Type-Options")).toBe("nosniff");
});

it("says nothing of a defect, and logs it", async () => {
  const DB = {
    prepare() {
      throw new Error("secret inside of the database");
    },
  };
  const response = await sendWith({ DB }, "GET", `/v2/a/blobs/${DIGEST}`);
  const text = await response.clone().text();
  await expectError(response, 500, "UNKNOWN");
  expect(text).not.toMatch(/secret|stack|\.ts|Error:/);
  expect(response.headers.get("Docker-Distribution-API-Version")).toBe("registry/2.0");
  expect(logged).toHaveLength(1);
  expect(JSON.parse(logged[0]!)).toMatchObject({ error: "secret inside of the database", method: "GET" });
  expect(logged[0]).not.toContain("Basic");
});

it.each([
  ["ADMIN_PASSWORD", undefined],
  ["ADMIN_PASSWORD", ""],
  ["ADMIN_PASSWORD", "1234567"],
  ["TOKEN_SECRET", undefined],
  ["TOKEN_SECRET", "too short to sign anything with"],
  ["SPARSE_MANIFESTS", "some"],
  ["CORS_ORIGINS", "example.org"],
  ["UPLOAD_TTL", "soon"],
  ["TOKEN_TTL", "30s"],
  ["CONTENT_CACHE_TTL", "60"],
  ["CONTENT_CACHE_TTL", "6m"],
  ["TAG_CACHE_TTL", "301s"],
  ["BLOB_CACHE", "true"],
  ["READ_REPLICAS", ""],
])("answers 503 and names the setting while %s is %j", async (name, value) => {
  for (const path of ["/v2/", "/token"]) {
    const response = await sendWith({ [name]: value }, "GET", path);
    const text = await response.clone().text();
    const { message } = await expectError(response, 503, "UNAVAILABLE");
    expect(message).toContain(name);
    for (const secret of [env.ADMIN_PASSWORD, env.TOKEN_SECRET]) expect(text).not.toContain(secret);
  }
  expect(logged.join("")).not.toContain(env.ADMIN_PASSWORD);
});

it("tells how to set a secret that is missing", async () => {
  const response = await sendWith({ ADMIN_PASSWORD: undefined }, "GET", "/v2/");
  const { message } = await expectError(response, 503, "UNAVAILABLE");
  expect(message).toContain("wrangler secret put ADMIN_PASSWORD");
});

it("does without the settings that have a default", async () => {
  const none = { SPARSE_MANIFESTS: undefined, CORS_ORIGINS: undefined, UPLOAD_TTL: undefined, TOKEN_TTL: undefined };
  expect((await sendWith(none, "GET", "/v2/")).status).toBe(200);
});
