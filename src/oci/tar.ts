import type { ByteRange } from "./range.ts";

/** POSIX pax, "ustar Interchange Format": everything in an archive begins where a block begins. */
export const TAR_BLOCK_BYTES = 512;

/** Two blocks of zeros end an archive. */
const END_OF_ARCHIVE = new Uint8Array(2 * TAR_BLOCK_BYTES);

/** What the header has room for: a longer name goes into a record before it, and a larger size is written in binary. */
const NAME_MAX_BYTES = 100;
const OCTAL_SIZE_MAX = 8 ** 11 - 1;

const CHECKSUM = { offset: 148, length: 8 } as const;

/** Bytes after a file's content, up to the next block. */
export function tarPadding(size: number): number {
  return (TAR_BLOCK_BYTES - (size % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}

/** The checksum of a header: the sum of its bytes, its own field taken for blanks. */
export function tarChecksum(block: Uint8Array): number {
  const { offset, length } = CHECKSUM;
  const field = block.subarray(offset, offset + length).reduce((sum, byte) => sum + byte, 0);
  return block.reduce((sum, byte) => sum + byte, 0) - field + length * 0x20;
}

/** A header that says no more than it must, and nothing of its time: equal files make equal archives. */
function headerBlock(name: string, size: number, type: "0" | "x"): Uint8Array {
  const block = new Uint8Array(TAR_BLOCK_BYTES);
  const write = (offset: number, text: string) => block.set(new TextEncoder().encode(text), offset);
  write(0, name);
  write(100, "0000644\0");
  write(108, "0000000\0");
  write(116, "0000000\0");
  if (size <= OCTAL_SIZE_MAX) write(124, size.toString(8).padStart(11, "0"));
  else {
    block[124] = 0x80;
    new DataView(block.buffer).setBigUint64(128, BigInt(size));
  }
  write(136, "00000000000\0");
  write(156, type);
  write(257, "ustar\0");
  write(263, "00");
  write(CHECKSUM.offset, `${tarChecksum(block).toString(8).padStart(6, "0")}\0 `);
  return block;
}

/** A pax record: its length, which counts itself, then the key and the value. */
function paxRecord(key: string, value: string): Uint8Array {
  const rest = ` ${key}=${value}\n`;
  const length = new TextEncoder().encode(rest).byteLength;
  const digits = String(length + String(length).length).length;
  return new TextEncoder().encode(`${length + digits}${rest}`);
}

/** What stands before a file's content. The names of sha512 blobs are longer than a header can say. */
function tarHeader(name: string, size: number): Uint8Array[] {
  if (name.length <= NAME_MAX_BYTES) return [headerBlock(name, size, "0")];
  const record = paxRecord("path", name);
  const padding = new Uint8Array(tarPadding(record.byteLength));
  return [
    ...[headerBlock("pax", record.byteLength, "x"), record, padding],
    headerBlock(name.slice(0, NAME_MAX_BYTES), size, "0"),
  ];
}

/** A stretch of an archive: bytes as they are, or content that lies elsewhere, of a known size. */
export type TarSegment<C extends { readonly size: number }> = Uint8Array | C;

export function segmentSize(segment: Uint8Array | { readonly size: number }): number {
  return segment instanceof Uint8Array ? segment.byteLength : segment.size;
}

/** An archive of these files, which have names in ASCII, as the stretches that it is made of, in their order. */
export function layoutTar<C extends { readonly size: number }>(
  files: readonly { readonly name: string; readonly content: TarSegment<C> }[],
): TarSegment<C>[] {
  const segments = files.flatMap(({ name, content }): TarSegment<C>[] => {
    const size = segmentSize(content);
    return [...tarHeader(name, size), content, new Uint8Array(tarPadding(size))];
  });
  return [...segments, END_OF_ARCHIVE].filter((segment) => segmentSize(segment) > 0);
}

/** A part of a segment. */
export interface SegmentPart<C extends { readonly size: number }> extends ByteRange {
  readonly segment: TarSegment<C>;
}

/** The parts of segments that a range of all their bytes covers, in order; none of them empty. */
export function cutSegments<C extends { readonly size: number }>(
  segments: readonly TarSegment<C>[],
  range: ByteRange,
): SegmentPart<C>[] {
  const parts: SegmentPart<C>[] = [];
  let start = 0;
  for (const segment of segments) {
    const size = segmentSize(segment);
    const offset = Math.max(range.offset - start, 0);
    const end = Math.min(range.offset + range.length - start, size);
    if (offset < end) parts.push({ segment, offset, length: end - offset });
    start += size;
  }
  return parts;
}
