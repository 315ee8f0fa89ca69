import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { digestOf, image, index, pushBlob, pushImage, pushManifest, randomBytes } from "../support/images.ts";
import { expectStatus, send } from "../support/registry.ts";
import { errorOf, passTime, publicRepository, TestUpstream } from "../support/upstream.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const MINUTE = 60_000;

const rows = async (repository: string): Promise<Record<string, number>> => {
  const count = (sql: string) =>
    `(SELECT COUNT(*) FROM ${sql} JOIN repositories r ON r.id = x.repository_id WHERE r.name = ?1)`;
  return (await env.DB.prepare(
    `SELECT ${count("manifests x")} AS manifests, ${count("tags x")} AS tags, ${count("repository_blobs x")} AS blobs`,
  )
    .bind(repository)
    .first())!;
};

/** An answer that says how long it is, as one from a network does. */
const sized = (body: BodyInit, { byteLength }: Uint8Array): Response =>
  new Response(body, { headers: { "Content-Length": String(byteLength) } });

describe("a manifest", () => {
  it("by tag is fetched once, and is fresh for its time", async () => {
    const pass = passTime();
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const { digest } = await pushImage(remote, { tag: "v1" });
    const cold = await upstream.ask("GET", `${path}/manifests/v1`);
    expect([cold.status, cold.headers.get("Docker-Content-Digest")]).toEqual([200, digest]);
    expect(await digestOf(cold.bytes)).toBe(digest);
    expect(upstream.take().at(-1)).toBe(`GET /v2/${remote}/manifests/v1`);
    pass(4 * MINUTE);
    const warm = await upstream.ask("GET", `${path}/manifests/v1`);
    expect(warm.bytes).toEqual(cold.bytes);
    expect(warm.headers.get("Content-Type")).toBe(cold.headers.get("Content-Type"));
    expect(upstream.take()).toEqual([]);
    pass(2 * MINUTE);
    expect((await upstream.ask("GET", `${path}/manifests/v1`)).bytes).toEqual(cold.bytes);
    expect(upstream.take().filter((line) => !line.endsWith("/token"))).toEqual(
      expect.arrayContaining([`HEAD /v2/${remote}/manifests/v1`]) as string[],
    );
    expect((await upstream.ask("GET", `${path}/manifests/v1`)).status).toBe(200);
    expect(upstream.take()).toEqual([]);
  });

  it("by tag follows the tag", async () => {
    const pass = passTime();
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    await pushImage(remote, { tag: "v1" });
    await upstream.ask("GET", `${path}/manifests/v1`);
    const { digest } = await pushImage(remote, { tag: "v1" });
    pass(6 * MINUTE);
    const moved = await upstream.ask("GET", `${path}/manifests/v1`);
    expect(moved.headers.get("Docker-Content-Digest")).toBe(digest);
    expect(await digestOf(moved.bytes)).toBe(digest);
    upstream.take();
    expect((await upstream.ask("GET", `${path}/manifests/v1`)).headers.get("Docker-Content-Digest")).toBe(digest);
    expect(upstream.take()).toEqual([]);
  });

  it("by digest is asked for once, ever", async () => {
    const pass = passTime();
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const { digest } = await pushImage(remote, { tag: "v1" });
    expect((await upstream.ask("GET", `${path}/manifests/${digest}`)).status).toBe(200);
    upstream.take();
    pass(1000 * MINUTE);
    expect((await upstream.ask("GET", `${path}/manifests/${digest}`)).status).toBe(200);
    expect((await upstream.ask("HEAD", `${path}/manifests/${digest}`)).status).toBe(200);
    expect(upstream.take()).toEqual([]);
  });

  it("that is asked for by HEAD is not stored, and nor is anything else", async () => {
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const layer = await pushBlob(remote, randomBytes(100));
    const { digest, size, mediaType } = await pushManifest(remote, image(layer), { tag: "v1" });
    for (const reference of ["v1", digest]) {
      const { status, headers } = await upstream.ask("HEAD", `${path}/manifests/${reference}`);
      expect([status, headers.get("Docker-Content-Digest"), headers.get("Content-Type")]).toEqual([
        200,
        digest,
        mediaType,
      ]);
      expect(headers.get("Content-Length")).toBe(String(size));
    }
    const blob = await upstream.ask("HEAD", `${path}/blobs/${layer.digest}`);
    expect([blob.status, blob.headers.get("Content-Length")]).toEqual([200, "100"]);
    const there = await env.DB.prepare("SELECT id FROM repositories WHERE name = ?1").bind(path.slice(4)).first();
    expect(there).toBeNull();
  });

  it("that a client asks for by HEAD of the tag, and GET of the digest, is kept under the tag", async () => {
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const { digest } = await pushImage(remote, { tag: "v1" });
    await upstream.ask("HEAD", `${path}/manifests/v1`);
    await upstream.ask("GET", `${path}/manifests/${digest}`);
    upstream.take();
    upstream.fault = () => new Response(null, { status: 500 });
    expect((await upstream.ask("HEAD", `${path}/manifests/v1`)).headers.get("Docker-Content-Digest")).toBe(digest);
    expect(upstream.take()).toEqual([]);
  });

  it("that lists others is kept before they are", async () => {
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const child = await pushImage(remote);
    const { digest } = await pushManifest(remote, index([child]), { tag: "multi" });
    expect((await upstream.ask("GET", `${path}/manifests/multi`)).headers.get("Docker-Content-Digest")).toBe(digest);
    expect(await rows(path.slice(4))).toEqual({ manifests: 1, tags: 1, blobs: 0 });
    expect((await upstream.ask("GET", `${path}/manifests/${child.digest}`)).status).toBe(200);
    expect(await rows(path.slice(4))).toEqual({ manifests: 2, tags: 1, blobs: 0 });
  });

  it("that the upstream does not have is not looked for again soon", async () => {
    const pass = passTime();
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    await pushImage(remote);
    const absent = await upstream.ask("GET", `${path}/manifests/nothing`);
    expect([absent.status, errorOf(absent).code]).toEqual([404, "MANIFEST_UNKNOWN"]);
    upstream.take();
    expect((await upstream.ask("GET", `${path}/manifests/nothing`)).status).toBe(404);
    expect(upstream.take()).toEqual([]);
    await pushImage(remote, { tag: "nothing" });
    pass(MINUTE);
    expect((await upstream.ask("GET", `${path}/manifests/nothing`)).status).toBe(200);
  });

  it("whose tag the upstream has no more is gone here too, by that name", async () => {
    const pass = passTime();
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const { digest } = await pushImage(remote, { tag: "v1" });
    await upstream.ask("GET", `${path}/manifests/v1`);
    await expectStatus(await send("DELETE", `/v2/${remote}/manifests/v1`), 202);
    pass(6 * MINUTE);
    expect((await upstream.ask("GET", `${path}/manifests/v1`)).status).toBe(404);
    expect((await upstream.ask("GET", `${path}/manifests/${digest}`)).status).toBe(200);
    // Nor does it come back while nobody can say so.
    upstream.fault = () => new Response(null, { status: 500 });
    pass(6 * MINUTE);
    expect((await upstream.ask("GET", `${path}/manifests/v1`)).status).toBe(503);
  });
});

describe("a blob", () => {
  it("is given to the client and kept", async () => {
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const bytes = randomBytes(3_000_000);
    const { digest } = await pushBlob(remote, bytes);
    const cold = await upstream.ask("GET", `${path}/blobs/${digest}`);
    expect([cold.status, cold.headers.get("Content-Length")]).toEqual([200, "3000000"]);
    expect(cold.bytes).toEqual(bytes);
    upstream.take();
    expect((await upstream.ask("GET", `${path}/blobs/${digest}`)).bytes).toEqual(bytes);
    expect(upstream.take()).toEqual([]);
  });

  it.each([
    ["0-99", 0, 100],
    ["1000000-1999999", 1_000_000, 2_000_000],
    ["2999990-", 2_999_990, 3_000_000],
  ])("is kept whole where a client asks for bytes %s of it", async (range, from, to) => {
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const bytes = randomBytes(3_000_000);
    const { digest } = await pushBlob(remote, bytes);
    const part = await upstream.ask("GET", `${path}/blobs/${digest}`, { headers: { Range: `bytes=${range}` } });
    expect([part.status, part.headers.get("Content-Range")]).toEqual([206, `bytes ${from}-${to - 1}/3000000`]);
    expect(part.bytes).toEqual(bytes.subarray(from, to));
    upstream.take();
    expect((await upstream.ask("GET", `${path}/blobs/${digest}`)).bytes).toEqual(bytes);
    expect(upstream.take()).toEqual([]);
  });

  it("without a byte is one, too", async () => {
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const { digest } = await pushBlob(remote, "");
    expect((await upstream.ask("GET", `${path}/blobs/${digest}`)).bytes).toHaveLength(0);
    upstream.take();
    expect((await upstream.ask("GET", `${path}/blobs/${digest}`)).status).toBe(200);
    expect(upstream.take()).toEqual([]);
  });

  it("reaches the client while the upstream still sends it", async () => {
    const upstream = new TestUpstream();
    const { path } = await publicRepository(upstream);
    const bytes = randomBytes(200_000);
    const digest = await digestOf(bytes);
    const { readable, writable } = new FixedLengthStream(bytes.byteLength);
    const writer = writable.getWriter();
    upstream.fault = ({ url }) => (url.includes("/blobs/") ? sized(readable, bytes) : undefined);
    const { response, settled } = await upstream.send("GET", `${path}/blobs/${digest}`);
    const reader = response.body!.getReader();
    void writer.write(bytes.subarray(0, 1_000));
    expect((await reader.read()).value).toHaveLength(1_000);
    void writer.write(bytes.subarray(1_000));
    void writer.close();
    while (!(await reader.read()).done);
    reader.releaseLock();
    await settled();
    upstream.fault = undefined;
    upstream.take();
    expect((await upstream.ask("GET", `${path}/blobs/${digest}`)).bytes).toEqual(bytes);
    expect(upstream.take()).toEqual([]);
  });

  it("is kept though the client goes away", async () => {
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const bytes = randomBytes(3_000_000);
    const { digest } = await pushBlob(remote, bytes);
    const { response, settled } = await upstream.send("GET", `${path}/blobs/${digest}`);
    await response.body!.cancel();
    await settled();
    upstream.take();
    expect((await upstream.ask("GET", `${path}/blobs/${digest}`)).bytes).toEqual(bytes);
    expect(upstream.take()).toEqual([]);
  });

  it("that many ask for at once is fetched once", async () => {
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const bytes = randomBytes(2_000_000);
    const { digest } = await pushBlob(remote, bytes);
    await upstream.ask("HEAD", `${path}/blobs/${digest}`);
    upstream.take();
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => await upstream.ask("GET", `${path}/blobs/${digest}`)),
    );
    for (const answer of answers) expect(answer.bytes).toEqual(bytes);
    expect(upstream.take()).toEqual([`GET /v2/${remote}/blobs/${digest}`]);
  });

  it("that the upstream does not have is not here", async () => {
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    await pushImage(remote);
    const absent = await upstream.ask("GET", `${path}/blobs/${await digestOf("nothing")}`);
    expect([absent.status, errorOf(absent).code]).toEqual([404, "BLOB_UNKNOWN"]);
  });

  it.each<[string, (bytes: Uint8Array) => BodyInit]>([
    ["has another byte", (bytes) => bytes.with(bytes.byteLength >> 1, bytes[bytes.byteLength >> 1]! ^ 1)],
    ["has another last byte", (bytes) => bytes.with(-1, bytes.at(-1)! ^ 1)],
  ])("that %s than it should is broken off, and never kept", async (_, damage) => {
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const bytes = randomBytes(1_000_000);
    const { digest } = await pushBlob(remote, bytes);
    await pushBlob(remote, randomBytes(10));
    upstream.fault = ({ url, method }) =>
      url.includes("/blobs/") && method === "GET" ? sized(damage(bytes), bytes) : undefined;
    const { response, settled } = await upstream.send("GET", `${path}/blobs/${digest}`);
    await expect(response.arrayBuffer()).rejects.toThrow();
    await settled();
    expect((await rows(path.slice(4))).blobs).toBe(0);
    upstream.fault = undefined;
    expect((await upstream.ask("GET", `${path}/blobs/${digest}`)).bytes).toEqual(bytes);
  });

  it("that breaks off is broken off, and never kept", async () => {
    const upstream = new TestUpstream();
    const { remote, path } = await publicRepository(upstream);
    const bytes = randomBytes(1_000_000);
    const { digest } = await pushBlob(remote, bytes);
    upstream.fault = ({ url, method }) => {
      if (!url.includes("/blobs/") || method !== "GET") return undefined;
      const { readable, writable } = new FixedLengthStream(bytes.byteLength);
      const writer = writable.getWriter();
      const feed = async () => {
        await writer.write(bytes.subarray(0, 600_000));
        await writer.abort(new Error("gone"));
      };
      feed().catch(() => undefined);
      return sized(readable, bytes);
    };
    const { response, settled } = await upstream.send("GET", `${path}/blobs/${digest}`);
    await expect(response.arrayBuffer()).rejects.toThrow();
    await settled();
    expect((await rows(path.slice(4))).blobs).toBe(0);
    upstream.fault = undefined;
    expect((await upstream.ask("GET", `${path}/blobs/${digest}`)).bytes).toEqual(bytes);
  });
});
