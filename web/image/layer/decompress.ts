import { Gunzip } from "fflate";

/** Something that takes compressed bytes piece by piece. */
interface Inflater {
  readonly push: (bytes: Uint8Array, final?: boolean) => unknown;
}

interface Format {
  /** The first bytes, as digits. */
  readonly magic: RegExp;
  /** How many bytes go in at once: what comes out of them, at the format's worst ratio, is held in memory. */
  readonly slice: number;
  readonly create: (onBytes: (bytes: Uint8Array) => void) => Inflater | Promise<Inflater>;
}

// The browser's own DecompressionStream refuses a second member after the first, and layers in eStargz have one for each file. fflate
// compares no checksums: damage within a file's content goes unseen, as the content does; headers in the archive have their own.
const GZIP: Format = { magic: /^1f8b/, slice: 65_536, create: (onBytes) => new Gunzip(onBytes) };
// A frame, or what is to be skipped, with which parallel compressors begin.
const ZSTD: Format = { magic: /^(28b52ffd|5.2a4d18)/, slice: 4096, create: createZstd };
const MAGIC_BYTES = 4;

async function createZstd(onBytes: (bytes: Uint8Array) => void): Promise<Inflater> {
  const { Decompress } = await import("fzstd");
  return new Decompress(onBytes);
}

/**
 * Decompresses what is gzip or zstd, and passes on what is neither. It goes by the first bytes: the media type of a layer says what it
 * should be, and is sometimes wrong.
 */
export async function* decompress(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  const head = await readHead(chunks);
  const rest = { [Symbol.asyncIterator]: () => chunks };
  const hex = Array.from(head.subarray(0, MAGIC_BYTES), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const format = [GZIP, ZSTD].find(({ magic }) => magic.test(hex));
  if (format === undefined) {
    yield head;
    yield* rest;
  } else {
    yield* inflate(format, head, rest);
  }
}

async function readHead(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head = new Uint8Array();
  while (head.length < MAGIC_BYTES) {
    const next = await chunks.next();
    if (next.done === true) break;
    const joined = new Uint8Array(head.length + next.value.length);
    joined.set(head);
    joined.set(next.value, head.length);
    head = joined;
  }
  return head;
}

async function* inflate({ create, slice }: Format, head: Uint8Array, rest: AsyncIterable<Uint8Array>) {
  let ready: Uint8Array[] = [];
  const inflater = await create((bytes) => ready.push(bytes));
  const take = function* (bytes: Uint8Array, final = false) {
    for (let at = 0; at < bytes.length || final; at += slice) {
      inflater.push(bytes.subarray(at, at + slice), final);
      yield* ready;
      ready = [];
      if (final) return;
    }
  };
  yield* take(head);
  for await (const chunk of rest) yield* take(chunk);
  yield* take(new Uint8Array(), true);
}
