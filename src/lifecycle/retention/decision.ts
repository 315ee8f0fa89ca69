import type { Digest } from "../../oci/digest.ts";
import type { Tag } from "../../oci/reference.ts";
import { matchesTag } from "../../policy/pattern.ts";
import { type Judge, judgeOf } from "./condition.ts";
import type { Condition, RetentionRule } from "./rule.ts";
import type { TagState } from "./tag-state.ts";
import type { Verdict } from "./verdict.ts";
import { listed } from "./wording.ts";

/** Whether a tag stays. */
export interface Decision {
  readonly tag: Tag;
  readonly digest: Digest;
  readonly keep: boolean;
  /** A short sentence for people, without its subject: `pushed 3 days ago`. */
  readonly reason: string;
  /** The rule that decided, by its place in the input; of several that remove a tag, the first. */
  readonly rule: number | undefined;
}

export interface DecisionInput {
  /** All tags of one repository, in any order. */
  readonly tags: readonly TagState[];
  /** All rules for that repository: {@link retentionRulesFor}. */
  readonly rules: readonly RetentionRule[];
  /** What reasons call the rules; by default, the first one is rule 1. */
  readonly names?: readonly string[];
  /** The rules that may remove, by their place; any other one only protects what it would keep. By default, all may. */
  readonly removers?: ReadonlySet<number>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A rule, ready to say of any tag whether it stays. */
interface Court {
  readonly index: number;
  readonly name: string;
  readonly isRemover: boolean;
  readonly rule: RetentionRule;
  readonly judge: Judge;
}

/**
 * Decides for each tag of a repository, in the order of the input. A tag stays if it is immutable, if a `never` of any
 * rule has it, if no rule governs it, or if one that does keeps it. What is protected still counts: the newest of two
 * tags is the newest, whatever protects it.
 *
 * When no tag would stay, only rules that say `mayEmpty` remove: a tag goes if one of those that govern it does.
 *
 * Tags are sorted once for each condition. A tag that goes makes no other one go, so deciding again for what is left
 * removes nothing more.
 */
export function decideTags({ tags, rules, names, removers, now }: DecisionInput): Decision[] {
  const courts = rules.map((rule, index): Court => {
    const governed = tags.filter((state) => governs(rule, state.tag));
    const isRemover = removers?.has(index) ?? true;
    return {
      index,
      name: names?.[index] ?? String(index + 1),
      isRemover,
      rule,
      judge: judgeOf(rule.keep, governed, now),
    };
  });
  const decisions = tags.map((state) => decide(state, courts));
  return decisions.some(({ keep }) => keep) ? decisions : decisions.map((decision) => spare(decision, courts));
}

function governs(rule: RetentionRule, tag: Tag): boolean {
  return rule.tags.some((pattern) => matchesTag(pattern, tag));
}

function decide(state: TagState, courts: readonly Court[]): Decision {
  const { tag, digest } = state;
  const kept = (reason: string, rule: number | undefined): Decision => ({ tag, digest, keep: true, reason, rule });
  if (state.immutable) return kept("is immutable", undefined);
  for (const { rule, index } of courts) {
    const pattern = rule.never.find((each) => matchesTag(each, tag));
    if (pattern !== undefined) return kept(`protected by never: ${pattern}`, index);
  }
  const governing = courts
    .filter(({ rule }) => governs(rule, tag))
    .map((court) => ({ ...court, verdict: court.judge(state) }));
  if (governing.length === 0) return kept("no rule governs it", undefined);
  const keeper = governing.find(({ verdict }) => verdict.holds);
  if (keeper) return kept(listed(keeper.verdict.because), keeper.index);
  const removing = governing.filter(({ isRemover }) => isRemover);
  const [first] = removing;
  if (!first) return kept("only rules that are not asked govern it", undefined);
  const objections = removing.map(({ rule, name, verdict }) => {
    const objection = objectionOf(rule.keep, verdict);
    return removing.length === 1 ? objection : `rule ${name}: ${objection}`;
  });
  return { tag, digest, keep: false, reason: listed(objections, "; "), rule: first.index };
}

/** Why a condition that does not hold keeps nothing. */
function objectionOf({ kind }: Condition, { because }: Verdict): string {
  const reasons = listed(because);
  if (kind === "any") return `none of the conditions holds: ${reasons}`;
  return kind === "all" ? `not every condition holds: ${reasons}` : reasons;
}

/** The decision for a tag of a repository that would have none left. */
function spare(decision: Decision, courts: readonly Court[]): Decision {
  if (courts.some(({ rule, isRemover }) => isRemover && rule.mayEmpty && governs(rule, decision.tag))) return decision;
  return { ...decision, keep: true, reason: `no tag would be left; else it would go: ${decision.reason}` };
}
