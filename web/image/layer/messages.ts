import type { LayerEntry } from "./entry.ts";

/** What the page tells the worker: more of the layer's bytes, or, with undefined, that there are no more. */
export interface ToWorker {
  readonly bytes: Uint8Array | undefined;
}

/** What the worker answers to each of them: what it found since, or why it cannot go on. */
export type FromWorker = { readonly entries: readonly LayerEntry[] } | { readonly failure: string };
