import type { Context } from "../context.ts";
import { logError } from "../log.ts";
import type { ByteRange } from "../oci/range.ts";
import { cutSegments, type SegmentPart } from "../oci/tar.ts";
import type { SizedObject } from "../storage/edge-cache.ts";
import type { Archive } from "./archives.ts";
import { readObject } from "./object-bytes.ts";

async function sendPart(
  context: Context,
  { segment, offset, length }: SegmentPart<SizedObject>,
  target: WritableStream<Uint8Array>,
): Promise<void> {
  if (segment instanceof Uint8Array) {
    const writer = target.getWriter();
    await writer.write(segment.subarray(offset, offset + length));
    writer.releaseLock();
    return;
  }
  const body = await readPart(context, segment, { offset, length });
  // From the bucket to the client without passing through the Worker's own code.
  await body.pipeTo(target, { preventClose: true });
}

async function readPart(context: Context, object: SizedObject, range: ByteRange): Promise<ReadableStream<Uint8Array>> {
  try {
    return await readObject(context, object, range.length === object.size ? undefined : range);
  } catch (error) {
    // The answer has begun: all that the client learns is that it breaks off.
    logError("an archive breaks off", error, { key: object.key });
    throw error;
  }
}

/**
 * The bytes of an archive, or a part of them; each object is asked for when its turn comes, at the cost of {@link readObject}, and
 * only as much of it as is wanted.
 */
export function readArchive(context: Context, { segments, size }: Archive, range?: ByteRange): ReadableStream {
  const { offset, length } = range ?? { offset: 0, length: size };
  const { readable, writable } = new FixedLengthStream(length);
  const send = async () => {
    try {
      for (const part of cutSegments(segments, { offset, length })) await sendPart(context, part, writable);
      await writable.close();
    } catch (error) {
      // A client that goes away ends it too.
      await writable.abort(error).catch(() => undefined);
    }
  };
  void send();
  return readable;
}
