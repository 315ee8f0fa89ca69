import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { pushBlob } from "../support/images.ts";
import { expectError, expectStatus, freshRepository, send, sendAnonymously, sendWith } from "../support/registry.ts";

const BROWSER = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate" };
const open = async (path: string, method = "GET", headers: Readonly<Record<string, string>> = BROWSER) =>
  await sendAnonymously(method, path, { headers });

/** The page as it came, which must be one. */
async function readPage(response: Response): Promise<string> {
  await expectStatus(response, 200);
  expect(response.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
  return await response.text();
}

const PAGES = [
  ...["/", "/login", "/operate", "/operate/retention", "/r/app", "/r/team/web.app", "/r/team/app/t/v1.0"],
  ...[`/r/team/app/m/sha256:${"0".repeat(64)}`, "/r/team/app/compare/a/b", "/?q=x", "/r/v2/tags/list", "/nowhere"],
];

describe.each(PAGES)("%s", (path) => {
  it("is the page, which loads nothing from elsewhere and is asked for again each time", async () => {
    const response = await open(path);
    const policy = response.headers.get("Content-Security-Policy") ?? "";
    for (const part of ["default-src 'none'", "script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"]) {
      expect(policy).toContain(part);
    }
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(response.headers.get("Cache-Control")).toContain("max-age=0");
    expect(await readPage(response)).toBe(await readPage(await open("/")));
  });

  it("is that to HEAD, and to who has it already", async () => {
    const head = await expectStatus(await open(path, "HEAD"), 200);
    expect(head.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
    expect(await head.text()).toBe("");
    const etag = head.headers.get("ETag")!;
    await expectStatus(await open(path, "GET", { ...BROWSER, "If-None-Match": etag }), 304);
  });

  it.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])("is nothing to %s", async (method) => {
    await expectError(await open(path, method), 404, "NOT_FOUND");
  });
});

it("the files that the page names are kept for ever", async () => {
  const page = await readPage(await open("/"));
  const names = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, name]) => name!);
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) {
    const response = await expectStatus(await open(name, "GET", {}), 200);
    expect(response.headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
    expect(response.headers.get("Content-Type")).toMatch(/^text\/(?:javascript|css)\b/);
  }
});

it("a file that is missing is not the page, and nothing to keep", async () => {
  const response = await open("/assets/main-00000000.js");
  expect(response.headers.get("Cache-Control")).toBe("private, no-cache");
  await expectError(response, 404, "NOT_FOUND");
});

it.each([
  ...["/v2/a", "/v2/a/tags", "/v2/assets/x.js", "/v1", "/v1/repositories", "/api", "/api/", "/api/nowhere"],
  ...[
    "/api/session/x",
    "/token/x",
    "/archive",
    "/mirror/deamon.json",
    "/healthz",
    "/readyz",
    "/metrics",
    "/.well-known/security.txt",
    "/.env",
  ],
])("%s is never the page, not to a browser either", async (path) => {
  for (const headers of [BROWSER, {}]) await expectError(await open(path, "GET", headers), 404, "NOT_FOUND");
  expect((await open(path, "HEAD")).headers.get("Content-Type")).toBe("application/json");
});

it("what asks for credentials asks a browser in the same way", async () => {
  for (const path of ["/v2", "/v2/", "/v2/_catalog", "/v2/a/tags/list", "/api/caller"]) {
    await expectError(await open(path), 401, "UNAUTHORIZED");
  }
});

it.each<[string, object]>([
  ["files", { ASSETS: undefined }],
  ["a page among its files", { ASSETS: { fetch: () => Promise.resolve(new Response(null, { status: 404 })) } }],
])("a registry without %s has no page", async (_what, settings) => {
  await expectError(await sendWith({ ...settings }, "GET", "/", { headers: BROWSER }), 404, "NOT_FOUND");
  await expectError(await sendWith({ ...settings }, "GET", "/r/app", { headers: BROWSER }), 404, "NOT_FOUND");
});

it("is the page where other origins may call the registry, too", async () => {
  const response = await sendWith({ CORS_ORIGINS: "*" }, "GET", "/r/app", { headers: BROWSER });
  expect(await readPage(response)).toBe(await readPage(await open("/")));
});

it("is all that there is outside of the API, however a path came there", async () => {
  const repository = freshRepository();
  const { digest } = await pushBlob(repository, "bytes of a blob");
  const row = env.DB.prepare("SELECT object_key AS key FROM blobs WHERE digest = ?1").bind(digest);
  const key = (await row.first<string>("key"))!;
  const page = await readPage(await open("/"));
  for (const path of [`/${key}`, `/v2/%2e%2e/${repository}/tags/list`, `/%76%32/${repository}/blobs/${digest}`]) {
    expect(await readPage(await send("GET", path, { headers: BROWSER })), path).toBe(page);
  }
});
