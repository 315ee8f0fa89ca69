import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PART_SIZE_BYTES } from "../../src/oci/upload-session.ts";
import { partBuffers } from "../../src/storage/part-buffers.ts";
import { makeBytes } from "../support/content.ts";
import { WatchedRegistry } from "../support/counted-registry.ts";
import type { Watcher } from "../support/watched-bindings.ts";

/** Issue 2, "Budgets": of the isolate's 128 MB, what uploads hold together, however large they are. */
const BUFFERS_BUDGET_BYTES = 80_000_000;

/** Enough that each upload fills and sends several parts while the others do. The budget does not depend on it. */
const UPLOAD_BYTES = 24_000_000;

/** They take seconds, and longer where others work too. */
const TIMEOUT_MS = 60_000;

const PIECE_BYTES = 100_000;

/** An upload's bytes, of which no more than a piece is in memory: made for each reader anew. */
function* content(size: number, seed: number): Generator<Uint8Array, void> {
  const piece = makeBytes(PIECE_BYTES, seed);
  for (let sent = 0; sent < size; sent += PIECE_BYTES) {
    piece[sent % 251] = sent / PIECE_BYTES;
    yield piece.slice(0, Math.min(PIECE_BYTES, size - sent));
  }
}

async function digestOf(size: number, seed: number): Promise<string> {
  const stream = new crypto.DigestStream("SHA-256");
  const writer = stream.getWriter();
  for (const piece of content(size, seed)) await writer.write(piece);
  await writer.close();
  return `sha256:${new Uint8Array(await stream.digest).toHex()}`;
}

const passOn: Watcher = async (_call, run) => await run();

/** Pushes as Docker does. Returns the status of the last answer. */
async function upload(size: number, seed: number, watch = passOn): Promise<number> {
  const registry = new WatchedRegistry(watch);
  const post = await registry.send("POST", `/v2/memory/r${seed}/blobs/uploads/`);
  const location = post.headers.get("Location")!;
  const patch = await registry.send("PATCH", location, { body: { bytes: content(size, seed) } });
  if (patch.status !== 202) return patch.status;
  return (await registry.send("PUT", `${location}?digest=${await digestOf(size, seed)}`)).status;
}

const uploads = async (count: number, size: number): Promise<number[]> =>
  await Promise.all(Array.from({ length: count }, async (_, i) => await upload(size, count * 100 + i)));

// In this order: the peak is that of all before.
describe("the buffers of streaming uploads of unknown length", { timeout: TIMEOUT_MS }, () => {
  it("are two parts for one upload", async () => {
    expect(await uploads(1, UPLOAD_BYTES)).toEqual([201]);
    expect(partBuffers.peakBytes).toBe(2 * PART_SIZE_BYTES);
    expect(partBuffers.heldBytes).toBe(0);
  });

  it("are 80 MB at most for six uploads at once", async () => {
    expect(await uploads(6, UPLOAD_BYTES)).toEqual(Array(6).fill(201));
    expect(partBuffers.peakBytes).toBe(6 * 2 * PART_SIZE_BYTES);
    expect(partBuffers.peakBytes).toBeLessThanOrEqual(BUFFERS_BUDGET_BYTES);
    expect(partBuffers.heldBytes).toBe(0);
  });

  it("are no more for sixteen, some of which wait for others", async () => {
    // A body of unknown length takes the buffer of a whole part, however short it turns out to be.
    expect(await uploads(16, 400_000)).toEqual(Array(16).fill(201));
    expect(partBuffers.peakBytes).toBeGreaterThan(BUFFERS_BUDGET_BYTES - PART_SIZE_BYTES);
    expect(partBuffers.peakBytes).toBeLessThanOrEqual(BUFFERS_BUDGET_BYTES);
    expect(partBuffers.heldBytes).toBe(0);
  });

  it("are none for bodies that state their length", async () => {
    const registry = new WatchedRegistry(passOn);
    const size = 7_000_000;
    const digest = await digestOf(size, 1);
    let heldBytes = 0;
    const watched = function* () {
      for (const piece of content(size, 1)) {
        heldBytes = Math.max(heldBytes, partBuffers.heldBytes);
        yield piece;
      }
    };
    const path = `/v2/memory/stated/blobs/uploads/?digest=${digest}`;
    const answer = await registry.send("POST", path, { body: { bytes: watched(), length: size } });
    expect(answer.status).toBe(201);
    expect(heldBytes).toBe(0);
  });
});

describe("all buffers are free again after", () => {
  const size = 2 * PART_SIZE_BYTES + 100_000;
  const registry = new WatchedRegistry(passOn);

  beforeEach(() => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  async function start(): Promise<string> {
    return (await registry.send("POST", "/v2/memory/failed/blobs/uploads/")).headers.get("Location")!;
  }

  it("another digest than the bytes have", async () => {
    const path = `${await start()}?digest=sha256:${"0".repeat(64)}`;
    const answer = await registry.send("PUT", path, { body: { bytes: content(size, 1) } });
    expect(answer.status).toBe(400);
    expect(partBuffers.heldBytes).toBe(0);
  });

  it("a body that breaks off", async () => {
    const brokenOff = function* () {
      yield* content(size, 2);
      throw new Error("the client is gone");
    };
    const answer = await registry.send("PATCH", await start(), { body: { bytes: brokenOff() } });
    expect(answer.status).toBe(400);
    expect(partBuffers.heldBytes).toBe(0);
  });

  it.each(["createMultipartUpload", "uploadPart", "put"])("a failing %s", async (operation) => {
    const fail: Watcher = async (call, run) => {
      if (call.operation === operation) throw new Error("R2 is not there");
      return await run();
    };
    expect(await upload(size, 3, fail)).toBe(500);
    expect(partBuffers.heldBytes).toBe(0);
  });

  it("a failing D1", async () => {
    let calls = 0;
    const failAfterClaim: Watcher = async (call, run) => {
      if (call.binding === "DB") calls += 1;
      if (calls > 2) throw new Error("D1 is not there");
      return await run();
    };
    expect(await upload(size, 4, failAfterClaim)).toBe(500);
    expect(partBuffers.heldBytes).toBe(0);
  });
});
