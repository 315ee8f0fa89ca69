import type { LayerEntry } from "./entry.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { readEntries } from "./read-entries.ts";

// Decompresses and reads a layer beside the page, which stays quick meanwhile. One worker reads one layer.

const pipe = new TransformStream<Uint8Array, Uint8Array>();
const writer = pipe.writable.getWriter();
let found: LayerEntry[] = [];
const reading = readEntries(readAll(pipe.readable), (entry) => found.push(entry));

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => void take(data).then(answer));

const answer = (message: FromWorker): void => postMessage(message);

/** Comes back when the bytes are read, so that no more of them wait here than a chunk. */
async function take({ bytes }: ToWorker): Promise<FromWorker> {
  try {
    await Promise.race([bytes === undefined ? writer.close() : writer.write(bytes), reading]);
    if (bytes === undefined) await reading;
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
  const entries = found;
  found = [];
  return { entries };
}

/** Not every browser can iterate over a stream. */
async function* readAll(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield value;
  }
}
