import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { EdgeCache, newWrites, type SizedObject } from "../../src/storage/edge-cache.ts";
import { getStream } from "../../src/storage/objects.ts";
import { makeBytes } from "../support/content.ts";
import { ORIGIN } from "../support/registry.ts";

const newEdge = () => new EdgeCache(ORIGIN, newWrites());

async function bytesOf(stream: ReadableStream | undefined): Promise<Uint8Array | undefined> {
  return stream && new Uint8Array(await new Response(stream).arrayBuffer());
}

/** An object in the bucket and in the cache. */
async function stored(bytes: Uint8Array): Promise<SizedObject> {
  const object = { key: `blobs/${crypto.randomUUID()}`, size: bytes.byteLength };
  await env.BUCKET.put(object.key, bytes);
  await newEdge().write(object, await getStream(env.BUCKET, object.key));
  return object;
}

describe("an object in the data centre's cache", () => {
  const bytes = makeBytes(300_000);

  it("comes back as it is in the bucket", async () => {
    expect(await bytesOf(await newEdge().read(await stored(bytes)))).toEqual(bytes);
  });

  it.each([
    [0, 1],
    [0, 300_000],
    [5, 100_000],
    [299_999, 1],
  ])("comes in parts: from %i, %i bytes", async (offset, length) => {
    const part = await newEdge().read(await stored(bytes), { offset, length });
    expect(await bytesOf(part)).toEqual(bytes.slice(offset, offset + length));
  });

  it("is found by its key alone, under the registry's own name", async () => {
    const object = await stored(bytes);
    expect(await newEdge().read({ ...object, key: `${object.key}0` })).toBeUndefined();
    expect(await new EdgeCache("http://other.test", newWrites()).read(object)).toBeUndefined();
  });

  it("is not in the cache that requests from outside are answered from", async () => {
    const { key } = await stored(bytes);
    expect(await caches.default.match(`${ORIGIN}/.objects/${key}`)).toBeUndefined();
  });

  it.each([
    ["whole", undefined],
    ["in parts", { offset: 5, length: 10 }],
  ])("is not given %s where it has another size than the database says", async (_how, range) => {
    const object = await stored(bytes);
    expect(await newEdge().read({ ...object, size: object.size + 1 }, range)).toBeUndefined();
  });
});

describe("bytes that break off on their way into the cache", () => {
  it.each<[string, () => ReadableStream<Uint8Array>]>([
    [
      "with an error",
      () => {
        const { readable, writable } = new FixedLengthStream(100_000);
        const writer = writable.getWriter();
        void writer.write(makeBytes(50_000)).then(async () => await writer.abort(new Error("R2 is gone")));
        return readable;
      },
    ],
    [
      "early",
      () => {
        const { readable, writable } = new IdentityTransformStream();
        const writer = writable.getWriter();
        void writer.write(makeBytes(50_000)).then(async () => await writer.close());
        return readable;
      },
    ],
  ])("%s leave nothing there", async (_how, body) => {
    const object = { key: `blobs/${crypto.randomUUID()}`, size: 100_000 };
    await newEdge()
      .write(object, body())
      .catch(() => undefined);
    expect(await newEdge().read(object)).toBeUndefined();
    expect(await newEdge().read(object, { offset: 0, length: 10 })).toBeUndefined();
  });
});

describe("an object is written", () => {
  const object = { key: "blobs/1", size: 1 };

  it("once in a while by an isolate, whatever became of it", () => {
    const edge = newEdge();
    const minutes = [0, 1, 9.9, 10.1, 11].map((minute) => edge.claimWrite(object, minute * 60_000 + 1_000_000));
    expect(minutes).toEqual([true, false, false, true, false]);
    expect(edge.claimWrite({ key: "blobs/2", size: 1 }, 1_000_000)).toBe(true);
  });

  it.each([
    [0, false],
    [1, true],
    [512_000_000, true],
    [512_000_001, false],
  ])("of %i bytes: %s", (size, isWanted) => {
    expect(newEdge().claimWrite({ key: "blobs/1", size }, 1)).toBe(isWanted);
  });
});
