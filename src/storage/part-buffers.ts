import { OciError } from "../oci/error.ts";

/** Of the 128 MB of an isolate, what uploads may hold in buffers together. */
const BUFFERS_MAX_BYTES = 80_000_000;

/** How long a request waits for others to free a buffer before it is told to come again. */
const WAIT_MAX_MS = 30_000;
const WAIT_STEP_MS = 25;

/** Most blobs are smaller: a buffer for one takes as much memory to begin with. */
const FIRST_BYTES = 1024 * 1024;

/** Room for so many bytes, which takes memory as they come. */
export class PartBuffer {
  readonly size: number;
  #bytes: Uint8Array<ArrayBuffer>;

  constructor(size: number) {
    this.size = size;
    this.#bytes = new Uint8Array(Math.min(size, FIRST_BYTES));
  }

  /** Copies the bytes to their place. */
  set(bytes: Uint8Array, position: number): void {
    this.subarray(position, position + bytes.byteLength).set(bytes);
  }

  /** The bytes there, as long as nothing is set or asked for behind them. */
  subarray(start: number, end: number): Uint8Array<ArrayBuffer> {
    const { byteLength } = this.#bytes;
    if (end > this.size) throw new RangeError(`a buffer of ${this.size} bytes has none at ${end}`);
    if (end > byteLength) {
      const grown = Math.min(this.size, Math.max(end, 2 * byteLength));
      this.#bytes = new Uint8Array(this.#bytes.buffer.transfer(grown));
    }
    return this.#bytes.subarray(start, end);
  }
}

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
  tryAcquire(size: number): PartBuffer | undefined {
    if (this.#heldBytes + size > this.#maxBytes) return undefined;
    this.#heldBytes += size;
    this.#peakBytes = Math.max(this.#peakBytes, this.#heldBytes);
    return new PartBuffer(size);
  }

  /**
   * A buffer, as soon as there is room. It asks again and again, since a promise of one request must not wait for
   * another's.
   * @throws OciError UNAVAILABLE when there is none for long.
   */
  async acquire(size: number): Promise<PartBuffer> {
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

  release(buffer: PartBuffer): void {
    this.#heldBytes -= buffer.size;
  }
}

export const partBuffers = new PartBuffers(BUFFERS_MAX_BYTES);
