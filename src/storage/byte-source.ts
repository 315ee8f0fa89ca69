import { OciError } from "../oci/error.ts";

/**
 * Bytes that come in pieces, taken by whoever knows how many it wants. What it gives is a view of a piece, valid until more is asked
 * for.
 */
export class ByteSource {
  readonly #pieces: AsyncIterator<Uint8Array, void>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(pieces: AsyncIterable<Uint8Array, void>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** The next bytes, `max` of them at most; undefined at the end. */
  async next(max: number): Promise<Uint8Array | undefined> {
    while (this.#rest.byteLength === 0) {
      const { value, done } = await this.#pieces.next();
      if (done === true) return undefined;
      this.#rest = value;
    }
    const piece = this.#rest.subarray(0, max);
    this.#rest = this.#rest.subarray(piece.byteLength);
    return piece;
  }

  /** A copy of the next `size` bytes, or of as many as are left: for few of them. */
  async takeUpTo(size: number): Promise<Uint8Array> {
    const taken = new Uint8Array(size);
    let filled = 0;
    while (filled < size) {
      const piece = await this.next(size - filled);
      if (!piece) break;
      taken.set(piece, filled);
      filled += piece.byteLength;
    }
    return taken.subarray(0, filled);
  }

  /** A copy of the next `size` bytes: for few of them. Throws BLOB_UPLOAD_INVALID where there are fewer. */
  async take(size: number): Promise<Uint8Array> {
    const taken = await this.takeUpTo(size);
    if (taken.byteLength < size) throw truncated();
    return taken;
  }

  /** The next `size` bytes, as they come. Throws BLOB_UPLOAD_INVALID where there are fewer. */
  async *stretch(size: number): AsyncGenerator<Uint8Array, void> {
    for (let left = size; left > 0;) {
      const piece = await this.next(left);
      if (!piece) throw truncated();
      left -= piece.byteLength;
      yield piece;
    }
  }

  /** Passes over the next `size` bytes. Throws BLOB_UPLOAD_INVALID where there are fewer. */
  async skip(size: number): Promise<void> {
    for (let left = size; left > 0;) {
      const piece = await this.next(left);
      if (!piece) throw truncated();
      left -= piece.byteLength;
    }
  }

  /** All that is left. */
  async *remainder(): AsyncGenerator<Uint8Array, void> {
    for (let piece = await this.next(Infinity); piece; piece = await this.next(Infinity)) yield piece;
  }

  /** Puts bytes back that were taken, to come first again. */
  unread(bytes: Uint8Array): void {
    const joined = new Uint8Array(bytes.byteLength + this.#rest.byteLength);
    joined.set(bytes);
    joined.set(this.#rest, bytes.byteLength);
    this.#rest = joined;
  }

  /** Lets go of what is left, and of where it comes from. */
  async cancel(): Promise<void> {
    await this.#pieces.return?.();
  }
}

function truncated(): OciError {
  return new OciError("BLOB_UPLOAD_INVALID", { message: "the archive ends before its time" });
}
