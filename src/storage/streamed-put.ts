import { BodyError, readBody } from "./body-reader.ts";
import type { StreamHash } from "./hashing.ts";

/**
 * Stores a body of known length in one put and hashes it on the way: no buffer of a part, no multipart upload. One class
 * A operation.
 * @throws BodyError when the body breaks off: nothing is stored then.
 */
export async function putHashed(
  bucket: R2Bucket,
  key: string,
  body: ReadableStream,
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
    for await (const bytes of readBody(body)) {
      await hash?.update(bytes);
      // Settles once the other end has taken the bytes: the next piece may then overwrite them.
      await writer.write(bytes);
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    if (error instanceof BodyError) {
      await stored.catch(() => undefined);
      throw error;
    }
  }
  await stored;
}
