import { OciError } from "../oci/error.ts";

/** Of the 128 MB of an isolate, what uploads may hold in buffers together. */
const BUFFERS_MAX_BYTES = 80_000_000;

/** How long a request waits for others to free a buffer before it is told to come again. */
const WAIT_MAX_MS = 30_000;
const WAIT_STEP_MS = 25;

/** The memory that uploads fill with parts, counted for the whole isolate, which all its requests share. */
export class PartBuffers {
  readonly #maxBytes: number;
  #heldBytes = 0;
  #peakBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The most bytes that were ever held at once. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** A buffer, if there is room for it now. */
  tryAcquire(size: number): Uint8Array | undefined {
    if (this.#heldBytes + size > this.#maxBytes) return undefined;
    this.#heldBytes += size;
    this.#peakBytes = Math.max(this.#peakBytes, this.#heldBytes);
    return new Uint8Array(size);
  }

  /**
   * A buffer, as soon as there is room. It asks again and again, since a promise of one request must not wait for
   * another's.
   * @throws OciError UNAVAILABLE when there is none for long.
   */
  async acquire(size: number): Promise<Uint8Array> {
    for (let waitedMs = 0; waitedMs < WAIT_MAX_MS; waitedMs += WAIT_STEP_MS) {
      const buffer = this.tryAcquire(size);
      if (buffer) return buffer;
      await scheduler.wait(WAIT_STEP_MS);
    }
    throw new OciError("UNAVAILABLE", {
      message: "too many uploads at once; try again in a moment",
      headers: { "Retry-After": "5" },
    });
  }

  release(buffer: Uint8Array): void {
    this.#heldBytes -= buffer.byteLength;
  }
}

export const partBuffers = new PartBuffers(BUFFERS_MAX_BYTES);
