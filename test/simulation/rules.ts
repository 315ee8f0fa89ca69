import type { Tag } from "../../src/oci/reference.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import type { Random } from "./random.ts";
import { HOUR_MS } from "./times.ts";

/** A retention rule as it is given to the registry. */
export interface Rule {
  readonly repository: string;
  readonly tags: readonly string[];
  readonly never: readonly string[];
  readonly keep: { readonly newest: number } | { readonly pushedWithin: string };
  readonly mayEmpty: boolean;
}

/** A name under which rules are stored, and what may be stored there. */
export interface RuleBook {
  readonly name: string;
  readonly variants: readonly Rule[];
}

/** A tag in the database. */
export interface TagRow {
  readonly repository: string;
  readonly name: string;
  readonly updatedAt: number;
}

const isForAll = (patterns: readonly string[]): boolean => patterns.includes("*");

const isFor = ({ repository }: Rule, name: string): boolean => repository === "**" || repository === name;

/** Whether a rule says which of a repository's tags of this name stay. */
export const governs = (rule: Rule, { repository, name }: Pick<TagRow, "repository" | "name">): boolean =>
  isFor(rule, repository) && (isForAll(rule.tags) || rule.tags.includes(name));

/** Whether a rule keeps all others from removing the tag. */
export const forbids = (rule: Rule, { repository, name }: Pick<TagRow, "repository" | "name">): boolean =>
  isFor(rule, repository) && rule.never.includes(name);

/** Milliseconds; undefined for a rule that counts. */
export function lifeBy({ keep }: Rule): number | undefined {
  return "pushedWithin" in keep ? Number.parseInt(keep.pushedWithin, 10) * HOUR_MS : undefined;
}

/** Some rules, or none, that concern the tags of a history. */
export function makeRules(random: Random, repositories: readonly RepositoryName[], tags: readonly Tag[]): RuleBook[] {
  const some = () => random.pick([[], [], [random.pick(tags)]]);
  const variant = (): Rule => ({
    repository: random.pick(["**", ...repositories]),
    tags: random.pick([["*"], ["*"], [...tags.slice(0, 2)]]),
    never: some(),
    keep: random.weighted<Rule["keep"]>([
      [4, { newest: 1 }],
      [2, { newest: 2 }],
      [2, { pushedWithin: "1h" }],
      [1, { pushedWithin: "6h" }],
    ]),
    mayEmpty: random.chance(0.3),
  });
  const names = random.pick([[], ["alpha"], ["alpha"], ["alpha", "beta"]]);
  return names.map((name) => ({ name, variants: [variant(), variant()] }));
}

/** Which of the tags of one repository a rule keeps. */
function keptBy(rule: Rule, tags: readonly TagRow[], now: number): ReadonlySet<TagRow> {
  const governed = tags.filter((tag) => governs(rule, tag));
  const life = lifeBy(rule);
  if (life !== undefined) return new Set(governed.filter(({ updatedAt }) => now - updatedAt <= life));
  const newestFirst = governed.toSorted((a, b) => b.updatedAt - a.updatedAt || (a.name < b.name ? -1 : 1));
  return new Set(newestFirst.slice(0, "newest" in rule.keep ? rule.keep.newest : 0));
}

/**
 * Which tags of one repository rules keep at `now`, or do not concern: the words of the manual, in as few lines as can be.
 * @param removers those of the rules that were previewed.
 */
export function kept<T extends TagRow>(
  tags: readonly T[],
  rules: readonly Rule[],
  removers: readonly Rule[],
  now: number,
): readonly T[] {
  const byRule = rules.map((rule) => keptBy(rule, tags, now));
  return tags.filter(
    (tag) =>
      rules.some((rule) => forbids(rule, tag)) ||
      byRule.some((some) => some.has(tag)) ||
      !removers.some((rule) => governs(rule, tag)),
  );
}

/** Which of them stay when the rules run: where none would, all but those of rules that may leave a repository without tags. */
export function staying(...[tags, rules, removers, now]: Parameters<typeof kept>): readonly TagRow[] {
  const left = kept(tags, rules, removers, now);
  if (left.length > 0) return left;
  return tags.filter((tag) => !removers.some((rule) => rule.mayEmpty && governs(rule, tag)));
}
