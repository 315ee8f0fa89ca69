import { OciError } from "../oci/error.ts";
import { compressionOf } from "../oci/compression.ts";
import type { ByteSource } from "./byte-source.ts";
import { unzstd } from "./zstd.ts";

/**
 * What the runtime's gzip takes in at once. It unpacks all of it into memory before it looks at anything else, and a byte can stand
 * for a thousand.
 */
const GZIP_STEP_BYTES = 8 * 1024;

const READ_BYTES = 256 * 1024;

/** What unpacks to more than this is no archive of images, but a bomb: those come to less than a twentieth of it. */
const RATIO_MAX = 200;

/** So much may come of anything. */
const UNPACKED_FREE_BYTES = 32 * 1024 * 1024;

/** An archive's bytes without gzip or zstd around them: which of the two they have, if any, they say themselves. */
export async function* decompress(source: ByteSource): AsyncGenerator<Uint8Array, void> {
  const magic = await source.takeUpTo(4);
  source.unread(magic);
  const compression = compressionOf(magic);
  if (compression === "none") {
    yield* source.remainder();
    return;
  }
  let received = 0;
  const count = (piece: Uint8Array) => (received += piece.byteLength);
  let unpacked = 0;
  for await (const piece of compression === "gzip" ? gunzip(source, count) : unzstd(source, count)) {
    unpacked += piece.byteLength;
    if (unpacked > UNPACKED_FREE_BYTES + RATIO_MAX * received) {
      throw new OciError("SIZE_INVALID", { message: `the archive unpacks to more than ${RATIO_MAX} times its size` });
    }
    yield piece;
  }
}

/**
 * Unpacks as fast as it is read, and no faster: the runtime takes in all that it is given, and keeps it unpacked in memory. So
 * nothing is written before all is read that came of what was written before.
 */
async function* gunzip(source: ByteSource, count: (piece: Uint8Array) => void): AsyncGenerator<Uint8Array, void> {
  const { readable, writable } = new DecompressionStream("gzip");
  const [writer, reader] = [writable.getWriter(), readable.getReader({ mode: "byob" })];
  let buffer = new ArrayBuffer(READ_BYTES);
  let isClosed = false;
  const feed = async (): Promise<void> => {
    const piece = await source.next(GZIP_STEP_BYTES);
    isClosed = piece === undefined;
    if (piece) count(piece);
    await damaged(piece ? writer.write(piece) : writer.close());
  };
  try {
    for (let isEmpty = true; ;) {
      let isSettled = false;
      const read = damaged(reader.read(new Uint8Array(buffer))).finally(() => (isSettled = true));
      // Awaited below; until then a failure must not count as unhandled.
      read.catch(() => undefined);
      if (!isEmpty) await scheduler.wait(0);
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it changes while this waits
      while (!isSettled && !isClosed) {
        await feed();
        // What is there is read at once, or in the next turn.
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- as above
        if (!isSettled) await scheduler.wait(0);
      }
      const { value, done } = await read;
      if (done) return;
      // A read that is not full has read all that there was.
      isEmpty = value.byteLength < READ_BYTES;
      yield value;
      buffer = value.buffer;
    }
  } finally {
    await writer.abort().catch(() => undefined);
    await reader.cancel().catch(() => undefined);
  }
}

async function damaged<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch {
    throw new OciError("BLOB_UPLOAD_INVALID", { message: "the archive is not valid gzip, or not all of it" });
  }
}
