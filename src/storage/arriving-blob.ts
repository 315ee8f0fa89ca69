import { type Digest, digestAlgorithm } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import { choosePartSize, EMPTY_TAIL, type UploadSession } from "../oci/upload-session.ts";
import { BodyError, READ_SIZE_BYTES } from "./body-reader.ts";
import { NativeHash } from "./hashing.ts";
import { newBlobKey } from "./keys.ts";
import { PUT_MAX_BYTES } from "./objects.ts";
import { type CreatedObject, PartWriter } from "./part-writer.ts";
import { putHashed } from "./streamed-put.ts";

/** How long the source may keep silent in the midst of its bytes. */
const SILENCE_MS = 30_000;

/**
 * The bytes of a blob as they come, however few at a time. The last of them are given only when all have the digest, and are as many as
 * was said.
 * @throws BodyError when the source breaks off or falls silent; OciError DIGEST_INVALID, SIZE_INVALID.
 */
export async function* verifiedBytes(
  body: ReadableStream,
  { digest, size }: { readonly digest: Digest; readonly size: number },
): AsyncGenerator<Uint8Array, void> {
  const hash = new NativeHash(digestAlgorithm(digest));
  const reader = body.getReader({ mode: "byob" });
  let buffer = new ArrayBuffer(READ_SIZE_BYTES);
  let received = 0;
  try {
    if (size === 0 && (await hash.end()).digest !== digest) throw new OciError("DIGEST_INVALID");
    while (received < size) {
      const { value, done } = await readSome(reader, buffer);
      if (done) throw new BodyError(`the source ended after ${received} of ${size} bytes`);
      received += value.byteLength;
      if (received > size) throw new OciError("SIZE_INVALID");
      await hash.update(value);
      if (received === size && (await hash.end()).digest !== digest) throw new OciError("DIGEST_INVALID");
      yield value;
      buffer = value.buffer;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function readSome(reader: ReadableStreamBYOBReader, buffer: ArrayBuffer) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new BodyError(`the source kept silent for ${SILENCE_MS / 1000} s`));
    }, SILENCE_MS);
  });
  try {
    return await Promise.race([reader.read(new Uint8Array(buffer)), silence]);
  } catch (cause) {
    throw cause instanceof BodyError ? cause : new BodyError("the source broke off", { cause });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Stores the bytes of a blob in one put, or in parts where they are too many for one. One class A operation, or one for each part and two
 * more. Holds a piece, or two parts.
 * @param pieces each is done with when the next is asked for.
 * @param onCreate hears of each object before anything is in it.
 * @returns the object's key.
 * @throws what the pieces throw; what R2 throws.
 */
export async function storeArriving(
  bucket: R2Bucket,
  pieces: AsyncIterable<Uint8Array>,
  { digest, size }: { readonly digest: Digest; readonly size: number },
  onCreate: (object: CreatedObject) => void,
  putMaxBytes = PUT_MAX_BYTES,
): Promise<string> {
  if (size <= putMaxBytes) {
    const key = newBlobKey();
    onCreate({ key, multipartId: undefined });
    await putHashed(bucket, key, pieces, size, undefined);
    return key;
  }
  const writer = new PartWriter(bucket, NO_SESSION, choosePartSize(size), size, onCreate);
  try {
    const { isBrokenOff } = await writer.receive(pieces, undefined);
    if (isBrokenOff) throw new BodyError("the source broke off");
    return (await writer.complete(digest, [], size)).key;
  } finally {
    await writer.dispose();
  }
}

/** What a part writer begins with that goes on from nothing. */
const NO_SESSION: UploadSession = {
  ...{ id: "", received: 0, algorithm: "sha256", hash: undefined, multipart: undefined, tail: EMPTY_TAIL },
};
