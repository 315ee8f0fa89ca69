import type { RepositoryName } from "../../oci/repository-name.ts";
import { matchesRepository, type RepositoryPattern, type TagPattern } from "../../policy/pattern.ts";

/** How many to keep. */
export type Limit = number | "all";

/** What a tag must fulfil to stay. No condition says "not": so one tag's leaving never makes another one leave. */
export type Condition =
  | { readonly kind: "all" | "any"; readonly conditions: readonly Condition[] }
  | { readonly kind: "tags"; readonly patterns: readonly TagPattern[] }
  | { readonly kind: "newest"; readonly count: number }
  | { readonly kind: "pushedWithin" | "pulledWithin"; readonly withinMs: number }
  | {
      readonly kind: "semver";
      readonly majors: Limit;
      /** Of each major that stays. */
      readonly minors: Limit;
      /** Of each minor that stays. */
      readonly patches: Limit;
      /** Counted apart from releases, over all versions. */
      readonly prereleases: Limit;
    };

/** Which tags of which repositories stay; those that a rule governs and does not keep go. */
export interface RetentionRule {
  readonly repository: RepositoryPattern;
  /** The tags that it governs. It says nothing of any other, except by `never`. */
  readonly tags: readonly TagPattern[];
  /** Tags of its repositories that no rule may remove, governed by this one or not. */
  readonly never: readonly TagPattern[];
  readonly keep: Condition;
  /** Whether it may take a repository's last tag. */
  readonly mayEmpty: boolean;
}

/** Those of the rules that are for this repository, in their order. */
export function retentionRulesFor<R extends Pick<RetentionRule, "repository">>(
  rules: readonly R[],
  repository: RepositoryName,
): R[] {
  return rules.filter((rule) => matchesRepository(rule.repository, repository));
}
