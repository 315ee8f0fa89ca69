import { ABSENT, PRESENT, type Register, type Write } from "./register.ts";
import type { Run } from "./run.ts";
import type { World } from "./world.ts";

/** What an operation does to a register, if it does. */
export interface Effect {
  readonly register: Register;
  readonly value: string;
  readonly over?: string;
  /** Its acknowledgement is a promise, unless this is false. */
  readonly isPromise?: boolean;
  readonly isFinal?: boolean;
}

/** What became of an operation: all effects are certain; there are none; some may be; or they may come while a run lives. */
export type End = "done" | "nothing" | "perhaps" | Run;

/** An operation of a client, from its start to its answer. */
export interface Operation {
  /** The client's own knowledge of when it began. */
  readonly start: number;
  readonly end: (outcome: End) => void;
  /** The client saw this, in the answer or by its refusal. A promise: and collection has to know that it did. */
  readonly saw: (register: Register, value: string, isPromise?: boolean) => void;
}

/** Writes down what operations do, and what they saw. */
export class Operations {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** @param isAtomic one transaction makes all of the effects, or none. */
  begin(effects: readonly Effect[], isAtomic: boolean): Operation {
    const start = this.#world.tick();
    const at = this.#world.now;
    const writes: { readonly register: Register; readonly write: Write }[] = [];
    for (const { register, isPromise = true, isFinal = false, ...effect } of effects) {
      const write = { ...effect, isFinal, isPromise: isPromise && effect.value === PRESENT, start, at };
      const open = { end: Infinity, endedAt: Infinity, isCertain: false, fate: isAtomic ? writes : undefined };
      writes.push({ register, write: register.add({ ...write, ...open }) });
    }
    const end = (outcome: End): void => {
      for (const { register, write } of writes) this.#end(register, write, outcome);
    };
    const saw = (register: Register, value: string, isPromise = false): void => {
      const seen = { value, isPromise, isFinal: false, start, end: this.#world.tick(), isCertain: true, at };
      this.#saw(register, { ...seen, endedAt: this.#world.now });
    };
    return { start, end, saw };
  }

  #end(register: Register, write: Write, outcome: End): void {
    const settle = (): void => {
      // Somebody may have seen it before.
      write.end = Math.min(write.end, this.#world.tick());
      write.endedAt = this.#world.now;
    };
    if (outcome === "nothing") {
      if (write.isCertain) throw this.#world.violate(`${register.name} was refused to be ${write.value}, and is`);
      register.forget(write);
    } else if (outcome === "perhaps") settle();
    else if (outcome === "done") {
      settle();
      write.isCertain = write.over === undefined;
    } else outcome.whenSettled(settle);
  }

  #saw(register: Register, write: Write): void {
    const possible = register.possible(write.start, this.#world.now);
    if (!possible.has(write.value)) {
      throw this.#world.violate(`${register.name} is ${write.value}, and must be ${[...possible].join(" or ")}`);
    }
    // A thing may be absent by itself: that tells nothing of what was written.
    if (write.value !== ABSENT) this.#learn(register, write);
    register.add(write);
  }

  /** Whoever sees one effect of a transaction, or that it is not there, knows of all of them. */
  #learn(register: Register, { start, end, value }: Write): void {
    const { happened, failed } = register.judge(start, value);
    for (const { write } of happened.flat()) {
      write.isCertain = true;
      write.end = Math.min(write.end, end);
    }
    for (const part of failed.flat()) part.register.forget(part.write);
  }
}
