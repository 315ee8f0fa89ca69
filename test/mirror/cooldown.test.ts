import { afterEach, describe, expect, it, vi } from "vitest";
import { image, index, OCI_CONFIG, pushBlob, pushManifest } from "../support/images.ts";
import { setVisibility } from "../support/people.ts";
import { freshRepository } from "../support/registry.ts";
import { passTime, TestUpstream } from "../support/upstream.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const DAY = 86_400_000;
const daysAgo = (days: number) => new Date(Date.now() - days * DAY).toISOString();

/** Pushes an image that says that it was made then; undefined: that says nothing. */
async function pushMadeAt(remote: string, tag: string, created: string | undefined, kind = "config"): Promise<string> {
  const config = { id: crypto.randomUUID(), ...(created !== undefined && kind !== "annotation" && { created }) };
  const descriptor = await pushBlob(remote, JSON.stringify(config), { mediaType: OCI_CONFIG });
  const annotations = kind === "annotation" ? { annotations: { "org.opencontainers.image.created": created } } : {};
  if (kind !== "index") return (await pushManifest(remote, image(descriptor, [], annotations), { tag })).digest;
  const child = await pushManifest(remote, image(descriptor));
  return (await pushManifest(remote, index([child]), { tag })).digest;
}

async function start(): Promise<{ upstream: TestUpstream; remote: string; path: string }> {
  const upstream = new TestUpstream({ cooldown: "3d" });
  const remote = freshRepository();
  await setVisibility(remote, "public");
  return { upstream, remote, path: `/v2/${upstream.name}/${remote}/manifests` };
}

describe("with a cooldown of three days", () => {
  it.each(["config", "annotation", "index"])("a new tag is served if its image is older, by its %s", async (kind) => {
    const { upstream, remote, path } = await start();
    const digest = await pushMadeAt(remote, "old", daysAgo(4), kind);
    await pushMadeAt(remote, "young", daysAgo(2), kind);
    for (const method of ["HEAD", "GET"]) {
      const old = await upstream.ask(method, `${path}/old`);
      expect([old.status, old.headers.get("Docker-Content-Digest")]).toEqual([200, digest]);
      expect((await upstream.ask(method, `${path}/young`)).status).toBe(403);
    }
    const refused = await upstream.ask("GET", `${path}/young`);
    expect(new TextDecoder().decode(refused.bytes)).toMatch(/"DENIED".*too young to be served until 20/);
  });

  it("a tag that was refused is served when its time has come", async () => {
    const { upstream, remote, path } = await start();
    const pass = passTime();
    const digest = await pushMadeAt(remote, "v1", daysAgo(1));
    expect((await upstream.ask("GET", `${path}/v1`)).status).toBe(403);
    pass(2.1 * DAY);
    expect((await upstream.ask("GET", `${path}/v1`)).headers.get("Docker-Content-Digest")).toBe(digest);
  });

  it.each([
    ["nothing", undefined],
    ["that it is older than all images are", "1970-01-01T00:00:00Z"],
    ["that it comes from the future", "2999-01-01T00:00:00Z"],
    ["nonsense", "yesterday"],
  ])("an image that says %s of its age waits from when it was first seen", async (_, created) => {
    const { upstream, remote, path } = await start();
    const pass = passTime();
    await pushMadeAt(remote, "v1", created);
    expect((await upstream.ask("GET", `${path}/v1`)).status).toBe(403);
    pass(2.9 * DAY);
    expect((await upstream.ask("GET", `${path}/v1`)).status).toBe(403);
    pass(0.2 * DAY);
    expect((await upstream.ask("GET", `${path}/v1`)).status).toBe(200);
  });

  it("a tag that moves goes on naming what it named, whatever age its new image states", async () => {
    const { upstream, remote, path } = await start();
    const pass = passTime();
    const before = await pushMadeAt(remote, "v1", daysAgo(9));
    await upstream.ask("GET", `${path}/v1`);
    const after = await pushMadeAt(remote, "v1", daysAgo(9));
    pass(DAY);
    for (const method of ["HEAD", "GET"]) {
      const answer = await upstream.ask(method, `${path}/v1`);
      expect(answer.headers.get("Docker-Content-Digest")).toBe(before);
      if (method === "HEAD") expect(answer.headers.get("Warning")).toMatch(/too young .*: this is the one before"$/);
      pass(DAY);
    }
    pass(0.9 * DAY);
    expect((await upstream.ask("GET", `${path}/v1`)).headers.get("Docker-Content-Digest")).toBe(before);
    pass(0.2 * DAY);
    expect((await upstream.ask("GET", `${path}/v1`)).headers.get("Docker-Content-Digest")).toBe(after);
  });

  it("what is asked for by its digest is served: who knows that has chosen", async () => {
    const { upstream, remote, path } = await start();
    const digest = await pushMadeAt(remote, "v1", daysAgo(1));
    expect((await upstream.ask("GET", `${path}/${digest}`)).status).toBe(200);
  });
});
