import { afterEach, describe, expect, it, vi } from "vitest";
import { digestOf, image, OCI_CONFIG, pushBlob, pushImage, pushManifest, randomBytes } from "../support/images.ts";
import { errorOf, passTime, publicRepository, TestUpstream } from "../support/upstream.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const MINUTE = 60_000;

describe("an upstream that is out of order", () => {
  it.each<[string, () => Response | Promise<Response>]>([
    ["limits us", () => new Response(null, { status: 429, headers: { "Retry-After": "7" } })],
    ["fails", () => new Response(null, { status: 500 })],
    ["cannot be reached", () => Promise.reject(new TypeError("no such host"))],
    [
      "sends what nobody asked for",
      () => new Response("hello", { headers: { "Docker-Content-Digest": `sha256:${"0".repeat(64)}` } }),
    ],
  ])("and %s has what it had served, with a warning", async (_, answer) => {
    const pass = passTime();
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const layer = await pushBlob(remote, randomBytes(1000));
    const config = await pushBlob(remote, JSON.stringify({ id: crypto.randomUUID() }), { mediaType: OCI_CONFIG });
    const { digest } = await pushManifest(remote, image(config, [layer]), { tag: "v1" });
    await upstream.ask("GET", `${path}/manifests/v1`);
    await upstream.ask("GET", `${path}/blobs/${layer.digest}`);
    upstream.fault = async () => await answer();
    pass(6 * MINUTE);
    const stale = await upstream.ask("GET", `${path}/manifests/v1`);
    expect([stale.status, stale.headers.get("Docker-Content-Digest")]).toEqual([200, digest]);
    expect(stale.headers.get("Warning")).toMatch(
      new RegExp(`^299 - "${upstream.name} [^"]+: this is what it had at 20`),
    );
    expect((await upstream.ask("GET", `${path}/blobs/${layer.digest}`)).status).toBe(200);
    expect((await upstream.ask("GET", `${path}/manifests/${digest}`)).headers.has("Warning")).toBe(false);
  });

  it("is left alone for a moment, and then is asked again", async () => {
    const pass = passTime();
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    await pushImage(remote, { tag: "v1" });
    await upstream.ask("GET", `${path}/manifests/v1`);
    pass(6 * MINUTE);
    upstream.fault = () => new Response(null, { status: 500 });
    await upstream.ask("GET", `${path}/manifests/v1`);
    upstream.fault = undefined;
    upstream.take();
    expect((await upstream.ask("GET", `${path}/manifests/v1`)).headers.has("Warning")).toBe(true);
    expect(upstream.take()).toEqual([]);
    pass(MINUTE);
    expect((await upstream.ask("GET", `${path}/manifests/v1`)).headers.has("Warning")).toBe(false);
  });

  it("is served for as long as the settings say", async () => {
    const pass = passTime();
    const upstream = new TestUpstream({ stale: "1h" });
    const { remote, path } = await publicRepository(upstream);
    await pushImage(remote, { tag: "v1" });
    await upstream.ask("GET", `${path}/manifests/v1`);
    upstream.fault = () => new Response(null, { status: 500 });
    pass(59 * MINUTE);
    expect((await upstream.ask("GET", `${path}/manifests/v1`)).status).toBe(200);
    pass(2 * MINUTE);
    expect((await upstream.ask("GET", `${path}/manifests/v1`)).status).toBe(503);
  });

  it.each([
    ["limits us", 429, "TOOMANYREQUESTS", "7"],
    ["fails", 503, "UNAVAILABLE", "10"],
  ])("and %s has nothing else to give", async (what, status, code, retryAfter) => {
    const upstream = new TestUpstream();
    const { path } = await publicRepository(upstream);
    const limited = { status: 429, headers: { "Retry-After": "7" } };
    upstream.fault = () => new Response(null, what === "fails" ? { status: 500 } : limited);
    for (const what of ["manifests/v1", `blobs/${await digestOf("x")}`]) {
      const answer = await upstream.ask("GET", `${path}/${what}`);
      expect([answer.status, errorOf(answer).code, answer.headers.get("Retry-After")]).toEqual([
        status,
        code,
        retryAfter,
      ]);
      expect(errorOf(answer).message).toContain(upstream.name);
    }
  });
});
