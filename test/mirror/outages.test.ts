import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { digestOf, image, OCI_CONFIG, pushBlob, pushImage, pushManifest, randomBytes } from "../support/images.ts";
import { setVisibility } from "../support/people.ts";
import { expectStatus, send } from "../support/registry.ts";
import { errorOf, passTime, publicRepository, TestUpstream } from "../support/upstream.ts";
import { watchBindings, type Watcher } from "../support/watched-bindings.ts";

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

  it("and says for how long is not asked before, whatever for", async () => {
    const pass = passTime();
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    await pushImage(remote, { tag: "v1" });
    upstream.fault = () => new Response(null, { status: 429, headers: { "Retry-After": "30" } });
    await upstream.ask("GET", `${path}/manifests/v1`);
    upstream.fault = undefined;
    upstream.take();
    pass(20_000);
    const limited = await upstream.ask("GET", `${path}/manifests/v1`);
    expect([limited.status, limited.headers.get("Retry-After")]).toEqual([429, "10"]);
    expect(upstream.take()).toEqual([]);
    pass(11_000);
    expect((await upstream.ask("GET", `${path}/manifests/v1`)).status).toBe(200);
  });

  it("that lets us in no more takes nothing away of what is here", async () => {
    const pass = passTime();
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const { digest } = await pushImage(remote, { tag: "v1" });
    await upstream.ask("GET", `${path}/manifests/v1`);
    await setVisibility(remote, "private");
    pass(6 * MINUTE);
    const stale = await upstream.ask("GET", `${path}/manifests/v1`);
    expect([stale.status, stale.headers.get("Docker-Content-Digest")]).toEqual([200, digest]);
    expect(stale.headers.get("Warning")).toContain("this is what it had at");
    const absent = await upstream.ask("GET", `${path}/manifests/v2`);
    expect([absent.status, errorOf(absent).code]).toEqual([404, "MANIFEST_UNKNOWN"]);
  });
});

describe("a tag that is immutable here", () => {
  it("goes on naming what it named, with a warning", async () => {
    const pass = passTime();
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const { digest } = await pushImage(remote, { tag: "v1" });
    await upstream.ask("GET", `${path}/manifests/v1`);
    const rule = JSON.stringify({ immutableTags: true });
    await expectStatus(await send("PATCH", `/api/repositories/${path.slice("/v2/".length)}`, { body: rule }), 200);
    await pushImage(remote, { tag: "v1" });
    pass(6 * MINUTE);
    const held = await upstream.ask("GET", `${path}/manifests/v1`);
    expect([held.status, held.headers.get("Docker-Content-Digest")]).toEqual([200, digest]);
    expect(held.headers.get("Warning")).toContain("tag v1 is immutable");
  });
});

describe("storage that is out of order", () => {
  it.each(["none", "done"] as const)("keeps no client from a blob: %s of the put", async (effect) => {
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const bytes = randomBytes(1_000_000);
    const { digest } = await pushBlob(remote, bytes);
    let puts = 0;
    const watch: Watcher = async (call, run) => {
      if (call.operation !== "put") return await run();
      puts += 1;
      if (effect === "done") await run();
      throw new Error("failed on purpose");
    };
    const answer = await upstream.ask(
      "GET",
      `${path}/blobs/${digest}`,
      {},
      { BUCKET: watchBindings(env, watch).BUCKET },
    );
    expect(await digestOf(answer.bytes)).toBe(digest);
    expect(puts).toBe(1);
    expect(await digestOf((await upstream.ask("GET", `${path}/blobs/${digest}`)).bytes)).toBe(digest);
  });
});
