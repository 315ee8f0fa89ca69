import type { Effect } from "./operations.ts";
import { ABSENT, Register, type Write } from "./register.ts";
import { forbids, governs, lifeBy, type Rule, type RuleBook } from "./rules.ts";

/** What a register of a rule holds beside {@link ABSENT}: which of its variants it is, and whether someone previewed it. */
export const ruleValue = (variant: number, isPreviewed: boolean): string =>
  `${variant}${isPreviewed ? " previewed" : ""}`;

/** A tag, with all that is known of when it may go by itself. */
interface TagStory {
  readonly repository: string;
  readonly name: string;
  /** Its moves, and repeated pushes. */
  readonly pushes: Register;
  /** Milliseconds from each write on, as a number in words. */
  readonly life: Register;
}

/** The last pushes that a tag may have had, for somebody who began to look at `start`. */
interface LastPush {
  /** The clock when it began, at the earliest. */
  readonly at: number;
  /** By World.tick. */
  readonly start: number;
}

const earliest = (times: readonly number[]): number => Math.min(Infinity, ...times);

function lastPush({ pushes }: TagStory, start: number): LastPush {
  const open = pushes.open(start);
  return { at: earliest(open.map(({ at }) => at)), start: earliest(open.map((write) => write.start)) };
}

/** Knows when tags may go that nobody deletes: when their life is over, or a retention rule does not keep them. */
export class TagLives {
  readonly #books: readonly (RuleBook & { readonly register: Register })[];
  readonly #stories = new Map<Register, TagStory>();

  constructor(books: readonly (RuleBook & { readonly register: Register })[]) {
    this.#books = books;
  }

  /** From now on, this register is known to be a tag's. */
  add(tag: Register, repository: string, name: string): void {
    if (this.#stories.has(tag)) return;
    const companion = (what: string) => new Register(`${what} of ${tag.name}`, () => true);
    this.#stories.set(tag, { repository, name, pushes: companion("push"), life: companion("life") });
  }

  get tags(): ReadonlyMap<Register, unknown> {
    return this.#stories;
  }

  #story(tag: Register): TagStory {
    const story = this.#stories.get(tag);
    if (!story) throw new Error(`${tag.name} is no tag`);
    return story;
  }

  move(tag: Register, digest: string, lifeMs: number | undefined): readonly Effect[] {
    const { pushes } = this.#story(tag);
    return [{ register: tag, value: digest }, { register: pushes, value: digest }, this.setLife(tag, lifeMs)];
  }

  setLife(tag: Register, lifeMs = Infinity): Effect {
    return { register: this.#story(tag).life, value: String(lifeMs) };
  }

  /** The clock from which on a tag may be gone, as far as somebody knows who began to look at `start`; Infinity: it stays. */
  lapsesFrom(tag: Register, start: number): number {
    const open = this.#story(tag).life.open(start);
    const expires = open.map(({ at, value }) => (value === ABSENT ? Infinity : at + Number(value)));
    return earliest([...expires, this.#retiresFrom(tag, start)]);
  }

  /** Whether its life is over for certain at `now`. */
  isOver(tag: Register, start: number, now: number): boolean {
    const open = this.#story(tag).life.open(start);
    return open.every(({ endedAt, value }) => value !== ABSENT && endedAt + Number(value) <= now);
  }

  /**
   * The clock from which on rules may take a tag: when one that was previewed keeps it no more, and no other does. All rules count
   * that were in force since it was last known to be there: what was decided before may be done no more if they changed.
   */
  #retiresFrom(register: Register, start: number): number {
    if (this.#books.length === 0) return Infinity;
    const tag = this.#story(register);
    const push = lastPush(tag, start);
    const since = Math.max(push.start, register.lastCertain(start));
    const books = this.#books.map(({ variants, register: rule }) => {
      const values = rule.written(since);
      return variants.flatMap((version, variant) => {
        const isPreviewed = values.has(ruleValue(variant, true));
        if (!isPreviewed && !values.has(ruleValue(variant, false))) return [];
        return [{ isPreviewed, mayBeAbsent: values.has(ABSENT), until: this.#keepsUntil(version, tag, push), version }];
      });
    });
    const removals = books.flat().filter(({ version, isPreviewed }) => isPreviewed && governs(version, tag));
    const removedFrom = earliest(removals.map(({ until }) => until));
    const keptUntil = books.map((versions) =>
      versions.length === 0 || versions.some(({ mayBeAbsent }) => mayBeAbsent)
        ? -Infinity
        : earliest(versions.map(({ until }) => until)),
    );
    return Math.max(removedFrom, ...keptUntil);
  }

  /** Until when a rule that is in force protects a tag that was pushed then. */
  #keepsUntil(rule: Rule, tag: TagStory, push: LastPush): number {
    if (forbids(rule, tag)) return Infinity;
    if (!governs(rule, tag)) return -Infinity;
    const life = lifeBy(rule);
    if (life !== undefined) return push.at + life;
    const newer = [...this.#stories.values()]
      .filter((other) => other !== tag && other.repository === tag.repository && governs(rule, other))
      .map((other) => {
        const since = other.pushes.writes.filter((write) => isNewer(write, push, other.name < tag.name));
        return earliest(since.map(({ at }) => Math.max(at, push.at)));
      })
      .filter((at) => at < Infinity)
      .sort((a, b) => a - b);
    return newer[("newest" in rule.keep ? rule.keep.newest : 0) - 1] ?? Infinity;
  }
}

/** Whether a push may count as newer than another one; of two in the same millisecond, names decide. */
function isNewer({ value, end, endedAt }: Write, push: LastPush, isFirstByName: boolean): boolean {
  if (value === ABSENT || endedAt < push.at) return false;
  return end > push.start || endedAt > push.at || isFirstByName;
}
