import { ask } from "../../api.ts";
import type { Descriptor } from "../manifest.ts";
import { blobPath, pullScope } from "../read.ts";
import type { LayerEntry } from "./entry.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { NODES_MAX } from "./tree.ts";

/** How far the reading of a layer is. */
export interface LayerProgress {
  /** Of the layer as it is stored. */
  readonly bytes: number;
  readonly entries: number;
}

/** What is in a layer. */
export interface LoadedLayer {
  readonly entries: readonly LayerEntry[];
  /** True where the layer has more than is kept. */
  readonly isCut: boolean;
}

/** Where the build put the worker: its name has its content in it. */
function workerAddress(): string {
  const address = document.querySelector<HTMLMetaElement>('meta[name="layer-worker"]')?.content;
  if (address === undefined) throw new Error("the page does not say where its worker is");
  return address;
}

/**
 * Reads a layer, without keeping its bytes: they go to a worker as they come, at the pace at which it reads.
 * @throws ApiError if the registry refuses; LayerError for a layer that cannot be read.
 */
export async function loadLayer(
  name: string,
  { digest }: Descriptor,
  signal: AbortSignal,
  onProgress: (progress: LayerProgress) => void,
): Promise<LoadedLayer> {
  const stop = new AbortController();
  const response = await ask(blobPath(name, digest), {
    scope: pullScope(name),
    signal: AbortSignal.any([signal, stop.signal]),
  });
  const worker = new Worker(workerAddress(), { type: "module" });
  try {
    return await feed(response, newPeer(worker, signal), onProgress);
  } finally {
    worker.terminate();
    // What was not read need not come.
    stop.abort();
  }
}

/** A layer that is not what it should be. */
export class LayerError extends Error {
  override readonly name = "LayerError";
}

type Peer = (bytes: Uint8Array | undefined) => Promise<FromWorker>;

/** Each message has its answer, in order. */
function newPeer(worker: Worker, signal: AbortSignal): Peer {
  return async (bytes) =>
    await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => resolve(data);
      worker.onerror = () => reject(new Error("the page's worker did not start"));
      signal.onabort = () => reject(new DOMException("The reading was cancelled.", "AbortError"));
      worker.postMessage({ bytes } satisfies ToWorker, bytes === undefined ? [] : [bytes.buffer]);
    });
}

async function feed(response: Response, send: Peer, onProgress: (progress: LayerProgress) => void) {
  const entries: LayerEntry[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { done: true };
    bytes += value?.length ?? 0;
    const answer = await send(value);
    if ("failure" in answer) throw new LayerError(answer.failure);
    for (const entry of answer.entries) entries.push(entry);
    onProgress({ bytes, entries: entries.length });
    if (entries.length >= NODES_MAX) return { entries: entries.slice(0, NODES_MAX), isCut: true };
    if (done) return { entries, isCut: false };
  }
}
