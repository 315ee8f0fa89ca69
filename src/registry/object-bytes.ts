import type { Context } from "../context.ts";
import { logError } from "../log.ts";
import type { ByteRange } from "../oci/range.ts";
import type { EdgeCache, SizedObject } from "../storage/edge-cache.ts";
import { getStream } from "../storage/objects.ts";

/** A cache that fails is none. */
async function readNear(
  edge: EdgeCache,
  object: SizedObject,
  range: ByteRange | undefined,
): Promise<ReadableStream<Uint8Array> | undefined> {
  try {
    return await edge.read(object, range);
  } catch (error) {
    logError("reading the data centre's cache failed", error);
    return undefined;
  }
}

/**
 * The bytes of an object, or a part of them: from the data centre's cache, else from R2. One class B operation, or none; and
 * one more in the background when the whole object is put into the cache. It is read twice then, since a stream for two readers
 * waits in memory for the slower one, which is a client: 500 MB of a layer would. A part fills no cache: it is no whole.
 */
export async function readObject(
  { bucket, edge, now, defer }: Context,
  object: SizedObject,
  range?: ByteRange,
): Promise<ReadableStream<Uint8Array>> {
  if (!edge) return await getStream(bucket, object.key, range);
  const near = await readNear(edge, object, range);
  if (near) return near;
  const body = await getStream(bucket, object.key, range);
  if (!range && edge.claimWrite(object, now())) {
    defer(getStream(bucket, object.key).then(async (copy) => await edge.write(object, copy)));
  }
  return body;
}
