import type { Network } from "./network.ts";
import type { Random } from "./random.ts";
import type { Run } from "./run.ts";
import { SimulatedStream } from "./streams.ts";

/** A request's body: its pieces come when the scheduler lets them, and it may break off. */
export function bodyOf(network: Network, random: Random, run: Run, bytes: Uint8Array): ReadableStream {
  const pieceSize = random.pick([9, 40, 1_000]);
  let position = 0;
  let isCancelled = false;
  const stream = new SimulatedStream({
    pull: async () => {
      if (isCancelled || position >= bytes.byteLength) return undefined;
      const start = position;
      position += pieceSize;
      return await network.receive(run, `body from ${start}`, () => bytes.subarray(start, start + pieceSize));
    },
    cancel: () => {
      isCancelled = true;
    },
  });
  return stream.asStream;
}
