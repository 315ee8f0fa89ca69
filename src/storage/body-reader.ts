/** Large enough that a read costs little beside its bytes, small enough that a broken connection loses little. */
export const READ_SIZE_BYTES = 256 * 1024;

/** A body that ended before its time: the client is gone, or sent less than it said. */
export class BodyError extends Error {
  override readonly name = "BodyError";
}

/**
 * Reads a body in large pieces, through a reader that brings its own buffer: half the time of an ordinary one. Each
 * piece is valid until the next is asked for.
 * @throws BodyError when the body breaks off; what came before has been given.
 */
export async function* readBody(body: ReadableStream): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader({ mode: "byob" });
  let buffer = new ArrayBuffer(READ_SIZE_BYTES);
  let finished = false;
  try {
    while (!finished) {
      const { value, done } = await readFully(reader, buffer);
      finished = done;
      if (value !== undefined && value.byteLength > 0) yield value;
      if (value !== undefined) buffer = value.buffer as ArrayBuffer;
    }
  } finally {
    if (!finished) await reader.cancel().catch(() => undefined);
  }
}

async function readFully(
  reader: ReadableStreamBYOBReader,
  buffer: ArrayBuffer,
): Promise<{ value?: Uint8Array | undefined; done: boolean }> {
  try {
    return await reader.readAtLeast(buffer.byteLength, new Uint8Array(buffer));
  } catch (cause) {
    throw new BodyError("the request's body broke off", { cause });
  }
}
