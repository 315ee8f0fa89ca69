import { randomBytes } from "node:crypto";

const BLOCK_BYTES = 512;
const CHUNK_BYTES = 4 * 1024 * 1024;
const END_OF_ARCHIVE = Buffer.alloc(2 * BLOCK_BYTES);

/** A tar archive with nothing in it: what builders write as an empty layer. */
export function emptyTar(): Buffer {
  return END_OF_ARCHIVE;
}

/** A tar archive of one small file. */
export function tarOf(name: string, content: string): Buffer {
  const body = Buffer.from(content);
  return Buffer.concat([header(name, body.length), body, padding(body.length), END_OF_ARCHIVE]);
}

/** A tar archive of one file of random bytes, which no compression makes smaller, piece by piece. */
export function* tarOfRandom(name: string, sizeBytes: number): Generator<Buffer> {
  yield header(name, sizeBytes);
  for (let left = sizeBytes; left > 0; left -= CHUNK_BYTES) {
    yield randomBytes(Math.min(left, CHUNK_BYTES));
  }
  yield padding(sizeBytes);
  yield END_OF_ARCHIVE;
}

/** A file's header in the POSIX ustar format; it has no time stamp, so equal files make equal archives. */
function header(name: string, sizeBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(name, 0);
  block.write("0000644\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  block.write(`${sizeBytes.toString(8).padStart(11, "0")}\0`, 124);
  block.write("00000000000\0", 136);
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\u000000", 257);
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function padding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}
