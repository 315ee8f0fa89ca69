import type { Tag } from "../../oci/reference.ts";
import { matchesTag, type TagPattern } from "../../policy/pattern.ts";
import type { Condition } from "./rule.ts";
import type { TagState } from "./tag-state.ts";
import { allOf, anyOf, type Verdict } from "./verdict.ts";
import { judgeVersions } from "./versions.ts";
import { ago, among, listed, oneOf } from "./wording.ts";

/** What a condition says of any of the tags that it was given. */
export type Judge = (state: TagState) => Verdict;

/**
 * Prepares a condition for all tags that its rule governs: what counts tags counts these. Sorts them once for each
 * condition that counts; each judgement then looks something up.
 */
export function judgeOf(condition: Condition, governed: readonly TagState[], now: number): Judge {
  switch (condition.kind) {
    case "all":
    case "any": {
      const judges = condition.conditions.map((inner) => judgeOf(inner, governed, now));
      const join = condition.kind === "all" ? allOf : anyOf;
      return (state) => join(judges.map((judge) => judge(state)));
    }
    case "tags":
      return ({ tag }) => judgeName(tag, condition.patterns);
    case "newest":
      return newestJudge(governed, condition.count);
    case "pushedWithin":
      return ({ pushedAt }) => ({
        holds: now - pushedAt <= condition.withinMs,
        because: [`pushed ${ago(now - pushedAt)}`],
      });
    case "pulledWithin":
      return (state) => judgeUse(state, condition.withinMs, now);
    case "semver": {
      const judge = judgeVersions(
        governed.map(({ tag }) => tag),
        condition,
      );
      return ({ tag }) => judge(tag);
    }
  }
}

function judgeName(tag: Tag, patterns: readonly TagPattern[]): Verdict {
  const match = patterns.find((pattern) => matchesTag(pattern, tag));
  if (match !== undefined) return { holds: true, because: [`matches ${match}`] };
  const [first = ""] = patterns;
  const words = patterns.length === 1 ? `does not match ${first}` : `matches none of ${listed(patterns)}`;
  return { holds: false, because: [words] };
}

function newestJudge(governed: readonly TagState[], count: number): Judge {
  // Names break ties, so that tags pushed at one moment are told apart alike each time.
  const sorted = [...governed].sort((a, b) => b.pushedAt - a.pushedAt || (a.tag < b.tag ? -1 : 1));
  const kept = new Set(sorted.slice(0, count).map(({ tag }) => tag));
  return ({ tag }) =>
    kept.has(tag) ? { holds: true, because: [oneOf(count)] } : { holds: false, because: [`not ${among(count)}`] };
}

/**
 * A push counts as a pull. Without that, an image would go before anyone had the time to pull it; and so would every
 * image on the day when pulls begin to be recorded.
 */
function judgeUse({ pushedAt, pulledAt }: TagState, withinMs: number, now: number): Verdict {
  const isPulledSince = pulledAt !== undefined && pulledAt >= pushedAt;
  const age = now - (isPulledSince ? pulledAt : pushedAt);
  return {
    holds: age <= withinMs,
    because: [isPulledSince ? `last pulled ${ago(age)}` : `not pulled since it was pushed ${ago(age)}`],
  };
}
