import { describe, expect, it } from "vitest";
import { makeSavedImage, oldStyle } from "../support/archives.ts";
import { inPieces } from "../support/content.ts";
import { expectRefused } from "../support/refused-archives.ts";
import { expectStatus, freshRepository, send } from "../support/registry.ts";
import { join, makeTar, tarHeader } from "../support/tars.ts";
import { zstdFrame, zstdRawBlock } from "../support/zstd-archive.ts";

const MIB = 1024 * 1024;

async function load(body: Uint8Array): Promise<void> {
  await expectStatus(await send("PUT", `/archive/${freshRepository()}:v1`, { body }), 201);
}

const archive = async () => makeTar(oldStyle({ "hello:1": await makeSavedImage([100]) }));

/** The last block of a frame, with nothing in it. */
const END = [1, 0, 0];

/** A block of one byte, repeated. */
const repeated = (times: number): number[] => {
  const header = (times << 3) | 2;
  return [header & 255, (header >> 8) & 255, header >> 16, 0];
};

describe("the windows of zstd frames", () => {
  /** In frames of 8 MiB windows, which hold little. */
  const inFrames = (bytes: Uint8Array, count: number) =>
    [...inPieces(bytes, Math.ceil(bytes.byteLength / count))].map((piece) => zstdFrame(23, zstdRawBlock(piece, true)));

  it("may come to 256 MiB", async () => {
    await load(join(...inFrames(await archive(), 32)));
  });

  it("are refused beyond that", async () => {
    const frames = inFrames(await archive(), 33);
    expect(await expectRefused(join(...frames), 400, "BLOB_UPLOAD_INVALID")).toContain("windows");
  });

  it("may be as much more as has come out of the frames before", async () => {
    const header = tarHeader({ name: "zeros", size: 10 * MIB });
    const zeros = Array<number[]>(80).fill(repeated(128 * 1024));
    const first = zstdFrame(20, zstdRawBlock(header, false), ...zeros, END);
    await load(join(first, ...inFrames(await archive(), 33)));
  });
});

describe("the blocks of a zstd frame", () => {
  /** A file of zeros, each block of which is one of them. */
  const zerosOneByOne = (exponent: number, count: number) =>
    zstdFrame(
      exponent,
      zstdRawBlock(tarHeader({ name: "zeros", size: count }), false),
      ...Array<number[]>(count).fill(repeated(1)),
      zstdRawBlock(new Uint8Array(512 - (count % 512)), true),
    );

  it("may be small", async () => {
    await load(join(zerosOneByOne(23, 300), zstdFrame(17, zstdRawBlock(await archive(), true))));
    await load(join(zerosOneByOne(17, 3_000), zstdFrame(17, zstdRawBlock(await archive(), true))));
  });

  it("are refused that hold next to nothing, in a large window that each of them moves", async () => {
    expect(await expectRefused(zerosOneByOne(23, 3_000), 400, "BLOB_UPLOAD_INVALID")).toContain("blocks");
  });
});
