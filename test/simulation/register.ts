/** What a register may hold beside a tag's digest. */
export const PRESENT = "present";
export const ABSENT = "absent";

export interface Write {
  readonly value: string;
  /** What came before what, by World.tick: it took effect between the two. An end of Infinity: it may yet do so. */
  readonly start: number;
  end: number;
  /** Acknowledged: nothing that ended before it counts any more. */
  isCertain: boolean;
  /** Its acknowledgement is one that collection has to respect: a push, a mount, a HEAD; a GET is none. */
  readonly isPromise: boolean;
  /** It takes rows away at once, so that nothing can be restored. */
  readonly isFinal: boolean;
  /** It acts only where it finds this value. */
  readonly over?: string;
  /** The clock when it began. */
  readonly at: number;
}

/** Whether collection may not have taken it, for somebody who began to look at `start` and hears of it at `now`. */
export type Keeper = (start: number, now: number) => boolean;

/**
 * One thing that a client can ask for: a blob or a manifest in a repository, or a tag. It knows what was written, when, and
 * what of it was acknowledged, and so what a reader may see. A read that was answered is a write of what it saw.
 */
export class Register {
  readonly name: string;
  readonly #isKept: Keeper;
  #writes: Write[] = [{ value: ABSENT, start: 0, end: 0, isCertain: true, isPromise: false, isFinal: false, at: 0 }];

  constructor(name: string, isKept: Keeper) {
    this.name = name;
    this.#isKept = isKept;
  }

  add(write: Write): Write {
    this.#writes.push(write);
    return write;
  }

  forget(write: Write): void {
    this.#writes = this.#writes.filter((other) => other !== write);
  }

  /** What somebody may see who began to look at `start`, and hears of it at `now`. */
  possible(start: number, now: number): Set<string> {
    const certain = this.#writes.filter((write) => write.isCertain && write.end < start);
    const latest = Math.max(0, ...certain.map((write) => write.start));
    const open = this.#writes.filter((write) => write.end >= latest);
    const values = new Set(open.filter((write) => write.over === undefined).map((write) => write.value));
    for (const { over, value } of open) if (over !== undefined && values.has(over)) values.add(value);
    if (!values.has(ABSENT) && !this.#isKept(start, now)) values.add(ABSENT);
    return values;
  }

  /** The last promise that was made before `start`. */
  promise(start: number): Write | undefined {
    const promises = this.#writes.filter((write) => write.isPromise && write.isCertain && write.end < start);
    return promises.reduce<Write | undefined>((last, write) => (last && last.at >= write.at ? last : write), undefined);
  }

  /** Whether something that takes rows away may have come after a promise. */
  mayBeFinal(promise: Write): boolean {
    return this.#writes.some((write) => write.isFinal && write.end >= promise.start);
  }
}
