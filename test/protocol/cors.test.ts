import { expect, it } from "vitest";
import { freshRepository, send, sendWith } from "../support/registry.ts";
import { pushBlob } from "../support/images.ts";

const ORIGINS = { CORS_ORIGINS: "https://one.example, https://two.example:8443" };
const ALLOW_ORIGIN = "Access-Control-Allow-Origin";
const from = (origin: string) => ({ headers: { Origin: origin } });

function corsHeaders(response: Response): string[] {
  return [...response.headers.keys()].filter((name) => name.startsWith("access-control-"));
}

it("says nothing of other origins by default", async () => {
  expect(corsHeaders(await send("GET", "/v2/", from("https://one.example")))).toEqual([]);
  const preflight = await send("OPTIONS", "/v2/", from("https://one.example"));
  expect(preflight.status).toBe(405);
  expect(corsHeaders(preflight)).toEqual([]);
});

it.each(["https://one.example", "https://two.example:8443"])("lets a page of %s read answers", async (origin) => {
  const response = await sendWith(ORIGINS, "GET", "/v2/", from(origin));
  expect(response.status).toBe(200);
  expect(response.headers.get(ALLOW_ORIGIN)).toBe(origin);
  expect(response.headers.get("Access-Control-Expose-Headers")).toContain("Docker-Content-Digest");
});

it("keeps pages of other origins out", async () => {
  for (const origin of ["https://three.example", "http://one.example", "https://one.example.evil.example", "null"]) {
    expect((await sendWith(ORIGINS, "GET", "/v2/", from(origin))).headers.get(ALLOW_ORIGIN), origin).toBeNull();
  }
});

it("lets pages of every origin in by *", async () => {
  const response = await sendWith({ CORS_ORIGINS: "*" }, "GET", "/v2/", from("https://any.example"));
  expect(response.headers.get(ALLOW_ORIGIN)).toBe("*");
});

it("answers a preflight without credentials", async () => {
  const response = await sendWith(ORIGINS, "OPTIONS", "/v2/a/manifests/b", {
    headers: {
      Authorization: "",
      Origin: "https://one.example",
      "Access-Control-Request-Method": "PUT",
      "Access-Control-Request-Headers": "authorization,content-type",
    },
  });
  expect(response.status).toBe(204);
  expect(response.headers.get(ALLOW_ORIGIN)).toBe("https://one.example");
  expect(response.headers.get("Access-Control-Allow-Methods")).toContain("PUT");
  expect(response.headers.get("Access-Control-Allow-Headers")?.toLowerCase()).toContain("authorization");
});

it("keeps the status of what it adds its headers to", async () => {
  const repository = freshRepository();
  const { digest } = await pushBlob(repository, "bytes of a page");
  const blob = `/v2/${repository}/blobs/${digest}`;
  const cases: [status: number, method: string, path: string, headers: Record<string, string>][] = [
    [200, "GET", blob, {}],
    [200, "HEAD", blob, {}],
    [206, "GET", blob, { Range: "bytes=0-1" }],
    [304, "GET", blob, { "If-None-Match": `"${digest}"` }],
    [416, "GET", blob, { Range: "bytes=99-" }],
    [401, "GET", blob, { Authorization: "" }],
    [404, "GET", "/v2/nowhere/tags/list", {}],
    [202, "POST", `/v2/${repository}/blobs/uploads/`, {}],
    [202, "DELETE", blob, {}],
  ];
  for (const [status, method, path, headers] of cases) {
    const sent = { headers: { Origin: "https://one.example", ...headers } };
    const response = await sendWith(ORIGINS, method, path, sent);
    expect([method, path, response.status, response.headers.get(ALLOW_ORIGIN)]).toEqual([
      ...[method, path, status, "https://one.example"],
    ]);
    expect(response.headers.get("Docker-Distribution-API-Version")).toBe("registry/2.0");
  }
});

it("tells caches that an answer depends on the origin", async () => {
  const response = await sendWith(ORIGINS, "GET", "/v2/", from("https://one.example"));
  expect(response.headers.get("Vary")).toMatch(/\borigin\b/i);
});
