import { OciError } from "../oci/error.ts";
import { BodyError } from "./body-reader.ts";
import type { StreamHash } from "./hashing.ts";

/**
 * Stores bytes of a known length in one put and hashes them on the way: no buffer of a part, no multipart upload. One class
 * A operation.
 * @param pieces each is done with when the next is asked for.
 * @throws BodyError and OciError that the pieces throw when they break off: nothing is stored then.
 */
export async function putHashed(
  bucket: R2Bucket,
  key: string,
  pieces: AsyncIterable<Uint8Array>,
  length: number,
  hash: StreamHash | undefined,
): Promise<void> {
  const { readable, writable } = new FixedLengthStream(length);
  const writer = writable.getWriter();
  const stored = bucket.put(key, readable);
  // The pump below learns of a failure through the writer, also of one that came before R2 took the first byte; the cause
  // is thrown where `stored` is awaited.
  stored.catch(async (error: unknown) => await writer.abort(error).catch(() => undefined));
  try {
    for await (const bytes of pieces) {
      await hash?.update(bytes);
      // Settles once the other end has taken the bytes: the next piece may then overwrite them.
      await writer.write(bytes);
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    if (error instanceof BodyError || error instanceof OciError) {
      await stored.catch(() => undefined);
      throw error;
    }
  }
  await stored;
}
