import { EMPTY_TAIL, type UploadTail } from "../oci/upload-session.ts";
import { newBlobKey, newTailKey } from "./keys.ts";
import { getBytes, putBytes } from "./objects.ts";

/** Tails up to this size lie in the session's row: a chunk of a few bytes costs no object. */
const INLINE_MAX_BYTES = 64 * 1024;

/** Copies a tail's bytes into the start of `target`. One class B operation for each piece. */
export async function readTail(bucket: R2Bucket, tail: UploadTail, target: Uint8Array): Promise<void> {
  let position = 0;
  for (const piece of tail.pieces) {
    // One after another: each lies in memory twice while it is copied, and there may be many.
    target.set(await getBytes(bucket, piece.key), position);
    position += piece.size;
  }
  target.set(Uint8Array.fromBase64(tail.inline), position);
}

/**
 * A tail with more bytes at its end. What lies in objects is never written again. At most one class A operation.
 * @param fromFirstByte the tail begins where the upload begins: its first piece may become the blob as it lies.
 * @param onCreate hears of a new object before anything is in it.
 */
export async function appendTail(
  bucket: R2Bucket,
  tail: UploadTail,
  bytes: Uint8Array,
  fromFirstByte: boolean,
  onCreate: (key: string) => void,
): Promise<UploadTail> {
  const inline = Uint8Array.fromBase64(tail.inline);
  const length = inline.byteLength + bytes.byteLength;
  const joined = inline.byteLength === 0 ? bytes : new Uint8Array(length);
  if (joined !== bytes) {
    joined.set(inline);
    joined.set(bytes, inline.byteLength);
  }
  if (length <= INLINE_MAX_BYTES) return { pieces: tail.pieces, inline: joined.toBase64() };
  const mayBecomeBlob = fromFirstByte && tail.pieces.length === 0;
  const piece = { key: mayBecomeBlob ? newBlobKey() : newTailKey(), size: length };
  onCreate(piece.key);
  await putBytes(bucket, piece.key, joined);
  return { pieces: [...tail.pieces, piece], inline: EMPTY_TAIL.inline };
}
