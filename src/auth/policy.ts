import type { Context } from "../context.ts";
import { findAccount } from "../metadata/accounts.ts";
import * as metadata from "../metadata/policy.ts";
import type { RecordedRule, Rule } from "../metadata/policy.ts";
import { findTrustRule } from "../metadata/trust.ts";
import { OciError } from "../oci/error.ts";
import { type Page, toPage } from "../oci/page.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { type Action, ACTIONS } from "../policy/action.ts";
import type { Actor } from "../policy/actor.ts";
import { allowedActions, grantsFor } from "../policy/policy.ts";
import type { Subject } from "../policy/subject.ts";
import { grantsOf, mayGrant } from "../policy/trust.ts";
import { ADMIN_ACCOUNT } from "./identity.ts";

export type { RecordedRule, Rule } from "../metadata/policy.ts";

/** Rules in the order of subject and pattern; the cursor is both, with a space between, which neither can hold. One D1 query. */
export async function listRules(
  { db }: Context,
  filter: Pick<metadata.RuleFilter, "subject" | "repository" | "limit"> & { readonly last: string },
): Promise<Page<RecordedRule>> {
  const [subject = "", repository = ""] = filter.last.split(" ");
  const rules = await metadata.listRules(db, { ...filter, after: [subject, repository] });
  return toPage(rules, filter.limit, (rule) => `${rule.subject} ${rule.repository}`);
}

const ADMIN_SUBJECT: Subject = `account:${ADMIN_ACCOUNT}`;

function unknownSubject(subject: Subject): OciError {
  if (subject === ADMIN_SUBJECT) {
    return new OciError("CONFLICT", {
      message: `${subject} is the bootstrap account, which may do everything without rules`,
    });
  }
  const [kind, name] = subject.split(":");
  const advice = { account: "account add", token: "token create", oidc: "trust add" }[kind ?? ""] ?? "";
  return new OciError("NOT_FOUND", { message: `there is no ${subject}: first run stowage ${advice} ${name ?? ""}` });
}

/**
 * Adds a grant to the rules. One D1 round trip.
 * @throws OciError NOT_FOUND where there is no such subject; CONFLICT where it has too many rules with wildcards, or needs none.
 */
export async function grant({ db, now }: Context, rule: Rule, actor: Actor): Promise<RecordedRule> {
  const { subject, repository, actions } = rule;
  const entry = { action: "policy.grant", actor, repository, detail: { subject, actions } } as const;
  const outcome = await metadata.grant(db, rule, entry, now());
  switch (outcome.kind) {
    case "granted":
      return outcome.rule;
    case "no-subject":
      throw unknownSubject(subject);
    case "full":
      throw new OciError("CONFLICT", {
        message: `${subject} has ${metadata.WILDCARD_RULES_MAX} rules with wildcards already: join some in a wider pattern`,
      });
  }
}

/** Takes actions out of a rule; undefined when none is left. One D1 round trip. Throws NOT_FOUND. */
export async function revoke({ db, now }: Context, rule: Rule, actor: Actor): Promise<RecordedRule | undefined> {
  const { subject, repository, actions } = rule;
  const entry = { action: "policy.revoke", actor, repository, detail: { subject, actions } } as const;
  const outcome = await metadata.revoke(db, rule, entry, now());
  switch (outcome.kind) {
    case "left":
      return outcome.rule;
    case "gone":
      return undefined;
    case "unknown":
      throw new OciError("NOT_FOUND", { message: `there is no rule for ${subject} and exactly ${repository}` });
  }
}

/** What a trust rule grants by one of its templates. */
export interface TrustGrant {
  readonly repository: string;
  readonly actions: readonly Action[];
}

/** What a subject may do with a repository, and by which rules. An admin may do everything without any. */
export interface Verdict {
  readonly actions: readonly Action[];
  readonly rules: readonly Rule[];
  /** Of identities that a trust rule lets in: what it grants, or may by their claims. */
  readonly trust?: readonly TrustGrant[];
}

const EVERYTHING: Verdict = { actions: ACTIONS, rules: [] };

/** Says what the rules decide, as for a request. One D1 round trip. Throws NOT_FOUND where there is no such subject. */
export async function check({ db }: Context, subject: Subject, repository: RepositoryName): Promise<Verdict> {
  if (subject === ADMIN_SUBJECT) return EVERYTHING;
  const [, kind, name = ""] = /^(account|oidc):(.+)$/.exec(subject) ?? [];
  if (kind === "oidc") return await checkTrust(db, name, repository);
  const found = kind === undefined ? undefined : await findAccount(db, name, [repository]);
  if (found?.account?.role === "admin") return EVERYTHING;
  const rules = found ? found.account && found.rules : await metadata.findRulesOf(db, subject, repository);
  if (!rules) throw unknownSubject(subject);
  return { actions: allowedActions(rules, repository), rules: grantsFor(rules, repository) };
}

/** What all identities that a trust rule lets in may do; what it grants by claims is not for all of them. */
async function checkTrust(db: D1Database, name: string, repository: RepositoryName): Promise<Verdict> {
  const found = await findTrustRule(db, name, repository);
  if (!found) throw unknownSubject(`oidc:${name}`);
  const { trustRule, rules } = found;
  const { repositories, actions } = trustRule;
  return {
    actions: allowedActions([...rules, ...grantsOf(trustRule, {})], repository),
    rules: grantsFor(rules, repository),
    trust: repositories
      .filter((template) => mayGrant(template, repository))
      .map((template) => ({ repository: template, actions })),
  };
}
