import { createHash } from "node:crypto";

/*
 * The streams of the Workers runtime, as far as src uses them. Node's own lack some of what the runtime has
 * (readAtLeast, FixedLengthStream, DigestStream), are slow, and settle when they like. These settle in microtasks alone, so
 * that the scheduler owns every moment at which something else may happen.
 */

/** Where a stream's bytes come from: undefined is their end. */
export interface Source {
  pull(): Promise<Uint8Array | undefined>;
  /** Nobody will read on. */
  cancel(reason: unknown): void;
}

interface Sink {
  getWriter(): Pick<WritableStreamDefaultWriter, "write" | "close" | "abort">;
}

/** A readable stream; `asStream` gives it the runtime's type. */
export class SimulatedStream {
  readonly #source: Source;
  #rest: Uint8Array = new Uint8Array(0);
  #isAtEnd = false;

  constructor(source: Source) {
    this.#source = source;
  }

  static ofBytes(bytes: Uint8Array): SimulatedStream {
    let rest: Uint8Array | undefined = bytes;
    return new SimulatedStream({
      pull: async () => {
        const all = rest;
        rest = undefined;
        return await Promise.resolve(all);
      },
      cancel: () => undefined,
    });
  }

  get asStream(): ReadableStream<Uint8Array> {
    return this as unknown as ReadableStream<Uint8Array>;
  }

  /** What ReadableStreamBYOBReader.readAtLeast gives: the view's buffer changes hands, and is filled as far as bytes come. */
  async readAtLeast(min: number, view: Uint8Array): Promise<{ value: Uint8Array; done: boolean }> {
    const target = new Uint8Array((view.buffer as ArrayBuffer).transfer());
    let filled = 0;
    while (filled < min && !this.#isAtEnd) {
      const piece = this.#rest.byteLength > 0 ? this.#rest : await this.#source.pull();
      if (piece === undefined) this.#isAtEnd = true;
      else {
        const taken = piece.subarray(0, target.byteLength - filled);
        target.set(taken, filled);
        filled += taken.byteLength;
        this.#rest = piece.subarray(taken.byteLength);
      }
    }
    return { value: target.subarray(0, filled), done: this.#isAtEnd && filled === 0 };
  }

  getReader() {
    return {
      readAtLeast: async (min: number, view: Uint8Array) => await this.readAtLeast(min, view),
      cancel: async (reason?: unknown) => await this.cancel(reason),
    };
  }

  async cancel(reason?: unknown): Promise<void> {
    this.#source.cancel(reason);
    await Promise.resolve();
  }

  async pipeTo(sink: Sink): Promise<void> {
    const writer = sink.getWriter();
    for (let piece = await this.#source.pull(); piece; piece = await this.#source.pull()) await writer.write(piece);
    await writer.close();
  }

  /** All bytes in memory. */
  async collect(): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for (let piece = await this.#source.pull(); piece; piece = await this.#source.pull()) pieces.push(piece.slice());
    return new Uint8Array(Buffer.concat(pieces));
  }
}

/** `crypto.DigestStream`. */
export class SimulatedDigestStream {
  readonly #hash: ReturnType<typeof createHash>;
  readonly #digest = Promise.withResolvers<ArrayBuffer>();

  constructor(algorithm: string) {
    this.#hash = createHash(algorithm.replace("-", ""));
  }

  get digest(): Promise<ArrayBuffer> {
    return this.#digest.promise;
  }

  getWriter() {
    return {
      write: async (bytes: Uint8Array) => {
        this.#hash.update(bytes);
        await Promise.resolve();
      },
      close: async () => {
        this.#digest.resolve(new Uint8Array(this.#hash.digest()).buffer);
        await Promise.resolve();
      },
      abort: async () => await Promise.resolve(),
    };
  }
}

/** `FixedLengthStream`: a write settles once the other end has taken its bytes, and the end must come where it was announced. */
export class SimulatedFixedLengthStream {
  readonly #length: number;
  #written = 0;
  /** What was written and not taken yet, and how to tell the writer that it was. */
  #offered: { readonly piece: Uint8Array | undefined; readonly taken: () => void } | undefined;
  #waiting: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  #broken: { readonly reason: unknown } | undefined;
  #refuseOffered: ((reason: unknown) => void) | undefined;
  readonly readable: SimulatedStream;

  constructor(length: number) {
    this.#length = length;
    this.readable = new SimulatedStream({
      pull: async () => await this.#pull(),
      cancel: (reason) => this.#break(reason),
    });
  }

  get writable(): Sink {
    return {
      getWriter: () => ({
        write: async (bytes: Uint8Array) => {
          this.#written += bytes.byteLength;
          if (this.#written > this.#length) throw this.#break(new TypeError("more bytes than were announced"));
          await this.#offer(bytes.slice());
        },
        close: async () => {
          if (this.#written < this.#length) throw this.#break(new TypeError("fewer bytes than were announced"));
          await this.#offer(undefined);
        },
        abort: async (reason?: unknown) => {
          this.#break(reason);
          await Promise.resolve();
        },
      }),
    };
  }

  #break(reason: unknown): Error {
    const error = reason instanceof Error ? reason : new Error(String(reason));
    this.#broken ??= { reason: error };
    this.#waiting?.reject(error);
    this.#refuseOffered?.(error);
    return error;
  }

  async #offer(piece: Uint8Array | undefined): Promise<void> {
    if (this.#broken) throw this.#broken.reason;
    if (this.#waiting) {
      this.#waiting.resolve(piece);
      this.#waiting = undefined;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.#offered = { piece, taken: () => resolve(undefined) };
    this.#refuseOffered = reject;
    await promise;
  }

  async #pull(): Promise<Uint8Array | undefined> {
    if (this.#broken) throw this.#broken.reason;
    if (this.#offered) {
      const { piece, taken } = this.#offered;
      this.#offered = undefined;
      taken();
      return piece;
    }
    this.#waiting = Promise.withResolvers();
    return await this.#waiting.promise;
  }
}

/** `Response`, of which src uses nothing but the way from a stream to its bytes. */
export class SimulatedResponse {
  readonly #body: SimulatedStream;

  constructor(body: SimulatedStream | string) {
    this.#body = typeof body === "string" ? SimulatedStream.ofBytes(new TextEncoder().encode(body)) : body;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.#body.collect()).buffer as ArrayBuffer;
  }
}
