import { createHash, randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { MemoryWatch } from "../../bench/servers/memory.ts";
import { basicAuth } from "../support/access.ts";
import { GIBIBYTE } from "../support/images.ts";
import { startMirror } from "../support/mirror/mirror.ts";
import { pushImage } from "../support/mirror/pushing.ts";
import { startUpstream, UPSTREAM_TOOLS, type UpstreamRegistry } from "../support/mirror/upstream.ts";
import { byPath } from "../support/mirror/ways.ts";
import type { StartedRegistry } from "../support/server.ts";
import { describeWithTools } from "../support/tools.ts";
import { workspaceOfTest } from "../support/workspace.ts";

const UPSTREAM = "up.test";
const CLIENTS = ["crane", "oras", "regctl", "crane", "oras", "regctl", "crane", "oras"] as const;

const PIECE = randomBytes(4 * 1024 * 1024);
const PIECES = GIBIBYTE / PIECE.length;

/** What the memory of a server may differ by from one run to the next: garbage that it had no reason yet to collect. */
const ROOM_MB = 100;

describeWithTools("mirror under load", [...UPSTREAM_TOOLS, ...CLIENTS], () => {
  let upstream: UpstreamRegistry;

  beforeAll(async () => {
    upstream = await startUpstream();
  });

  afterAll(async () => {
    await upstream.remove();
  });

  async function startMirrorOfTest(): Promise<StartedRegistry> {
    const mirror = await startMirror([{ name: UPSTREAM, url: upstream.gate.url, anonymous: true, freshness: "1h" }]);
    onTestFinished(async () => await mirror.stop());
    return mirror;
  }

  test("asks for few blobs twice where many clients want them at the same time", async () => {
    const { host } = await startMirrorOfTest();
    const repository = `library/app-${randomUUID()}`;
    const layers = [...Array.from({ length: 4 }, () => ({ randomBytes: 4_000_000 })), { randomBytes: 40_000_000 }];
    const { digest } = await pushImage(upstream.behind, repository, "1", { layers });
    upstream.gate.forget();
    const pulls = CLIENTS.map(
      async (client) =>
        await byPath(client).pull(await workspaceOfTest(), { host, upstream: UPSTREAM }, repository, ":1"),
    );
    for (const pulled of await Promise.all(pulls)) expect(pulled, pulled.stderr).toMatchObject({ code: 0, digest });
    const asked = upstream.gate.requests.filter(({ method, path }) => method === "GET" && path.includes("/blobs/"));
    expect(new Set(asked.map(({ path }) => path)).size).toBe(layers.length + 1);
    // A client may look just before a blob is here, and ask just after.
    expect(asked.length).toBeLessThanOrEqual(2 * (layers.length + 1));
  });

  test("takes no more memory for a layer of 1 GiB than its upload does", async () => {
    const digest = `sha256:${layer()
      .reduce((hash, piece) => hash.update(piece), createHash("sha256"))
      .digest("hex")}`;
    const uploaded = await peakOf(async (registry) => await upload(registry, digest));
    upstream.gate.misbehave("GET", /\/blobs\//, async (response) => {
      response.writeHead(200, { "content-length": GIBIBYTE });
      await pipeline(Readable.from(layer()), response);
    });
    const mirrored = await peakOf(async (registry) => await download(registry, digest));
    upstream.gate.behave();
    process.stdout.write(`memory for 1 GiB: ${uploaded.toFixed(0)} MB uploaded, ${mirrored.toFixed(0)} MB mirrored\n`);
    expect(mirrored).toBeLessThanOrEqual(uploaded + ROOM_MB);
  });

  /** The most memory, in MB, that a fresh server takes for this. */
  async function peakOf(load: (registry: StartedRegistry) => Promise<void>): Promise<number> {
    const mirror = await startMirrorOfTest();
    const watch = new MemoryWatch([mirror.pid]);
    try {
      await load(mirror);
      return watch.peakMb(mirror.pid) ?? 0;
    } finally {
      watch.stop();
    }
  }
});

function* layer(): Generator<Buffer, void> {
  for (let count = 0; count < PIECES; count += 1) yield PIECE;
}

/** As docker does: the bytes in one PATCH, and a PUT. */
async function upload(registry: StartedRegistry, digest: string): Promise<void> {
  const send = async (method: string, path: string, body: Iterable<Buffer> = []) => {
    const outgoing = request(new URL(path, registry.url), {
      method,
      headers: { authorization: basicAuth(registry), "transfer-encoding": "chunked" },
    });
    const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
    await pipeline(Readable.from(body), outgoing);
    const [answer] = await answered;
    answer.resume();
    expect(answer.statusCode, `${method} ${path}`).toBeLessThan(300);
    return answer.headers.location ?? "";
  };
  const session = await send("POST", "/v2/big/app/blobs/uploads/");
  const patched = await send("PATCH", session, layer());
  await send("PUT", `${patched}?digest=${digest}`);
}

async function download({ url }: StartedRegistry, digest: string): Promise<void> {
  const outgoing = request(`${url}/v2/${UPSTREAM}/big/app/blobs/${digest}`).end();
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  const hash = createHash("sha256");
  await pipeline(answer, hash);
  expect(`sha256:${hash.digest("hex")}`).toBe(digest);
}
