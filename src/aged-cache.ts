interface Entry<V> {
  value: V;
  /** When the value was asked for, in milliseconds since the epoch: it may be as old as that. */
  readonly since: number;
  readonly bytes: number;
}

/** How much is kept at most. */
interface Bounds {
  readonly entries: number;
  /** Of memory, as `put` is told it. */
  readonly bytes: number;
}

/**
 * What an isolate remembers of answers, with the time at which each was asked for: it is the reader who says how old one may
 * be. Those that nobody has read for the longest time make room for others.
 */
export class AgedCache<V> {
  readonly #bounds: Bounds;
  readonly #entries = new Map<string, Entry<V>>();
  #bytes = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** Memory of all that is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value of a key, if it was asked for later than `after`. */
  get(key: string, after: number): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.since <= after) return undefined;
    // The entry goes to the end; the first is the one that nobody has read for the longest time.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Keeps a value, unless a newer one is there. */
  put(key: string, value: V, since: number, bytes: number): void {
    const known = this.#entries.get(key);
    if (known !== undefined && known.since > since) return;
    this.#delete(key);
    if (bytes > this.#bounds.bytes) return;
    this.#entries.set(key, { value, since, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#bounds.entries && this.#bytes <= this.#bounds.bytes) return;
      this.#delete(oldest);
    }
  }

  /** Puts another value of the same size and age in a key's place, if there is one. */
  replace(key: string, value: V): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.value = value;
  }

  /** Forgets the keys that begin so. Looks at all of them. */
  forget(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#delete(key);
  }

  #delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}
