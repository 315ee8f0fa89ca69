import { createTarDecoder, type ParsedTarEntry } from "modern-tar";
import { decompress } from "./decompress.ts";
import { type LayerEntry, toEntry } from "./entry.ts";

/** Two empty blocks end an archive. */
const END_OF_ARCHIVE = new Uint8Array(1024);

/**
 * Reads the headers of a layer, compressed or not, from its bytes; what stands between them is skipped.
 * @throws Error for a layer that ends early or is no archive.
 */
export async function readEntries(
  source: AsyncIterable<Uint8Array>,
  onEntry: (entry: LayerEntry) => void,
): Promise<void> {
  const { readable, writable } = createTarDecoder({ strict: true });
  await Promise.all([writeAll(decompress(source), writable), readHeaders(readable, onEntry)]);
}

async function writeAll(bytes: AsyncIterable<Uint8Array>, writable: WritableStream<Uint8Array>): Promise<void> {
  const writer = writable.getWriter();
  try {
    for await (const chunk of bytes) await writer.write(chunk);
    // Some builders leave out the end, and runtimes do not mind. In the midst of a file, the decoder takes it for what is missing, and
    // then misses the end itself.
    await writer.write(END_OF_ARCHIVE);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    throw error;
  }
}

async function readHeaders(readable: ReadableStream<ParsedTarEntry>, onEntry: (entry: LayerEntry) => void) {
  const reader = readable.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    onEntry(toEntry(value.header));
    // The decoder waits for somebody to take the content, or to say that nobody wants it.
    await value.body.cancel();
  }
}
