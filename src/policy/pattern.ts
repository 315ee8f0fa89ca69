import type { Tag } from "../oci/reference.ts";
import { isRepositoryName, type RepositoryName } from "../oci/repository-name.ts";
import { matchesWildcards } from "./wildcard.ts";

/**
 * A set of repository names, written as a name with wildcards: `*` stands for any part within one segment, none included;
 * `/**` at the end, after a prefix without wildcards, for all below that prefix; `**` alone for every repository. No
 * pattern is so clever that SQL could not search for it: the generated columns of policy_rules match the same names.
 */
export type RepositoryPattern = string & { readonly __brand: "RepositoryPattern" };

/** What a pattern in words looks like, for messages. */
export const PATTERN_ADVICE =
  "use a repository name in which * stands for part of one segment (team/*, app-*; up to 50 characters), and /** at the end for all below (team/**); ** alone is every repository";

const PATTERN_LENGTH_MAX = 255;

/** D1 takes no longer pattern for GLOB. A name, and a prefix with all below it, are compared otherwise. */
const GLOB_LENGTH_MAX = 50;

/** A text from which each `*` taken away, or replaced by a letter, leaves a valid name. */
const SEGMENTS = /^[a-z0-9*]+(?:(?:[._/]|__|-+)[a-z0-9*]+)*$/;

/** True for a valid pattern. */
export function isRepositoryPattern(text: string): text is RepositoryPattern {
  if (text.length === 0 || text.length > PATTERN_LENGTH_MAX) return false;
  if (text === "**") return true;
  if (text.endsWith("/**")) return isRepositoryName(text.slice(0, -3));
  if (!text.includes("*")) return isRepositoryName(text);
  return text.length <= GLOB_LENGTH_MAX && SEGMENTS.test(text) && !text.includes("**");
}

/** Whether the pattern's set holds this repository. */
export function matchesRepository(pattern: RepositoryPattern, name: RepositoryName): boolean {
  if (pattern === "**") return true;
  if (pattern.endsWith("/**")) return name.startsWith(pattern.slice(0, -2));
  const [wanted, segments] = [pattern.split("/"), name.split("/")];
  return (
    wanted.length === segments.length &&
    wanted.every((segment, index) => matchesWildcards(segment, segments[index] ?? ""))
  );
}

/** Whether some repository may be in the sets of both patterns. Says so too often, where both have wildcards in one segment. */
export function mayOverlap(one: RepositoryPattern, other: RepositoryPattern): boolean {
  if (isRepositoryName(one)) return matchesRepository(other, one);
  if (isRepositoryName(other)) return matchesRepository(one, other);
  const [segments, others] = [one.split("/"), other.split("/")];
  for (const [index, segment] of segments.entries()) {
    const beside = others[index];
    if (segment === "**") return others.length > index;
    if (beside === "**") return true;
    if (beside === undefined || !(segment === beside || segment.includes("*") || beside.includes("*"))) return false;
  }
  return segments.length === others.length;
}

/** Whether every repository of the other pattern is in this one's set. Says so too seldom, where both have wildcards in a segment. */
export function contains(pattern: RepositoryPattern, other: RepositoryPattern): boolean {
  if (pattern === other || pattern === "**") return true;
  if (isRepositoryName(other)) return matchesRepository(pattern, other);
  return pattern.endsWith("/**") && rangeOf(other).low.startsWith(rangeOf(pattern).low);
}

/** A set of tags: a tag in which `*` stands for any characters, none included. */
export type TagPattern = string & { readonly __brand: "TagPattern" };

/** True for a valid tag pattern; a tag of more than 50 characters is none. */
export function isTagPattern(text: string): text is TagPattern {
  return text.length <= GLOB_LENGTH_MAX && /^[a-zA-Z0-9_*][a-zA-Z0-9._*-]*$/.test(text);
}

/** Whether the pattern's set holds this tag. */
export function matchesTag(pattern: TagPattern, tag: Tag): boolean {
  return matchesWildcards(pattern, tag);
}

/** How SQL searches for the names of a pattern: the generated columns of policy_rules say what these mean. */
export interface PatternRange {
  readonly low: string;
  readonly high: string;
  readonly glob: string | null;
  readonly depth: number;
}

/** The range of a pattern that is in no table. */
export function rangeOf(pattern: RepositoryPattern): PatternRange {
  const [low = ""] = pattern.split("*", 1);
  const isWildcard = pattern.includes("*");
  return {
    low,
    high: low + (isWildcard ? "~" : "!"),
    glob: isWildcard && !pattern.includes("**") ? pattern : null,
    depth: pattern.split("/").length - 1,
  };
}
