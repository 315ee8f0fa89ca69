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
  /** The clock when it can take effect no more. */
  endedAt: number;
  /** The writes of the same transaction, this one among them: all took effect, or none. */
  readonly fate?: Fate | undefined;
}

/** What one transaction writes. */
export type Fate = readonly { readonly register: Register; readonly write: Write }[];

/** Whether nothing may have taken it by itself, for somebody who began to look at `start` and hears of it at `now`. */
export type Keeper = (start: number, now: number) => boolean;

const NOTHING: Write = {
  ...{ value: ABSENT, start: 0, end: 0, isCertain: true, isPromise: false, isFinal: false, at: 0, endedAt: 0 },
};

/**
 * One thing that a client can ask for: a blob or a manifest in a repository, or a tag. It knows what was written, when, and
 * what of it was acknowledged, and so what a reader may see. A read that was answered is a write of what it saw.
 */
export class Register {
  readonly name: string;
  readonly #isKept: Keeper;
  #writes: Write[] = [NOTHING];

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

  get writes(): readonly Write[] {
    return this.#writes;
  }

  /** When the last write began of those that certainly took effect before `start`. */
  lastCertain(start: number): number {
    const certain = this.#writes.filter((write) => write.isCertain && write.end < start);
    return Math.max(0, ...certain.map((write) => write.start));
  }

  /** Those of the writes that may be the last one that took effect, for somebody who began to look at `start`. */
  open(start: number, assumed?: Write): readonly Write[] {
    const latest = Math.max(this.lastCertain(start), assumed?.start ?? 0);
    return this.#writes.filter((write) => write.end >= latest);
  }

  /** What was written that somebody may see who began to look at `start`, as long as it goes by nothing but writes. */
  written(start: number): Set<string> {
    return valuesOf(this.open(start));
  }

  /** What somebody may see who began to look at `start`, and hears of it at `now`. */
  possible(start: number, now: number): Set<string> {
    const values = this.written(start);
    if (!values.has(ABSENT) && !this.#isKept(start, now)) values.add(ABSENT);
    return values;
  }

  /** Transactions that somebody who began to look at `start` and saw `value` knows to have happened, or not to have. */
  judge(start: number, value: string): { readonly happened: readonly Fate[]; readonly failed: readonly Fate[] } {
    const undecided = this.#writes.filter((write) => write.fate !== undefined && !write.isCertain);
    const open = this.open(start);
    const isBy = (write: Write) => !valuesOf(open.filter((other) => other !== write)).has(value);
    const isAgainst = (write: Write) => write.end < start && !valuesOf(this.open(start, write)).has(value);
    const fates = (of: (write: Write) => boolean) => undecided.filter(of).flatMap(({ fate }) => (fate ? [fate] : []));
    return { happened: fates(isBy), failed: fates(isAgainst) };
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

function valuesOf(open: readonly Write[]): Set<string> {
  const values = new Set(open.filter((write) => write.over === undefined).map((write) => write.value));
  for (const { over, value } of open) if (over !== undefined && values.has(over)) values.add(value);
  return values;
}
