import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { digestOf, startMemoryRegistry } from "../distribution/support/memory-registry.ts";
import { send } from "../support/http.ts";
import { eventually } from "../support/server.ts";
import { hasBlob, open, push, type Push, PUSHES, startRelay } from "./support/relay.ts";

const CHUNK = 100_000;

describe("a relay", () => {
  /** Of a body of so many chunks, and the requests that the registry gets. */
  const cases: readonly (readonly [method: Push["method"], isChunked: boolean, length: number, requests: string[]])[] =
    [
      ["PATCH", false, 0, ["PATCH", "PUT"]],
      ["PATCH", true, 0, ["PATCH", "PUT"]],
      ["PUT", false, 0, ["PUT"]],
      ["PUT", true, 0, ["PUT"]],
      ["PATCH", false, CHUNK, ["PATCH", "PUT"]],
      ["PATCH", true, CHUNK, ["PATCH", "PUT"]],
      ["PUT", false, CHUNK, ["PUT"]],
      ["PUT", true, CHUNK, ["PUT"]],
      ["PATCH", false, 2 * CHUNK + 1, ["PATCH 0-99999", "PATCH 100000-199999", "PATCH 200000-200000", "PUT"]],
      ["PATCH", true, 2 * CHUNK + 1, ["PATCH 0-99999", "PATCH 100000-199999", "PATCH 200000-200000", "PUT"]],
      ["PUT", false, 2 * CHUNK, ["PATCH 0-99999", "PATCH 100000-199999", "PUT"]],
      ["PUT", true, 2 * CHUNK, ["PATCH 0-99999", "PATCH 100000-199999", "PUT"]],
    ];

  test.for(cases)("sends a %s (chunked: %s) of %i bytes as %j", async ([method, isChunked, length, requests]) => {
    const registry = await startMemoryRegistry();
    const relay = await startRelay(registry, { chunkBytes: CHUNK });
    const bytes = randomBytes(length);
    const answers = await push(await open(relay), bytes, { method, isChunked });
    const sent = registry.requests.filter(({ line }) => /^(PATCH|PUT)/.test(line));
    const said = sent.map(({ line, headers }) =>
      `${line.split(" ", 1)[0] ?? ""} ${headers["content-range"] ?? ""}`.trim(),
    );
    expect(said).toEqual(requests);
    // A length always, as who has one can say where a chunk ends.
    expect(sent.every(({ headers }) => headers["content-length"] !== undefined)).toBe(true);
    expect(hasBlob(registry, bytes)).toBe(true);
    expect(relay.finished).toMatchObject([{ repository: "team/web", digest: digestOf(bytes), bytes: length }]);
    if (method === "PATCH") {
      expect(answers[0]?.headers).toMatchObject({ range: `0-${Math.max(0, length - 1)}` });
      expect(String(answers[0]?.headers.location)).toMatch(/^\/v2\/team\/web\/blobs\/uploads\//);
    }
  });

  test.for(PUSHES)("sends $method (chunked: $isChunked) as it is where there is no limit", async (how) => {
    const registry = await startMemoryRegistry();
    const relay = await startRelay(registry);
    const bytes = randomBytes(5_000_000);
    await push(await open(relay), bytes, how);
    expect(hasBlob(registry, bytes)).toBe(true);
    expect(registry.lines(new RegExp(`^${how.method}`))).toHaveLength(1);
  });

  test("learns from the registry how much a request may hold", async () => {
    const registry = await startMemoryRegistry({
      uploadHeaders: { "OCI-Chunk-Max-Length": "150000" },
      bodyMax: 150_000,
    });
    const relay = await startRelay(registry);
    const bytes = randomBytes(400_000);
    await push(await open(relay), bytes, { method: "PUT", isChunked: false });
    expect(registry.lines(/^PATCH/)).toHaveLength(3);
    expect(hasBlob(registry, bytes)).toBe(true);
  });

  test("goes on with a chunk of a client's own, at its place", async () => {
    const registry = await startMemoryRegistry();
    const relay = await startRelay(registry, { chunkBytes: CHUNK });
    const bytes = randomBytes(5 * CHUNK);
    const first = await send(await open(relay), { method: "PATCH", body: bytes.subarray(0, 2 * CHUNK) });
    const location = new URL(String(first.headers.location), relay.url);
    const headers = { "content-range": `${2 * CHUNK}-${5 * CHUNK - 1}` };
    location.searchParams.set("digest", digestOf(bytes));
    const last = await send(location, { method: "PUT", headers, body: bytes.subarray(2 * CHUNK) });
    expect(last.status).toBe(201);
    expect(hasBlob(registry, bytes)).toBe(true);
  });

  test("goes on with an upload that it has not seen before", async () => {
    const registry = await startMemoryRegistry();
    const relay = await startRelay(registry, { chunkBytes: CHUNK });
    const bytes = randomBytes(4 * CHUNK);
    const first = await send(await open(registry), { method: "PATCH", body: bytes.subarray(0, CHUNK) });
    const location = new URL(String(first.headers.location), relay.url);
    location.searchParams.set("digest", digestOf(bytes));
    expect((await send(location, { method: "PUT", body: bytes.subarray(CHUNK) })).status).toBe(201);
    expect(hasBlob(registry, bytes)).toBe(true);
  });

  test("lets who sends a large blob with the POST send it to an upload", async () => {
    const registry = await startMemoryRegistry();
    const relay = await startRelay(registry, { chunkBytes: CHUNK });
    const bytes = randomBytes(2 * CHUNK);
    const url = new URL(`/v2/team/web/blobs/uploads/?digest=${digestOf(bytes)}`, relay.url);
    const { status, headers } = await send(url, { method: "POST", body: bytes });
    expect([status, headers.location]).toEqual([202, expect.stringContaining("/v2/team/web/blobs/uploads/")]);
    expect(registry.lines(/^POST/)).toEqual(["POST /v2/team/web/blobs/uploads/"]);
  });

  test("sends several blobs at once", async () => {
    const registry = await startMemoryRegistry();
    const relay = await startRelay(registry, { chunkBytes: CHUNK });
    const blobs = PUSHES.flatMap((how) => [1, 3, 5].map((n) => ({ how, bytes: randomBytes(n * CHUNK + n) })));
    await Promise.all(blobs.map(async ({ how, bytes }) => await push(await open(relay), bytes, how)));
    expect(blobs.every(({ bytes }) => hasBlob(registry, bytes))).toBe(true);
  });

  test("passes answers on, and leads back to itself", async () => {
    const registry = await startMemoryRegistry({ auth: "bearer", pageSize: 1 });
    const relay = await startRelay(registry);
    const ping = await send(new URL("/v2/", relay.url), { method: "GET" });
    expect(ping.status).toBe(401);
    expect(ping.headers["www-authenticate"]).toBe(`Bearer realm="${relay.url.origin}/token",service="memory"`);
    expect(ping.rawHeaders).toContain("WWW-Authenticate");
    const localhost = await send(new URL("/v2/", relay.url), { method: "GET", headers: { host: "localhost:1" } });
    expect(localhost.headers["www-authenticate"]).toContain('realm="http://localhost:1/token"');
  });

  test("answers to names of this machine alone", async () => {
    const registry = await startMemoryRegistry();
    const relay = await startRelay(registry);
    for (const [host, status] of [
      ["registry.example.org", 403],
      ["127.0.0.1.example.org:5555", 403],
      ["[::1]:5555", 200],
      ["host.docker.internal:5555", 200],
    ] as const) {
      expect((await send(new URL("/v2/", relay.url), { method: "GET", headers: { host } })).status).toBe(status);
    }
  });

  test("refuses TLS at once, as Go's servers do", async () => {
    const relay = await startRelay(await startMemoryRegistry());
    const socket = connect(Number(relay.url.port), "127.0.0.1");
    socket.write(Buffer.from([0x16, 3, 1, 0, 5, 1]));
    expect(await text(socket)).toContain("Client sent an HTTPS request to an HTTP server.");
  });

  test("keeps what came of a client that goes away, as the registry would", async () => {
    const registry = await startMemoryRegistry();
    const relay = await startRelay(registry, { chunkBytes: CHUNK });
    const { pathname } = await open(relay);
    const socket = connect(Number(relay.url.port), "127.0.0.1");
    socket.write(`PATCH ${pathname} HTTP/1.1\r\nHost: ${relay.url.host}\r\nContent-Length: 900000\r\n\r\n`);
    socket.write(randomBytes(2 * CHUNK + 5));
    const [upload] = registry.uploads.values();
    await eventually(
      () => upload?.bytes.length,
      (length) => length === 2 * CHUNK,
    );
    socket.destroy();
    await eventually(
      () => relay.broken,
      (broken) => broken.length === 1,
    );
    expect(relay.broken).toEqual([{ repository: "team/web", error: "the client went away" }]);
    expect(upload?.bytes).toHaveLength(2 * CHUNK);
  });

  test("ends when the uploads under way have ended", async () => {
    const registry = await startMemoryRegistry();
    const { relay, url } = await startRelay(registry, { chunkBytes: CHUNK });
    const location = await open({ url });
    const socket = connect(Number(url.port), "127.0.0.1");
    socket.write(`PATCH ${location.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: 10\r\n\r\n12345`);
    await eventually(
      () => registry.lines(/^PATCH/).length,
      (patches) => patches === 1,
    );
    const closing = relay.close();
    await expect(send(new URL("/v2/", url), { method: "GET" })).rejects.toThrow();
    socket.write("67890");
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toContain("202 Accepted");
    await closing;
  });
});
