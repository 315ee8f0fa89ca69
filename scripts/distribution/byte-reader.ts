/** Bytes by their place, from a stream that is opened where they are wanted and kept open for those that follow. */
export class ByteReader {
  readonly #open: (offset: number) => AsyncIterable<Uint8Array>;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  #rest: Uint8Array = new Uint8Array();
  #position = 0;

  constructor(open: (offset: number) => AsyncIterable<Uint8Array>) {
    this.#open = open;
  }

  /** The bytes from `start`, at most so many: fewer where there are no more. One reading at a time. */
  async *read(start: number, length: number): AsyncGenerator<Uint8Array> {
    if (this.#iterator === undefined || this.#position !== start) {
      await this.close();
      this.#iterator = this.#open(start)[Symbol.asyncIterator]();
      this.#position = start;
    }
    let left = length;
    while (left > 0) {
      const chunk = this.#rest.length > 0 ? this.#rest : await this.#next();
      if (chunk === undefined) return;
      const wanted = chunk.subarray(0, left);
      this.#rest = chunk.subarray(wanted.length);
      this.#position += wanted.length;
      left -= wanted.length;
      yield wanted;
    }
  }

  async close(): Promise<void> {
    const iterator = this.#iterator;
    this.#iterator = undefined;
    this.#rest = new Uint8Array();
    await iterator?.return?.();
  }

  async #next(): Promise<Uint8Array | undefined> {
    const step = await this.#iterator?.next();
    return step === undefined || step.done === true ? undefined : step.value;
  }
}
