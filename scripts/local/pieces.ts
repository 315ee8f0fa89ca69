import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** A minor collection takes less than a millisecond, as the heap is small. */
const COLLECTED_BYTES = 4_000_000;

let bytes = 0;

/**
 * Counts a piece of a stream that has passed. Pieces lie outside of V8's heap: it sees small handles only, and would let 64 MB of them
 * gather. Does nothing where collections cannot be asked for.
 */
export function countPiece({ length }: Uint8Array): void {
  bytes += length;
  if (bytes < COLLECTED_BYTES) return;
  bytes = 0;
  globalThis.gc?.({ type: "minor" });
}

/** Lets this process ask for collections, as `--expose-gc` does. */
export function allowCollections(): void {
  setFlagsFromString("--expose-gc");
  globalThis.gc ??= runInNewContext("gc") as NodeJS.GCFunction;
}
