import * as v from "valibot";
import * as auth from "../auth/policy.ts";
import { OciError } from "../oci/error.ts";
import { parsePage } from "../oci/page.ts";
import { toTime } from "../oci/time.ts";
import { ACTIONS } from "../policy/action.ts";
import { endpoint, pageAnswer } from "./endpoint.ts";
import { Actions, ActionsText, PAGE_QUERY, RepositoryNameText, RepositoryPatternText, SubjectText } from "./schemas.ts";

const Rule = v.object({ subject: v.string(), repository: v.string(), actions: v.array(v.string()) });
const RecordedRule = v.object({ ...Rule.entries, createdAt: v.string(), createdBy: v.string() });

function toRule({ subject, repository, actions }: auth.Rule): v.InferOutput<typeof Rule> {
  return { subject, repository, actions: [...actions] };
}

function toRecordedRule(rule: auth.RecordedRule): v.InferOutput<typeof RecordedRule> {
  return { ...toRule(rule), createdAt: toTime(rule.createdAt), createdBy: rule.createdBy };
}

export const listRules = endpoint(
  {
    summary: "Lists the rules: all, those of a subject, or those whose pattern holds a repository.",
    query: v.strictObject({
      ...PAGE_QUERY,
      subject: v.optional(SubjectText),
      repository: v.optional(RepositoryNameText),
    }),
    answer: v.object({ rules: v.array(RecordedRule) }),
  },
  async (call) => {
    const { subject, repository } = call.query;
    const { limit, last } = parsePage(call.url.searchParams);
    const { entries, next } = await auth.listRules(call.context, { subject, repository, limit, last });
    return pageAnswer(call, { rules: entries.map(toRecordedRule) }, limit, next);
  },
);

export const grant = endpoint(
  {
    summary: "Grants actions on the repositories of a pattern, beside those granted before.",
    body: v.strictObject({ subject: SubjectText, repository: RepositoryPatternText, actions: Actions }),
    answer: RecordedRule,
  },
  async ({ context, caller, body }) => {
    if (body.subject === "anyone" && body.actions.some((action) => action !== "pull")) {
      throw new OciError("REQUEST_INVALID", {
        message: "anyone may be granted pull alone: for the rest, grant it to an account or a token",
      });
    }
    return toRecordedRule(await auth.grant(context, body, caller.actor));
  },
);

export const revoke = endpoint(
  {
    summary: "Takes actions, or all, out of the rule for a subject and exactly this pattern.",
    query: v.strictObject({
      subject: SubjectText,
      repository: RepositoryPatternText,
      actions: v.optional(ActionsText),
    }),
    answer: RecordedRule,
    empty: "Nothing of the rule is left.",
  },
  async ({ context, caller, query }) => {
    const left = await auth.revoke(context, { ...query, actions: query.actions ?? ACTIONS }, caller.actor);
    return left && toRecordedRule(left);
  },
);

export const check = endpoint(
  {
    summary: "Says what a subject may do with a repository, and by which rules.",
    query: v.strictObject({ subject: SubjectText, repository: RepositoryNameText }),
    answer: v.object({
      subject: v.string(),
      repository: v.string(),
      actions: v.array(v.string()),
      rules: v.array(Rule),
      trust: v.optional(
        v.pipe(
          v.array(v.object({ repository: v.string(), actions: v.array(v.string()) })),
          v.description("For oidc:NAME: what the trust rule grants, or may, where ${claim} has the right value."),
        ),
      ),
    }),
  },
  async ({ context, query: { subject, repository } }) => {
    const { actions, rules, trust } = await auth.check(context, subject, repository);
    return { subject, repository, actions, rules: rules.map(toRule), ...(trust && { trust }) };
  },
);
