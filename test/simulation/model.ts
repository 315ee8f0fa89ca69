import type { Catalog, ManifestContent } from "./contents.ts";
import { CALL_MAX_MS, LATE_MAX_MS } from "./network.ts";
import { type Effect, type Operation, Operations } from "./operations.ts";
import { ABSENT, type Keeper, PRESENT, Register } from "./register.ts";
import type { RuleBook } from "./rules.ts";
import { TagLives } from "./tag-lives.ts";
import { GC_GRACE_MS, type UntaggedTtl } from "./times.ts";
import type { World } from "./world.ts";

export type { Effect, Operation } from "./operations.ts";
export { ABSENT, PRESENT, type Register } from "./register.ts";

/**
 * By how much a time that src notes may lie before the moment at which its statement takes effect: as long as one call takes, or
 * two where an object is stored in between, and comes late. Promises are shorter by that.
 */
const SLACK_MS = 2 * CALL_MAX_MS + LATE_MAX_MS + 1_000;

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
  readonly #ttl: UntaggedTtl;
  readonly #lives: TagLives;
  readonly #operations: Operations;
  readonly #registers = new Map<string, Register>();
  readonly #holds = new Map<string, Hold[]>();

  constructor(world: World, catalog: Catalog, ttl: UntaggedTtl, books: readonly RuleBook[]) {
    this.#world = world;
    this.#catalog = catalog;
    this.#ttl = ttl;
    this.#operations = new Operations(world);
    this.#lives = new TagLives(books.map((book) => ({ ...book, register: this.rule(book.name) })));
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
    const register: Register = this.#register(`tag ${repository} ${tag}`, (start, now) => {
      return now < this.#lives.lapsesFrom(register, start);
    });
    this.#lives.add(register, repository, tag);
    return register;
  }

  /** Which rule has this name. */
  rule(name: string): Register {
    return this.#register(`rule ${name}`, () => true);
  }

  /** What a push of a tag does, or its restoration, or a release. */
  moveTag(repository: string, tag: string, digest: string, lifeMs: number | undefined): readonly Effect[] {
    return this.#lives.move(this.tag(repository, tag), digest, lifeMs);
  }

  /** What it does to say when a tag ends; undefined: not by itself. */
  setLife(repository: string, tag: string, lifeMs: number | undefined): Effect {
    return this.#lives.setLife(this.tag(repository, tag), lifeMs);
  }

  /** Whether a tag must have ended by itself, once the schedule has run. */
  isOver(repository: string, tag: string): boolean {
    return this.#lives.isOver(this.tag(repository, tag), this.#world.tick(), this.#world.now);
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
      pushed.end < promise.start ||
      this.#isWithin(this.#ttl.deletedMs, repository, digest, pushed.start, pushed.at + SLACK_MS);
    return wasThere ? [...indexes, subject] : indexes;
  }

  #keepsManifest(repository: string, digest: string, start: number, now: number): boolean {
    const promise = this.manifest(repository, digest).promise(start);
    if (promise && now < promise.at + GC_GRACE_MS - SLACK_MS) return true;
    if (this.#isWithin(this.#ttl.untaggedMs, repository, digest, start, now)) return true;
    const isTagged = this.of(repository, "tag").some((tag) => {
      const values = tag.possible(start, now);
      return values.size === 1 && values.has(digest);
    });
    const isThere = (holder: ManifestContent) =>
      !this.manifest(repository, holder.digest).possible(start, now).has(ABSENT);
    return isTagged || this.#holders(repository, digest, start).some(isThere);
  }

  /** Whether a manifest, since it was last promised or known to be held, cannot have waited as long as that. */
  #isWithin(ttlMs: number, repository: string, digest: string, start: number, now: number): boolean {
    const { name } = this.manifest(repository, digest);
    const promise = this.manifest(repository, digest).promise(start);
    if (promise === undefined) return false;
    const holds = (this.#holds.get(name) ?? []).filter(({ knownSince }) => knownSince < start);
    const last = Math.max(promise.at, ...holds.map(({ at }) => at));
    return now < last + ttlMs - SLACK_MS;
  }

  /** Whether collection may have taken a manifest, deleted or not, so that it cannot be restored. */
  mayBeCollected(repository: string, digest: string, start: number, now: number): boolean {
    const register = this.manifest(repository, digest);
    const promise = register.promise(start);
    if (promise === undefined || register.mayBeFinal(promise)) return true;
    if (!register.possible(start, now).has(ABSENT)) return false;
    return !this.#isWithin(this.#ttl.deletedMs, repository, digest, start, now);
  }

  /** Notes what all tags hold before they may go by themselves: to be called before each run that takes some. */
  noteAllHolds(): void {
    for (const tag of this.#lives.tags.keys()) this.#noteHolds(tag);
  }

  /** Notes what a tag holds now, or held until it may have gone by itself, before it may let go. */
  #noteHolds(tag: Register): void {
    const [, repository = ""] = tag.name.split(" ");
    const start = this.#world.tick();
    const [digest, ...others] = tag.written(start);
    const manifest = this.#catalog.manifests.find((known) => known.digest === digest);
    if (!manifest || others.length > 0) return;
    const at = Math.min(this.#world.now, this.#lives.lapsesFrom(tag, start));
    this.#noteHold(repository, manifest, { at, knownSince: start });
  }

  #noteHold(repository: string, manifest: ManifestContent, hold: Hold): void {
    const { name } = this.manifest(repository, manifest.digest);
    this.#holds.set(name, [...(this.#holds.get(name) ?? []), hold]);
    // What an index lists is there as long as it is; a referrer may not be.
    for (const child of manifest.children) this.#noteHold(repository, child, hold);
    for (const referrer of this.#catalog.manifests.filter(({ subject }) => subject?.digest === manifest.digest)) {
      const isThere = this.certain(this.manifest(repository, referrer.digest)) === PRESENT;
      if (isThere) this.#noteHold(repository, referrer, hold);
    }
  }

  /** @param isAtomic one transaction makes all of the effects, or none. */
  begin(effects: readonly Effect[], isAtomic = false): Operation {
    for (const { register } of effects) if (this.#lives.tags.has(register)) this.#noteHolds(register);
    return this.#operations.begin(effects, isAtomic);
  }

  /** The only value that a register can have now; undefined where it is in doubt. */
  certain(register: Register): string | undefined {
    const [value, ...others] = register.possible(this.#world.tick(), this.#world.now);
    return others.length === 0 ? value : undefined;
  }
}
