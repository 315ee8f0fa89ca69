import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readBlob } from "../../../scripts/distribution/blobs.ts";
import { BodyLimit } from "../../../scripts/distribution/body-limit.ts";
import { uploadBlob } from "../../../scripts/distribution/uploads.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import { ALICE, connect, failing } from "./support/connection.ts";
import {
  digestOf,
  type Fault,
  type Habits,
  type MemoryRegistry,
  startMemoryRegistry,
} from "./support/memory-registry.ts";

const CONTENT = randomBytes(300_000);
const BLOB = { digest: digestOf(CONTENT) as Digest, size: CONTENT.length };

/** The content in pieces, from an offset on. */
function opener(content: Buffer) {
  return async function* (offset: number) {
    for (let at = offset; at < content.length; at += 7_000) {
      await Promise.resolve();
      yield content.subarray(at, at + 7_000);
    }
  };
}

async function startWithBlob(habits: Habits = {}): Promise<MemoryRegistry> {
  const registry = await startMemoryRegistry(habits);
  registry.repository("team/web").blobs.set(BLOB.digest, CONTENT);
  return registry;
}

describe("a blob is read", () => {
  const read = async (registry: MemoryRegistry, offset = 0, blob = BLOB) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of readBlob(connect(registry), blob, offset)) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  const ranges = (registry: MemoryRegistry) =>
    registry.requests.filter(({ line }) => line.includes("blobs")).map(({ headers }) => headers.range);

  test("from an offset on", async () => {
    const registry = await startWithBlob();
    expect(await read(registry, 299_000)).toEqual(CONTENT.subarray(299_000));
    expect(ranges(registry)).toEqual(["bytes=299000-"]);
  });

  test("on from where it broke off", async () => {
    const registry = await startWithBlob();
    registry.fault = failing<Fault>(/blobs/, { breakAnswerAt: 100_000 }, "break", { breakAnswerAt: 50_000 });
    expect((await read(registry)).equals(CONTENT)).toBe(true);
    expect(ranges(registry)).toEqual([undefined, "bytes=100000-", "bytes=100000-", "bytes=150000-"]);
  });

  test("as often as it gets on", async () => {
    const registry = await startWithBlob();
    registry.fault = failing(/blobs/, ...Array.from({ length: 20 }, () => ({ breakAnswerAt: 10_000 })));
    expect((await read(registry)).equals(CONTENT)).toBe(true);
  });

  test("from a registry that knows no ranges", async () => {
    const registry = await startWithBlob({ ignoresRanges: true });
    registry.fault = failing(/blobs/, { breakAnswerAt: 100_000 });
    expect((await read(registry)).equals(CONTENT)).toBe(true);
  });

  test("where it lies elsewhere, to which no credentials go", async () => {
    const store = await startMemoryRegistry();
    store.fault = () => ({ status: 200, body: "hello" });
    const registry = await startWithBlob({ auth: "basic", redirect: `http://${store.host}/store` });
    const chunks: Uint8Array[] = [];
    for await (const chunk of readBlob(connect(registry, { credentials: ALICE }), { ...BLOB, size: 5 }, 0))
      chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe("hello");
    expect(store.requests[0]?.headers.authorization).toBeUndefined();
    expect(registry.requests.at(-1)?.headers.authorization).toBeDefined();
  });

  test.each([
    ["larger than it should be", { ...BLOB, size: 1000 }, "it has more than 1000 bytes"],
    ["not there", { digest: `sha256:${"0".repeat(64)}` as Digest, size: 5 }, "it is not there"],
    ["smaller than it should be", { ...BLOB, size: 400_000 }, "broke sha256:"],
  ])("unless it is %s", async (_, blob, message) => {
    await expect(read(await startWithBlob(), 0, blob)).rejects.toThrow(message);
  });
});

describe("a blob is sent", () => {
  const send = async (registry: MemoryRegistry, limit = new BodyLimit(100_000), content = CONTENT, blob = BLOB) => {
    const progress: number[] = [];
    const outgoing = { blob, open: opener(content), onProgress: (bytes: number) => progress.push(bytes) };
    await uploadBlob(connect(registry), outgoing, limit);
    expect(registry.repository("team/web").blobs.get(blob.digest)?.equals(CONTENT)).toBe(true);
    expect(registry.uploads.size).toBe(0);
    expect(progress.at(-1)).toBe(blob.size);
    return registry.lines(/^(POST|PATCH|PUT|GET|HEAD|DELETE) .*blobs/).map((line) => line.split(" ", 1)[0]);
  };

  test("in one request, where that holds it", async () => {
    expect(await send(await startMemoryRegistry(), new BodyLimit())).toEqual(["POST", "PUT"]);
  });

  test("in as many as it takes", async () => {
    expect(await send(await startMemoryRegistry())).toEqual(["POST", "PATCH", "PATCH", "PATCH", "PUT"]);
  });

  test("as the registry says", async () => {
    const registry = await startMemoryRegistry({ uploadHeaders: { "OCI-Chunk-Max-Length": "150000" } });
    expect(await send(registry, new BodyLimit())).toEqual(["POST", "PATCH", "PATCH", "PUT"]);
    const other = await startMemoryRegistry({ uploadHeaders: { "OCI-Chunk-Min-Length": "200000" } });
    expect(await send(other)).toEqual(["POST", "PATCH", "PATCH", "PUT"]);
  });

  test.each<[string, readonly Fault[]]>([
    ["a connection broke in its midst", [{ breakBodyAt: 40_000 }]],
    ["a connection broke before it", ["break"]],
    ["a connection broke, and the answer was lost", ["break after"]],
    ["the registry was out of order", [{ status: 502 }]],
    ["a connection broke, and the registry was not yet done with it", [{ breakBodyAt: 40_000 }, { status: 416 }]],
  ])("on from where the registry is, after %s", async (_, faults) => {
    const registry = await startMemoryRegistry();
    registry.fault = failing(/^PATCH/, undefined, ...faults);
    const methods = await send(registry);
    expect(methods.slice(0, 4)).toEqual(["POST", "PATCH", "PATCH", "GET"]);
    expect(methods.filter((method) => method === "POST")).toHaveLength(1);
  });

  test("on from its first byte, which a registry states as it states none", async () => {
    const registry = await startMemoryRegistry();
    registry.fault = ({ line }) => {
      const isFirst = registry.lines(/^PATCH/).length === 1;
      if (!line.startsWith("PATCH") || !isFirst) return undefined;
      for (const upload of registry.uploads.values()) upload.bytes = CONTENT.subarray(0, 1);
      return "break";
    };
    const methods = await send(registry);
    expect(methods.slice(0, 6)).toEqual(["POST", "PATCH", "GET", "PATCH", "GET", "PATCH"]);
    expect(methods.filter((method) => method === "POST")).toHaveLength(1);
  });

  test("anew, where the registry has forgotten it", async () => {
    const registry = await startMemoryRegistry();
    registry.fault = ({ line }) => {
      if (line.startsWith("PATCH") && registry.lines(/^PATCH/).length === 2) registry.uploads.clear();
      return undefined;
    };
    expect((await send(registry)).filter((method) => method === "POST")).toHaveLength(2);
  });

  test("no more, where it came and the answer was lost", async () => {
    const registry = await startMemoryRegistry();
    registry.fault = failing(/^PUT/, "break after");
    expect(await send(registry, new BodyLimit())).toEqual(["POST", "PUT", "GET", "DELETE", "HEAD"]);
  });

  test("in smaller requests, where a proxy refuses large ones", async () => {
    const registry = await startMemoryRegistry({ bodyMax: 1_100_000 });
    const large = Buffer.alloc(4_000_000, "x");
    const blob = { digest: digestOf(large) as Digest, size: large.length };
    const limit = new BodyLimit();
    await uploadBlob(connect(registry), { blob, open: opener(large) }, limit);
    expect(registry.repository("team/web").blobs.get(blob.digest)?.equals(large)).toBe(true);
    expect(limit.bytes).toBe(1_000_000);
  });

  test("in one request, where the registry takes no chunks, and from then on", async () => {
    const registry = await startMemoryRegistry({ chunkMax: 4_000 });
    const limit = new BodyLimit(100_000);
    expect(await send(registry, limit)).toEqual(["POST", "PATCH", "GET", "PUT"]);
    registry.repository("team/web").blobs.clear();
    registry.requests.length = 0;
    expect(await send(registry, limit)).toEqual(["POST", "PUT"]);
  });

  test.each([
    ["damaged", Buffer.concat([CONTENT.subarray(1), Buffer.from("x")]), "is damaged: its digest is"],
    ["short", CONTENT.subarray(0, 250_000), "ends at 250000 of 300000 bytes"],
  ])("not at all when it is %s, and nothing is left", async (_, content, message) => {
    for (const limit of [new BodyLimit(), new BodyLimit(100_000)]) {
      const registry = await startMemoryRegistry();
      await expect(send(registry, limit, content)).rejects.toThrow(message);
      expect(registry.uploads.size).toBe(0);
      expect(registry.repository("team/web").blobs.size).toBe(0);
    }
  });

  test("not for ever", async () => {
    const registry = await startMemoryRegistry();
    registry.fault = ({ line }) => (line.startsWith("PATCH") ? "break" : undefined);
    await expect(send(registry)).rejects.toThrow("broke the connection off");
    expect(registry.lines(/^PATCH/)).toHaveLength(4);
  });

  test("whole, whatever breaks", async () => {
    const fault = fc.option(
      fc.oneof(
        fc.constantFrom<Fault>("break", "break after", { status: 503 }),
        fc.integer({ min: 0, max: 99_999 }).map((byte): Fault => ({ breakBodyAt: byte })),
      ),
      { nil: undefined, freq: 2 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fault, { maxLength: 6 }),
        fc.integer({ min: 20_000, max: 400_000 }),
        async (faults, most) => {
          const registry = await startMemoryRegistry();
          registry.fault = failing(/^(PATCH|PUT|POST)/, ...faults);
          const patience = { tries: 10, firstMs: 0, mostMs: 0 };
          const outgoing = { blob: BLOB, open: opener(CONTENT) };
          await uploadBlob(connect(registry, { patience }), outgoing, new BodyLimit(most));
          expect(registry.repository("team/web").blobs.get(BLOB.digest)?.equals(CONTENT)).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });
});
