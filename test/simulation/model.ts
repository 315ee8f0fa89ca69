import type { Run } from "./run.ts";
import type { World } from "./world.ts";

/** What a register may hold beside a tag's digest. */
export const PRESENT = "present";
export const ABSENT = "absent";

/**
 * How long an acknowledgement holds what nothing refers to. Until there is a collection, for ever; then GC_GRACE: what was last
 * acknowledged longer ago may be gone.
 */
export const BLOB_GRACE_MS = Infinity;

interface Write {
  readonly value: string;
  /** What came before what, by World.tick: it took effect between the two. An end of Infinity: it may yet do so. */
  readonly start: number;
  end: number;
  /** Acknowledged: nothing that ended before it counts any more. */
  isCertain: boolean;
  /** It acts only where it finds this value. */
  readonly over?: string;
  /** The clock when it began. */
  readonly at: number;
}

/**
 * One thing that a client can ask for: a blob or a manifest in a repository, or a tag. It knows what was written, when, and
 * what of it was acknowledged, and so what a reader may see. A read that was answered is a write of what it saw.
 */
export class Register {
  readonly name: string;
  readonly graceMs: number;
  #writes: Write[] = [{ value: ABSENT, start: 0, end: 0, isCertain: true, at: 0 }];

  constructor(name: string, graceMs = Infinity) {
    this.name = name;
    this.graceMs = graceMs;
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
    const acknowledged = open.filter((write) => write.isCertain && write.value === PRESENT);
    if (now - Math.max(0, ...acknowledged.map((write) => write.at)) >= this.graceMs) values.add(ABSENT);
    return values;
  }
}

/** What an operation does to a register, if it does. */
export interface Effect {
  readonly register: Register;
  readonly value: string;
  readonly over?: string;
}

/** An operation of a client, from its start to its answer. */
export interface Operation {
  /** The client's own knowledge of when it began. */
  readonly start: number;
  /** Takes what became of it: done, all effects are certain; nothing, there are none; a run, they may come while that lives. */
  readonly end: (outcome: "done" | "nothing" | Run) => void;
  /** The client saw this, in the answer or by its refusal. */
  readonly saw: (register: Register, value: string) => void;
}

/** All that clients were told, and what they may expect therefore. */
export class Model {
  readonly #world: World;
  readonly #registers = new Map<string, Register>();

  constructor(world: World) {
    this.#world = world;
  }

  get registers(): readonly Register[] {
    return [...this.#registers.values()];
  }

  blob(repository: string, digest: string): Register {
    return this.#register(`blob ${repository} ${digest}`, BLOB_GRACE_MS);
  }

  manifest(repository: string, digest: string): Register {
    return this.#register(`manifest ${repository} ${digest}`);
  }

  tag(repository: string, tag: string): Register {
    return this.#register(`tag ${repository} ${tag}`);
  }

  of(repository: string, kind: "blob" | "manifest" | "tag"): readonly Register[] {
    return this.registers.filter(({ name }) => name.startsWith(`${kind} ${repository} `));
  }

  #register(name: string, graceMs?: number): Register {
    const known = this.#registers.get(name) ?? new Register(name, graceMs);
    this.#registers.set(name, known);
    return known;
  }

  begin(effects: readonly Effect[]): Operation {
    const start = this.#world.tick();
    const at = this.#world.now;
    const writes = effects.map(({ register, ...effect }) => {
      const write = register.add({ ...effect, start, end: Infinity, isCertain: false, at });
      return { register, write };
    });
    const end = (outcome: "done" | "nothing" | Run): void => {
      for (const { register, write } of writes) {
        if (outcome === "nothing") register.forget(write);
        else if (outcome === "done") {
          write.end = this.#world.tick();
          write.isCertain = write.over === undefined;
        } else {
          outcome.whenSettled(() => {
            write.end = this.#world.tick();
          });
        }
      }
    };
    return { start, end, saw: (register, value) => this.#saw(register, value, start, at) };
  }

  #saw(register: Register, value: string, start: number, at: number): void {
    const possible = register.possible(start, this.#world.now);
    if (!possible.has(value)) {
      throw this.#world.violate(`${register.name} is ${value}, and must be ${[...possible].join(" or ")}`);
    }
    register.add({ value, start, end: this.#world.tick(), isCertain: true, at });
  }

  /** The only value that a register can have now; undefined where it is in doubt. */
  certain(register: Register): string | undefined {
    const [value, ...others] = register.possible(this.#world.tick(), this.#world.now);
    return others.length === 0 ? value : undefined;
  }
}
