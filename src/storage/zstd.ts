import { Decompress } from "fzstd";
import { OciError } from "../oci/error.ts";
import type { ByteSource } from "./byte-source.ts";

/** RFC 8878, "Window Descriptor": what every decoder should support, and what `zstd` needs up to level 19. */
const WINDOW_MAX_BYTES = 8 * 1024 * 1024;

/** `zstd` makes one, `pzstd` one for some megabytes. */
const FRAMES_MAX = 10_000;

/**
 * Each frame has a window of its own, which is made anew. Together they may have as much as came out of the frames before, and this:
 * what real programs make fills its window, but for the last frame.
 */
const WINDOWS_FREE_BYTES = 256 * 1024 * 1024;

/**
 * The library moves the whole window for each block. `zstd` makes blocks of 100 KB and more: of level 19, that moves 80 bytes for each
 * one that comes out. So many may be, and these at first.
 */
const MOVED_MAX_RATIO = 1_024;
const MOVED_FREE_BYTES = 4 * 1024 * 1024 * 1024;

const MAGIC_BYTES = 4;
const FRAME_MAGIC = 0xfd2fb528;
/** Without the last digit, which may be any. */
const SKIPPABLE_MAGIC = 0x184d2a5;
const CHECKSUM_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;

/** A compressed block, and what it unpacks to, has no more than this. */
const BLOCK_MAX_BYTES = 128 * 1024;

/** The library puts aside what it is given until it has 18 bytes. */
const ASIDE_MAX_BYTES = 64;

function invalid(why = "the archive is not valid zstd"): OciError {
  return new OciError("BLOB_UPLOAD_INVALID", { message: why });
}

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
}

interface FrameHeader {
  /** All of it, the magic number too. */
  readonly bytes: Uint8Array;
  readonly windowBytes: number;
  readonly hasChecksum: boolean;
}

/** RFC 8878, "Frame Header", after its magic number. Throws for a window that would take too much memory. */
async function readFrameHeader(source: ByteSource, magic: Uint8Array): Promise<FrameHeader> {
  const [descriptor = 0] = await source.take(1);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? Number(isSingleSegment) : 2 ** sizeFlag;
  const rest = await source.take(Number(!isSingleSegment) + dictionaryIdBytes + sizeBytes);
  const size = littleEndian(rest.subarray(rest.byteLength - sizeBytes)) + (sizeFlag === 1 ? 256 : 0);
  const [exponentAndMantissa = 0] = rest;
  const base = 2 ** (10 + (exponentAndMantissa >> 3));
  const window = isSingleSegment ? size : base + (base / 8) * (exponentAndMantissa & 7);
  if (window > WINDOW_MAX_BYTES) {
    throw invalid(
      `the archive needs a zstd window of more than ${WINDOW_MAX_BYTES} bytes: use level 19 or less, without --long`,
    );
  }
  return {
    bytes: Uint8Array.from([...magic, descriptor, ...rest]),
    windowBytes: window,
    hasChecksum: (descriptor & 4) !== 0,
  };
}

/**
 * RFC 8878, "Blocks": a header and what belongs to it, read into `buffer`, and whether it is the frame's last. The library keeps a view
 * of what it was given last, of each block that it was ever given: so they share one buffer, but for those that it may put aside unread.
 */
async function readBlock(source: ByteSource, buffer: Uint8Array): Promise<{ bytes: Uint8Array; isLast: boolean }> {
  const header = await source.take(BLOCK_HEADER_BYTES);
  const value = littleEndian(header);
  const type = (value >> 1) & 3;
  const stated = value >> 3;
  if (type === 3 || stated > BLOCK_MAX_BYTES) throw invalid();
  buffer.set(header);
  let filled = header.byteLength;
  // A block of one byte repeated states how often.
  for await (const piece of source.stretch(type === 1 ? 1 : stated)) {
    buffer.set(piece, filled);
    filled += piece.byteLength;
  }
  const bytes = buffer.subarray(0, filled);
  return { bytes: filled < ASIDE_MAX_BYTES ? bytes.slice() : bytes, isLast: (value & 1) === 1 };
}

/** The work that windows are, which must not come to much more than what comes out of it. */
class WindowWork {
  #unpackedBytes = 0;
  #madeBytes = 0;
  #movedBytes = 0;

  /** Throws BLOB_UPLOAD_INVALID for a frame too many. */
  makeWindow(size: number): void {
    this.#madeBytes += size;
    if (this.#madeBytes > WINDOWS_FREE_BYTES + this.#unpackedBytes) {
      throw invalid("the archive is of zstd frames that hold much less than their windows");
    }
  }

  /** Throws BLOB_UPLOAD_INVALID for a block too many. */
  moveWindow(size: number): void {
    this.#movedBytes += size;
    if (this.#movedBytes > MOVED_FREE_BYTES + MOVED_MAX_RATIO * this.#unpackedBytes) {
      throw invalid("the archive is of zstd blocks that hold next to nothing");
    }
  }

  unpack(bytes: number): void {
    this.#unpackedBytes += bytes;
  }
}

/** Unpacks one block after the other, since the library itself puts no bound to the memory that a frame asks for. */
async function* unpackFrame(
  source: ByteSource,
  header: FrameHeader,
  work: WindowWork,
  buffer: Uint8Array,
  count: (piece: Uint8Array) => void,
) {
  const unpacked: Uint8Array[] = [];
  const decoder = new Decompress((piece) => {
    work.unpack(piece.byteLength);
    unpacked.push(piece);
  });
  work.makeWindow(header.windowBytes);
  push(decoder, header.bytes, false);
  for (let isLast = false; !isLast;) {
    const block = await readBlock(source, buffer);
    isLast = block.isLast;
    count(block.bytes);
    work.moveWindow(header.windowBytes);
    push(decoder, block.bytes, isLast && !header.hasChecksum);
    if (isLast && header.hasChecksum) push(decoder, await source.take(CHECKSUM_BYTES), true);
    yield* unpacked.splice(0);
  }
}

function push(decoder: Decompress, bytes: Uint8Array, isFinal: boolean): void {
  try {
    decoder.push(bytes, isFinal);
  } catch {
    throw invalid();
  }
}

/**
 * The bytes that zstd frames, one after the other, unpack to. The runtime knows no zstd: this is JavaScript, and takes about ten times
 * as long as gzip. Checksums are not compared.
 * @param count hears of what was read.
 */
export async function* unzstd(
  source: ByteSource,
  count: (piece: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void> {
  const buffer = new Uint8Array(BLOCK_HEADER_BYTES + BLOCK_MAX_BYTES);
  const work = new WindowWork();
  for (let frames = 0; ; frames += 1) {
    const magic = await source.takeUpTo(MAGIC_BYTES);
    if (magic.byteLength === 0) return;
    if (magic.byteLength < MAGIC_BYTES || frames === FRAMES_MAX) throw invalid();
    count(magic);
    if (littleEndian(magic) === FRAME_MAGIC) {
      yield* unpackFrame(source, await readFrameHeader(source, magic), work, buffer, count);
    } else if (littleEndian(magic) >> 4 === SKIPPABLE_MAGIC) await source.skip(littleEndian(await source.take(4)));
    else throw invalid();
  }
}
