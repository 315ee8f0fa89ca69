import type { ByteRange } from "../oci/range.ts";

/** The client's end of a blob that is on its way here: it is given its part of the bytes as they come. */
export class ClientEnd {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #writable: WritableStream<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #range: ByteRange;
  #position = 0;
  /** The client has all that it wants, or is gone. */
  #isDone = false;

  constructor(range: ByteRange) {
    const { readable, writable } = new FixedLengthStream(range.length);
    this.readable = readable;
    this.#writable = writable;
    this.#writer = writable.getWriter();
    this.#range = range;
  }

  /** Gives the client what it wants of the next bytes. Settles when they may be overwritten; a client that is gone is no error. */
  async write(bytes: Uint8Array): Promise<void> {
    const { offset, length } = this.#range;
    const from = Math.max(offset - this.#position, 0);
    const to = Math.min(offset + length - this.#position, bytes.byteLength);
    this.#position += bytes.byteLength;
    if (this.#isDone) return;
    try {
      if (from < to) await this.#writer.write(bytes.subarray(from, to));
      if (this.#position >= offset + length) await this.close();
    } catch {
      this.#isDone = true;
    }
  }

  /** Gives the client its part from elsewhere; nothing else is given then. */
  async pipe(body: ReadableStream<Uint8Array>): Promise<void> {
    this.#isDone = true;
    this.#writer.releaseLock();
    await body.pipeTo(this.#writable);
  }

  async close(): Promise<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    await this.#writer.close().catch(() => undefined);
  }

  /** Breaks the client's stream off: it must not take what it has for all. */
  async abort(reason: unknown): Promise<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    await this.#writer.abort(reason).catch(() => undefined);
  }
}
