import type { Readable } from "node:stream";
import { countPiece } from "../local/pieces.ts";

/** Memory for one body. */
export const WINDOW_BYTES = 24 * 1024 * 1024;
/** How far a body is read ahead of who reads it, unless it is held. */
const AHEAD_BYTES = 1024 * 1024;
/** What a reader gets at once. */
const VIEW_BYTES = 128 * 1024;

/** The client went away before its body had ended. */
export class BodyBroken extends Error {
  override readonly name = "BodyBroken";
}

/** What was to be read again is held no more. */
class WindowPassed extends Error {
  override readonly name = "WindowPassed";
}

/**
 * The last bytes of a body that comes once: a ring, from which they can be read again. The body is let come only as fast as it is
 * read, and no faster than the ring has room for what must stay.
 */
export class Window {
  readonly #source: Readable;
  readonly #capacity: number;
  #ring: Buffer | undefined;
  /** How many bytes have come. */
  #end = 0;
  #hasEnded = false;
  #isBroken = false;
  /** How far the reader is. */
  #read = 0;
  /** Up to where nothing is needed any more. */
  #released = 0;
  #isHeld = false;
  #turn = 0;
  #more = Promise.withResolvers<undefined>();

  /** @param capacity bytes that it holds at most; no more are taken than `length`, where that is known. */
  constructor(source: Readable, length: number | undefined, capacity = WINDOW_BYTES) {
    this.#source = source;
    this.#capacity = Math.min(capacity, Math.max(1, length ?? capacity));
    source.on("data", (piece: Buffer) => this.#take(piece));
    source.once("end", () => this.#settle("ended"));
    source.once("error", () => this.#settle("broken"));
    source.once("close", () => this.#settle("broken"));
  }

  /** The length of the body; undefined as long as it has not ended. */
  get total(): number | undefined {
    return this.#hasEnded ? this.#end : undefined;
  }

  /** How many bytes have come. */
  get end(): number {
    return this.#end;
  }

  /** The first byte that can still be read. */
  get start(): number {
    return Math.max(0, this.#end - this.#capacity);
  }

  /** Whether the client went away. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Nothing before `position` is needed any more. */
  release(position: number): void {
    this.#released = position;
    this.#flow();
  }

  /** From now on everything stays until it is released, and is read ahead as far as there is room. */
  hold(): void {
    this.#isHeld = true;
    this.#flow();
  }

  /** Waits until so many bytes of the body have come, or it has ended. @throws BodyBroken */
  async reach(position: number): Promise<void> {
    while (this.#end < position && !this.#hasEnded) {
      if (this.#isBroken) throw new BodyBroken();
      await this.#more.promise;
    }
  }

  /**
   * The bytes from `position`, at most so many: fewer where the body ends. A reading that begins ends the one before. What it
   * gives are views, to be used before the ring comes round.
   * @throws WindowPassed, BodyBroken
   */
  async *read(position: number, length: number): AsyncGenerator<Uint8Array> {
    this.#turn += 1;
    const turn = this.#turn;
    const last = position + length;
    this.#read = position;
    while (this.#read < last) {
      await this.reach(this.#read + 1);
      if (turn !== this.#turn) throw new WindowPassed("another reading has begun");
      const view = this.#view(this.#read, last);
      if (view === undefined) return;
      this.#read += view.length;
      this.#flow();
      yield view;
    }
  }

  /** Takes nothing more, and leaves the rest of the body to whoever wants it. */
  close(): void {
    this.#turn += 1;
    this.#source.removeAllListeners("data");
    this.#settle("broken");
    this.#ring = undefined;
  }

  #view(position: number, last: number): Uint8Array | undefined {
    if (position < this.start) throw new WindowPassed();
    const at = position % this.#capacity;
    const length = Math.min(last - position, this.#end - position, this.#capacity - at, VIEW_BYTES);
    return length > 0 ? this.#ring?.subarray(at, at + length) : undefined;
  }

  /** How many bytes may come: a body that is held waits for room, another one for its reader. */
  get #room(): number {
    if (this.#isHeld) return this.#capacity - (this.#end - this.#released);
    return Math.min(AHEAD_BYTES, this.#capacity) - (this.#end - this.#read);
  }

  #take(piece: Buffer): void {
    const room = this.#room;
    const taken = piece.subarray(0, Math.max(room, 0));
    this.#keep(taken);
    if (room <= piece.length) this.#source.pause();
    if (taken.length < piece.length) this.#source.unshift(piece.subarray(taken.length));
    countPiece(piece);
    this.#tell();
  }

  #keep(bytes: Buffer): void {
    this.#ring ??= Buffer.allocUnsafeSlow(this.#capacity);
    for (let done = 0; done < bytes.length;) {
      const copied = bytes.copy(this.#ring, this.#end % this.#capacity, done);
      done += copied;
      this.#end += copied;
    }
  }

  #flow(): void {
    if (this.#room > 0 && this.#source.isPaused()) this.#source.resume();
  }

  #settle(how: "ended" | "broken"): void {
    if (this.#hasEnded || this.#isBroken) return;
    if (how === "ended") this.#hasEnded = true;
    else this.#isBroken = true;
    this.#tell();
  }

  #tell(): void {
    this.#more.resolve(undefined);
    this.#more = Promise.withResolvers();
  }
}
