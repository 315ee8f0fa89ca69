import * as v from "valibot";
import { isMirrorRuleName } from "../lifecycle/mirror-rules.ts";
import { parseRetentionRule } from "../lifecycle/retention/rule-schema.ts";
import * as rules from "../lifecycle/retention-rules.ts";
import * as runs from "../lifecycle/retention-runs.ts";
import { parsePage } from "../oci/page.ts";
import { NAME_ADVICE } from "../policy/subject.ts";
import type { Call } from "../protocol/call.ts";
import { toTime, toTimeOrNull } from "../oci/time.ts";
import { endpoint, pageAnswer } from "./endpoint.ts";
import { GivenRule, Report, Rule, toRepositoryAnswer } from "./retention-schemas.ts";
import { decodedName, Name, nameOf, PAGE_QUERY } from "./schemas.ts";

function toRule({ name, rule, upstream, previewedAt, createdAt, createdBy }: rules.ListedRetentionRule) {
  const isStored = upstream === null;
  return {
    ...{ name, rule, upstream, previewedAt: toTimeOrNull(previewedAt) },
    ...{ createdAt: isStored ? toTime(createdAt) : null, createdBy: isStored ? createdBy : null },
  };
}

/** The name in the path: of a stored rule, or of one that is not. */
const ruleNameOf = (call: Call): string => {
  const name = decodedName(call);
  return isMirrorRuleName(name) ? name : nameOf(call);
};

/** The same in a body. */
const RuleName = v.union([v.pipe(v.string(), v.check(isMirrorRuleName)), Name], NAME_ADVICE);

function toReport({ repositories, bytes, last }: runs.RetentionReport): v.InferOutput<typeof Report> {
  const rest = last === undefined ? { isComplete: true } : { isComplete: false, last };
  return { repositories: repositories.map(toRepositoryAnswer), bytes, ...rest };
}

const Last = v.optional(
  v.pipe(v.string("give last as it was answered"), v.description("The last of the answer before, to go on.")),
);

export const listRetentionRules = endpoint(
  {
    summary: "Lists the retention rules: which tags of which repositories stay.",
    query: v.strictObject(PAGE_QUERY),
    answer: v.object({ rules: v.array(Rule) }),
  },
  async (call) => {
    const page = parsePage(call.url.searchParams);
    const { entries, next } = await rules.listRetentionRules(call.context, page);
    return pageAnswer(call, { rules: entries.map(toRule) }, page.limit, next);
  },
);

export const setRetentionRule = endpoint(
  {
    summary: "Adds a retention rule, or replaces the one of this name. It removes nothing until it is previewed.",
    body: GivenRule,
    answer: Rule,
  },
  async (call) => {
    const stored = await rules.setRetentionRule(call.context, ruleNameOf(call), call.body, call.caller.actor);
    return toRule({ ...stored, upstream: null });
  },
);

export const removeRetentionRule = endpoint(
  { summary: "Removes a retention rule, and so what it protects from others.", status: 204 },
  async (call) => {
    await rules.removeRetentionRule(call.context, ruleNameOf(call), call.caller.actor);
  },
);

export const previewRetention = endpoint(
  {
    summary: "Tells what a rule would remove now, and why. A rule that is asked for by name counts as previewed then.",
    body: v.pipe(
      v.strictObject({ name: v.optional(RuleName), rule: v.optional(GivenRule), last: Last }),
      v.check(({ name, rule }) => (name === undefined) !== (rule === undefined), "give name, or rule"),
    ),
    answer: Report,
  },
  async ({ context, body: { name, rule, last } }) => {
    const target = name === undefined ? { rule: parseRetentionRule(rule) } : { name };
    return toReport(await runs.previewRetention(context, target, last));
  },
);

export const runRetention = endpoint(
  {
    summary: "Removes what a rule, or each that was previewed, removes now; the schedule does so four times a day.",
    body: v.strictObject({ name: v.optional(RuleName), last: Last }),
    answer: Report,
  },
  async ({ context, caller: { actor }, body: { name, last } }) => {
    return toReport(await runs.runRetention(context, { name, last, actor }));
  },
);
