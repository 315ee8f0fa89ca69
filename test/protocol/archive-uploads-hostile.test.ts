import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { ByteSource } from "../../src/storage/byte-source.ts";
import { decompress } from "../../src/storage/decompression.ts";
import { partBuffers } from "../../src/storage/part-buffers.ts";
import { readTar } from "../../src/storage/tar-reader.ts";
import {
  blobName,
  hexOf,
  indexJson,
  makeSavedImage,
  newStyle,
  oldStyle,
  type SavedImage,
} from "../support/archives.ts";
import { digestOf, inPieces, makeBytes } from "../support/content.ts";
import { FailOnce } from "../support/failing.ts";
import { WatchedRegistry } from "../support/counted-registry.ts";
import { index, OCI_INDEX } from "../support/images.ts";
import { expectRefused, leftBy } from "../support/refused-archives.ts";
import { freshRepository, send } from "../support/registry.ts";
import { gzip, join, makeTar, padded, TAR_END, type TarContent, tarEntry, tarHeader } from "../support/tars.ts";
import { brokenStream, streamOf } from "../support/uploads.ts";
import { ZSTD_ARCHIVE, zstdFrame } from "../support/zstd-archive.ts";

let saved: SavedImage;
let files: Record<string, TarContent>;
let whole: Uint8Array;

beforeAll(async () => {
  // More than stays in memory, so that there is something to discard.
  saved = await makeSavedImage([100, 150_000]);
  files = oldStyle({ "hello:1": saved });
  whole = makeTar(files);
});

const replaced = (changes: Readonly<Record<string, TarContent>>) => makeTar({ ...files, ...changes });
const without = (name: RegExp) =>
  makeTar(Object.fromEntries(Object.entries(files).filter(([path]) => !name.test(path))));
/** Before the files of a whole archive, something else. */
const after = (...entries: Uint8Array[]) => join(...entries, whole);
const pax = (records: string, size?: number) => tarEntry({ name: "pax", type: "x", size }, records);

describe("an archive is refused that is", () => {
  const cases: [what: string, body: () => Uint8Array, message: RegExp | string][] = [
    ["nothing", () => new Uint8Array(0), "ends before its time"],
    ["no archive", () => makeBytes(10_000), /checksum|octal/],
    ["cut off in a header", () => whole.subarray(0, 700), "ends before its time"],
    ["cut off in a file", () => whole.subarray(0, 100_000), "ends before its time"],
    ["without an end", () => whole.subarray(0, -TAR_END.byteLength), "ends before its time"],
    ["followed by something", () => join(whole, padded("x")), "follows its end"],
    ["of absolute paths", () => after(tarEntry({ name: "/etc/passwd" }, "x")), "absolute"],
    ["leading out of itself", () => after(tarEntry({ name: "a/../../x" }, "x")), "leads out of it"],
    [
      "linking out of itself",
      () => after(tarEntry({ name: "a", type: "2", link: "../etc/passwd" })),
      "leads out of it",
    ],
    ["linking to an absolute path", () => after(tarEntry({ name: "a", type: "1", link: "/etc/passwd" })), "absolute"],
    ["holding a device", () => after(tarEntry({ name: "a", type: "3" })), "neither a file"],
    ["holding a path twice", () => after(tarEntry({ name: "manifest.json" }, "[]")), "twice"],
    ["holding a file without a name", () => after(tarEntry({ name: "." }, "x")), "no name"],
    ["of a header of 1 GiB", () => after(pax("", 1024 ** 3)), "header in it is too large"],
    ["of a long name of 1 GiB", () => after(tarHeader({ name: "x", type: "L", size: 1024 ** 3 })), "too large"],
    ["of a long path", () => after(pax(`312 path=${"x".repeat(302)}\n`), tarEntry({ name: "a" })), "too long"],
    ["of records that are none", () => after(pax("7 pathx\n")), "pax record"],
    ["of records whose length is 0", () => after(pax("6 a=b\n0 x=y\n")), "pax record"],
    ["of a size that is no number", () => after(pax("10 size=x\n"), tarEntry({ name: "a" })), "no number"],
  ];

  it.each(cases)("%s", async (_what, body, message) => {
    expect(await expectRefused(body(), 400, "BLOB_UPLOAD_INVALID")).toMatch(message);
  });

  it("of millions of entries", async () => {
    const entry = tarHeader({ name: "folder/", type: "5" });
    const endless = streamOf(join(...Array.from({ length: 20_100 }, () => entry)), 512 * 500);
    expect(await expectRefused(endless, 400, "BLOB_UPLOAD_INVALID")).toContain("more than 20000 entries");
  });

  it("of a file larger than R2 takes, before any of it comes", async () => {
    const body = after(tarHeader({ name: "big", binarySize: 2n ** 40n }));
    await expectRefused(body, 400, "SIZE_INVALID");
  });

  it("broken off", async () => {
    expect(await expectRefused(brokenStream(whole.subarray(0, 100_000)), 400, "BLOB_UPLOAD_INVALID")).toContain(
      "broke off",
    );
  });
});

describe("a packed archive is refused that is", () => {
  it.each([
    ["cut off", async () => (await gzip(whole)).slice(0, -9)],
    ["damaged", async () => (await gzip(whole)).map((byte, i) => (i === 5_000 ? byte ^ 255 : byte))],
    ["followed by something", async () => join(await gzip(whole), makeBytes(100))],
  ])("%s, in gzip", async (_what, pack) => {
    expect(await expectRefused(await pack(), 400, "BLOB_UPLOAD_INVALID")).toMatch(/gzip|ends before its time/);
  });

  it("broken off, in gzip", async () => {
    const body = brokenStream((await gzip(whole)).subarray(0, 100_000));
    expect(await expectRefused(body, 400, "BLOB_UPLOAD_INVALID")).toContain("broke off");
  });

  const zstd = ZSTD_ARCHIVE.bytes;

  it.each([
    ["cut off", () => zstd.slice(0, -9), /ends before its time/],
    ["damaged", () => zstd.map((byte, i) => (i === 60 ? byte ^ 255 : byte)), /zstd|archive|config/],
    ["followed by something", () => join(zstd, makeBytes(100)), /zstd/],
    ["of a window of 2 GiB", () => zstdFrame(31, [1, 0, 0]), /window/],
    ["of a window of 2 GiB in its second frame", () => join(zstd, zstdFrame(31, [1, 0, 0])), /window/],
    ["of a block of a kind that there is not", () => zstdFrame(20, [7, 0, 0]), /not valid zstd/],
    ["of a block beyond its limit", () => zstdFrame(20, [1, 0, 255]), /not valid zstd/],
    [
      "of more frames than there is sense in",
      () => join(...Array<Uint8Array>(10_001).fill(zstdFrame(10, [1, 0, 0]))),
      /zstd/,
    ],
  ])("%s, in zstd", async (_what, body, message) => {
    const response = await send("PUT", `/archive/${freshRepository()}:v1`, { body: body() });
    expect(await response.text()).toMatch(message);
    expect(response.status).toBe(400);
    expect(partBuffers.heldBytes).toBe(0);
  });

  it("a bomb, in zstd: 128 KiB of zeros for each four bytes", async () => {
    const zeros = Array.from({ length: 400 }, () => [2, 0, 16, 0]);
    expect(await expectRefused(zstdFrame(20, ...zeros), 400, "SIZE_INVALID")).toContain("200 times");
  });

  it("a bomb, in gzip", async () => {
    const bomb = await gzip(new Uint8Array(45_000_000));
    expect(await expectRefused(bomb, 400, "SIZE_INVALID")).toContain("200 times");
  });
});

describe("an archive is refused that says", () => {
  const list = (entry: object) => JSON.stringify([{ Config: "x.json", Layers: [], ...entry }]);
  const entryOf = () => (JSON.parse(files["manifest.json"] as string) as [{ Config: string; Layers: string[] }])[0];

  it.each<[string, () => Uint8Array | Promise<Uint8Array>, string]>([
    ["nothing of images", () => without(/manifest/), "MANIFEST_INVALID"],
    ["it in no JSON", () => replaced({ "manifest.json": "[" }), "MANIFEST_INVALID"],
    ["it in another shape", () => replaced({ "manifest.json": '[{"Config":1}]' }), "MANIFEST_INVALID"],
    ["that there is none", () => replaced({ "manifest.json": "[]" }), "MANIFEST_INVALID"],
    ["it at length", () => replaced({ "manifest.json": " ".repeat(5_000_000) }), "MANIFEST_INVALID"],
    [
      "that a config is outside",
      () => replaced({ "manifest.json": list({ Config: "../../x" }) }),
      "BLOB_UPLOAD_INVALID",
    ],
    [
      "that a layer is outside",
      () => replaced({ "manifest.json": list({ ...entryOf(), Layers: ["/x"] }) }),
      "BLOB_UPLOAD_INVALID",
    ],
    ["that a config is there", () => without(/^[0-9a-f]+\.json$/), "MANIFEST_INVALID"],
    ["that a layer is there", () => without(/^0-1.*layer\.tar$/), "MANIFEST_INVALID"],
    ["another digest of its config", () => replaced({ [`${hexOf(saved.configDigest)}.json`]: "{}" }), "DIGEST_INVALID"],
    [
      "a config without layers",
      () => replaced({ "c.json": "{}", "manifest.json": list({ Config: "c.json" }) }),
      "MANIFEST_INVALID",
    ],
    [
      "fewer layers",
      () => replaced({ "manifest.json": list({ ...entryOf(), Layers: entryOf().Layers.slice(1) }) }),
      "MANIFEST_INVALID",
    ],
    [
      "layers in another order",
      () => replaced({ "manifest.json": list({ ...entryOf(), Layers: entryOf().Layers.reverse() }) }),
      "DIGEST_INVALID",
    ],
    ["a link in circles", () => replaced({ [entryOf().Layers[0]!]: { link: "layer.tar" } }), "MANIFEST_INVALID"],
    ["another digest of a blob", () => replaced({ [blobName(`sha256:${"0".repeat(64)}`)]: "x" }), "DIGEST_INVALID"],
    [
      "another digest of a blob, behind a link",
      async () => {
        const { layers } = saved;
        const made = await newStyle(saved, "hello:1");
        return makeTar({ ...made, [blobName(layers[0]!.digest)]: { link: `../../${blobName(layers[1]!.digest)}` } });
      },
      "DIGEST_INVALID",
    ],
    [
      "that its index lists what is not there",
      () => makeTar({ "index.json": indexJson([{ digest: `sha256:${"0".repeat(64)}` }]) }),
      "MANIFEST_INVALID",
    ],
    ["that its index lists nothing", () => makeTar({ "index.json": indexJson([]) }), "MANIFEST_INVALID"],
  ])("%s", async (_what, body, code) => {
    await expectRefused(await body(), 400, code);
  });

  it("that indexes lie in indexes without end", async () => {
    const blobs: Record<string, string> = {};
    let inner: { mediaType: string; digest: string; size: number } | undefined;
    for (let depth = 0; depth < 12; depth += 1) {
      const text = JSON.stringify(index(inner ? [inner] : []));
      inner = { mediaType: OCI_INDEX, digest: await digestOf(text), size: text.length };
      blobs[blobName(inner.digest)] = text;
    }
    await expectRefused(makeTar({ ...blobs, "index.json": indexJson([inner!]) }), 400, "MANIFEST_INVALID");
  });
});

/** Three objects, one transaction for blobs, one for the manifest: what the image says is indexed after the answer. */
const ANSWERED_AFTER_CALLS = 5;

it("nothing is left behind, and nothing half there, whichever call to R2 or D1 fails", async () => {
  for (const effect of ["none", "done"] as const) {
    let failing: FailOnce;
    let calls = 0;
    do {
      failing = new FailOnce(calls, effect);
      const archive = makeTar(oldStyle({ "hello:1": await makeSavedImage([100, 150_000]) }));
      const repository = freshRepository();
      const left = await leftBy(async () => {
        const path = `/archive/${repository}:v1`;
        const { status } = await new WatchedRegistry(failing.watch).send("PUT", path, { body: { bytes: archive } });
        expect(status, String(calls)).toBe(calls < ANSWERED_AFTER_CALLS ? 500 : 201);
      });
      if (effect === "none" || failing.failed?.operation !== "put") expect(left, String(calls)).toEqual([]);
      calls += 1;
    } while (failing.failed);
    expect(calls).toBeGreaterThan(ANSWERED_AFTER_CALLS);
  }
});

it("gzip is unpacked as it is read, and no further: a bomb never lies in memory", async () => {
  const bomb = await gzip(new Uint8Array(30_000_000));
  let taken = 0;
  async function* pieces() {
    for (const piece of inPieces(bomb, 1_000)) {
      taken += piece.byteLength;
      yield await Promise.resolve(piece);
    }
  }
  let unpacked = 0;
  for await (const piece of decompress(new ByteSource(pieces()))) {
    unpacked += piece.byteLength;
    // A byte stands for a thousand and a few: what was taken may be two pieces ahead of what was read.
    expect((taken - 3_000) * 1_040).toBeLessThan(unpacked);
    if (unpacked > 20_000_000) break;
  }
  expect(taken).toBeLessThan(bomb.byteLength);
});

/** The files of an archive that comes in pieces. */
async function readFiles(bytes: Uint8Array, pieceSize: number): Promise<Map<string, number>> {
  async function* pieces() {
    for (const piece of inPieces(bytes, pieceSize)) yield await Promise.resolve(piece);
  }
  const read = new Map<string, number>();
  for await (const entry of readTar(new ByteSource(pieces()))) {
    if (entry.kind !== "file") continue;
    let size = 0;
    for await (const piece of entry.content) size += piece.byteLength;
    read.set(entry.path, size);
  }
  return read;
}

describe("the reader of archives", () => {
  const small = makeTar({ "a/b": "content", c: { link: "a/b" }, d: makeBytes(700) });

  it("does not care how the bytes come", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_500 }), async (pieceSize) => {
        expect([...(await readFiles(small, pieceSize))]).toEqual([
          ["a/b", 7],
          ["d", 700],
        ]);
      }),
      { numRuns: 30 },
    );
  });

  it("reads or refuses whatever comes", async () => {
    const change = fc.record({ at: fc.nat(small.byteLength - 1), to: fc.nat(255), fixed: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.nat(small.byteLength),
        async (changes, end) => {
          const bytes = small.slice();
          for (const { at, to, fixed } of changes) {
            bytes[at] = to;
            // A header that states the checksum that it has goes further.
            const header = bytes.subarray(at - (at % 512), at - (at % 512) + 512);
            if (!fixed || String.fromCharCode(...header.subarray(257, 262)) !== "ustar") continue;
            header.fill(32, 148, 156);
            const sum = header.reduce((total, byte) => total + byte, 0);
            header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
          }
          try {
            await readFiles(end % 3 === 0 ? bytes.subarray(0, end) : bytes, 512);
          } catch (error) {
            expect(error).toMatchObject({ code: "BLOB_UPLOAD_INVALID" });
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
