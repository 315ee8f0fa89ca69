import type { Catalog, ManifestContent } from "./contents.ts";
import { CALL_MAX_MS, LATE_MAX_MS } from "./network.ts";
import { ABSENT, type Keeper, PRESENT, Register, type Write } from "./register.ts";
import type { Run } from "./run.ts";
import { GC_GRACE_MS } from "./times.ts";
import type { World } from "./world.ts";

export { ABSENT, PRESENT, type Register } from "./register.ts";

/**
 * By how much a time that src notes may lie before the moment at which its statement takes effect: as long as one call takes, or
 * two where an object is stored in between, and comes late. Promises are shorter by that.
 */
const SLACK_MS = 2 * CALL_MAX_MS + LATE_MAX_MS + 1_000;

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

/** Something that a tag held when this was last known. */
interface Hold {
  readonly at: number;
  /** By World.tick: who began before does not know of it. */
  readonly knownSince: number;
}

/** All that clients were told, and what they may expect therefore. */
export class Model {
  readonly #world: World;
  readonly #catalog: Catalog;
  readonly #untaggedTtlMs: number;
  readonly #registers = new Map<string, Register>();
  readonly #holds = new Map<string, Hold[]>();

  constructor(world: World, catalog: Catalog, untaggedTtlMs: number) {
    this.#world = world;
    this.#catalog = catalog;
    this.#untaggedTtlMs = untaggedTtlMs;
  }

  get registers(): readonly Register[] {
    return [...this.#registers.values()];
  }

  blob(repository: string, digest: string): Register {
    const register: Register = this.#register(`blob ${repository} ${digest}`, (start, now) => {
      const promise = register.promise(start);
      return promise !== undefined && now < promise.at + GC_GRACE_MS - SLACK_MS;
    });
    return register;
  }

  manifest(repository: string, digest: string): Register {
    const keeper: Keeper = (start, now) => this.#keepsManifest(repository, digest, start, now);
    return this.#register(`manifest ${repository} ${digest}`, keeper);
  }

  tag(repository: string, tag: string): Register {
    return this.#register(`tag ${repository} ${tag}`, () => true);
  }

  of(repository: string, kind: "blob" | "manifest" | "tag"): readonly Register[] {
    return this.registers.filter(({ name }) => name.startsWith(`${kind} ${repository} `));
  }

  #register(name: string, isKept: Keeper): Register {
    const known = this.#registers.get(name) ?? new Register(name, isKept);
    this.#registers.set(name, known);
    return known;
  }

  /**
   * What holds a manifest beside tags: the indexes that list it, whose pushes found it there, and its subject, if that was pushed
   * last when the manifest could not have been collected yet.
   */
  #holders(repository: string, digest: string, start: number): readonly ManifestContent[] {
    const { manifests } = this.#catalog;
    const indexes = manifests.filter(({ children }) => children.some((child) => child.digest === digest));
    const subject = manifests.find((manifest) => manifest.digest === digest)?.subject;
    const pushed = subject && this.manifest(repository, subject.digest).promise(start);
    const promise = this.manifest(repository, digest).promise(start);
    if (!subject || !pushed || !promise) return indexes;
    const wasThere =
      pushed.end < promise.start || this.#isWithinTtl(repository, digest, pushed.start, pushed.at + SLACK_MS);
    return wasThere ? [...indexes, subject] : indexes;
  }

  #keepsManifest(repository: string, digest: string, start: number, now: number): boolean {
    const promise = this.manifest(repository, digest).promise(start);
    if (promise && now < promise.at + GC_GRACE_MS - SLACK_MS) return true;
    if (this.#isWithinTtl(repository, digest, start, now)) return true;
    const isTagged = this.of(repository, "tag").some((tag) => {
      const values = tag.possible(start, now);
      return values.size === 1 && values.has(digest);
    });
    const isThere = (holder: ManifestContent) =>
      !this.manifest(repository, holder.digest).possible(start, now).has(ABSENT);
    return isTagged || this.#holders(repository, digest, start).some(isThere);
  }

  /** Whether a manifest, since it was last promised or known to be held, cannot have waited as long as UNTAGGED_TTL. */
  #isWithinTtl(repository: string, digest: string, start: number, now: number): boolean {
    const { name } = this.manifest(repository, digest);
    const promise = this.manifest(repository, digest).promise(start);
    if (promise === undefined) return false;
    const holds = (this.#holds.get(name) ?? []).filter(({ knownSince }) => knownSince < start);
    const last = Math.max(promise.at, ...holds.map(({ at }) => at));
    return now < last + this.#untaggedTtlMs - SLACK_MS;
  }

  /** Whether collection may have taken a manifest, deleted or not, so that it cannot be restored. */
  mayBeCollected(repository: string, digest: string, start: number, now: number): boolean {
    const register = this.manifest(repository, digest);
    const promise = register.promise(start);
    if (promise === undefined || register.mayBeFinal(promise)) return true;
    return register.possible(start, now).has(ABSENT) && !this.#isWithinTtl(repository, digest, start, now);
  }

  /** Notes what a tag holds now, before it may let go. */
  #noteHolds(tag: Register): void {
    const [, repository = ""] = tag.name.split(" ");
    const digest = this.certain(tag);
    const manifest = this.#catalog.manifests.find((known) => known.digest === digest);
    if (manifest) this.#noteHold(repository, manifest, { at: this.#world.now, knownSince: this.#world.tick() });
  }

  #noteHold(repository: string, manifest: ManifestContent, hold: Hold): void {
    const register = this.manifest(repository, manifest.digest);
    if (this.certain(register) !== PRESENT) return;
    this.#holds.set(register.name, [...(this.#holds.get(register.name) ?? []), hold]);
    const referrers = this.#catalog.manifests.filter(({ subject }) => subject?.digest === manifest.digest);
    for (const held of [...manifest.children, ...referrers]) this.#noteHold(repository, held, hold);
  }

  begin(effects: readonly Effect[]): Operation {
    for (const { register } of effects) if (register.name.startsWith("tag ")) this.#noteHolds(register);
    const start = this.#world.tick();
    const at = this.#world.now;
    const writes = effects.map(({ register, isPromise = true, isFinal = false, ...effect }) => {
      const write = { ...effect, isFinal, isPromise: isPromise && effect.value === PRESENT };
      return { register, write: register.add({ ...write, start, end: Infinity, isCertain: false, at }) };
    });
    const end = (outcome: End): void => {
      for (const { register, write } of writes) this.#end(register, write, outcome);
    };
    const saw = (register: Register, value: string, isPromise = false): void =>
      this.#saw(register, { value, isPromise, isFinal: false, start, end: this.#world.tick(), isCertain: true, at });
    return { start, end, saw };
  }

  #end(register: Register, write: Write, outcome: End): void {
    const settle = (): void => {
      write.end = this.#world.tick();
    };
    if (outcome === "nothing") register.forget(write);
    else if (outcome === "perhaps") settle();
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
    register.add(write);
  }

  /** The only value that a register can have now; undefined where it is in doubt. */
  certain(register: Register): string | undefined {
    const [value, ...others] = register.possible(this.#world.tick(), this.#world.now);
    return others.length === 0 ? value : undefined;
  }
}
