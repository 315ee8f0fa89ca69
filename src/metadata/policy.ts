import type { RepositoryName } from "../oci/repository-name.ts";
import { type Action, ACTIONS } from "../policy/action.ts";
import type { RepositoryPattern } from "../policy/pattern.ts";
import type { Grant } from "../policy/policy.ts";
import type { Subject } from "../policy/subject.ts";
import { type AuditEntry, recordAudit } from "./audit.ts";
import { patternHolds } from "./pattern.ts";
import type { Reader } from "./reader.ts";

/** A grant that is written down. */
export interface Rule extends Grant {
  readonly subject: Subject;
}

/** A rule, with who made it and when. */
export interface RecordedRule extends Rule {
  readonly createdAt: number;
  readonly createdBy: string;
}

interface RuleRow {
  subject: Subject;
  repository: RepositoryPattern;
  actions: string;
  created_at: number;
  created_by: string;
}

/** Rules of one subject whose pattern has wildcards: all of them are read whenever it asks for something. */
export const WILDCARD_RULES_MAX = 200;

function toRule({ subject, repository, actions }: Pick<RuleRow, "subject" | "repository" | "actions">): Rule {
  return { subject, repository, actions: JSON.parse(actions) as Action[] };
}

function toRecordedRule(row: RuleRow): RecordedRule {
  return { ...toRule(row), createdAt: row.created_at, createdBy: row.created_by };
}

/**
 * A statement that finds the rules of subjects that could matter for these repositories: those for just one of them, and
 * all with wildcards. `subjects` is a query of one column, whose only parameter is ?1. SQLite, left to itself, would read all
 * rules of a subject to find those with wildcards.
 */
export function selectRules(
  db: Reader,
  subjects: string,
  parameter: string,
  repositories: readonly RepositoryName[],
): D1PreparedStatement {
  return db
    .prepare(
      `WITH subjects (name) AS (${subjects} UNION ALL SELECT 'anyone')
       SELECT p.subject, p.repository, p.actions
       FROM subjects
       CROSS JOIN policy_rules p INDEXED BY policy_rules_wildcard ON p.subject = subjects.name AND p.is_wildcard = 1
       UNION ALL
       SELECT p.subject, p.repository, p.actions
       FROM subjects CROSS JOIN json_each(?2) w
       CROSS JOIN policy_rules p ON p.subject = subjects.name AND p.repository = w.value`,
    )
    .bind(parameter, JSON.stringify(repositories));
}

/** The rules that {@link selectRules} found. */
export function toRules(result: D1Result | undefined): Rule[] {
  return ((result?.results ?? []) as unknown as Pick<RuleRow, "subject" | "repository" | "actions">[]).map(toRule);
}

const GIVEN_SUBJECTS = "SELECT value FROM json_each(?1)";

/** A statement that finds the rules of these subjects, and of anyone, that could matter for these repositories. */
export function selectRulesFor(
  db: Reader,
  subjects: readonly Subject[],
  ...repositories: readonly RepositoryName[]
): D1PreparedStatement {
  return selectRules(db, GIVEN_SUBJECTS, JSON.stringify(subjects), repositories);
}

/** What {@link selectRulesFor} finds. One query. */
export async function findRules(
  db: D1Database,
  subjects: readonly Subject[],
  repositories: readonly RepositoryName[],
): Promise<Rule[]> {
  return toRules(await selectRulesFor(db, subjects, ...repositories).all());
}

/** What a page of rules is about; undefined does not matter. */
export interface RuleFilter {
  readonly subject: Subject | undefined;
  /** Only rules whose pattern holds this repository. */
  readonly repository: RepositoryName | undefined;
  /** The subject and pattern of the last rule of the page before. */
  readonly after: readonly [subject: string, repository: string];
  readonly limit: number;
}

/** Rules in the order of subject and pattern; one more than asked for if there are more. One query. */
export async function listRules(db: D1Database, filter: RuleFilter): Promise<RecordedRule[]> {
  const [, lastRepository] = filter.after;
  const bySubject =
    filter.subject === undefined ? "(subject, repository) > (?1, ?2)" : "subject = ?1 AND repository > ?2";
  const { results } = await db
    .prepare(
      `SELECT subject, repository, actions, created_at, created_by FROM policy_rules
       WHERE ${bySubject} AND (?3 IS NULL OR (${patternHolds("policy_rules", "?3")}))
       ORDER BY subject, repository LIMIT ?4`,
    )
    .bind(filter.subject ?? filter.after[0], lastRepository, filter.repository ?? null, filter.limit + 1)
    .all<RuleRow>();
  return results.map(toRecordedRule);
}

/** What of the subject ?1 follows its kind: so its table is searched by the name. */
const SUBJECT_NAME = "SUBSTR(?1, INSTR(?1, ':') + 1)";

/** A condition that holds where the subject ?1 exists: a rule for nobody would wait for whoever takes the name. */
const SUBJECT_EXISTS = `
  ?1 = 'anyone'
  OR EXISTS (SELECT 1 FROM accounts WHERE name = ${SUBJECT_NAME} AND 'account:' || name = ?1)
  OR EXISTS (SELECT 1 FROM access_tokens WHERE name = ${SUBJECT_NAME} AND 'token:' || name = ?1)
  OR EXISTS (SELECT 1 FROM trust_rules WHERE name = ${SUBJECT_NAME} AND 'oidc:' || name = ?1)`;

/** The rules that could matter for a subject and a repository; undefined where there is no such subject. One round trip. */
export async function findRulesOf(
  db: D1Database,
  subject: Subject,
  repository: RepositoryName,
): Promise<Rule[] | undefined> {
  // Those of anyone come along, whoever it is.
  const subjects = subject === "anyone" ? [] : [subject];
  const [exists, rules] = await db.batch([
    db.prepare(`SELECT 1 WHERE ${SUBJECT_EXISTS}`).bind(subject),
    selectRulesFor(db, subjects, repository),
  ]);
  return exists?.results.length === 0 ? undefined : toRules(rules);
}

/** What became of a grant. */
export type GrantOutcome =
  { readonly kind: "granted"; readonly rule: RecordedRule } | { readonly kind: "no-subject" | "full" };

/** A condition that holds where a rule for this subject and pattern, in words of SQL, would not be one too many. */
export function hasRoomForRule(subject: string, pattern: string): string {
  return `(INSTR(${pattern}, '*') = 0
    OR EXISTS (SELECT 1 FROM policy_rules WHERE subject = ${subject} AND repository = ${pattern})
    OR (SELECT COUNT(*) FROM policy_rules INDEXED BY policy_rules_wildcard
        WHERE subject = ${subject} AND is_wildcard = 1) < ${WILDCARD_RULES_MAX})`;
}

/** Adds to what a subject that exists may do with a pattern. One round trip. */
export async function grant(db: D1Database, rule: Rule, entry: AuditEntry, now: number): Promise<GrantOutcome> {
  const [exists, granted] = await db.batch<RuleRow>([
    db.prepare(`SELECT 1 WHERE ${SUBJECT_EXISTS}`).bind(rule.subject),
    db
      .prepare(
        `INSERT INTO policy_rules (subject, repository, actions, created_at, created_by)
         SELECT ?1, ?2, ?3, ?4, ?5 WHERE (${SUBJECT_EXISTS}) AND ${hasRoomForRule("?1", "?2")}
         ON CONFLICT (subject, repository) DO UPDATE SET actions = (
           SELECT json_group_array(a.value) FROM json_each('${JSON.stringify(ACTIONS)}') a
           WHERE a.value IN (SELECT value FROM json_each(policy_rules.actions))
              OR a.value IN (SELECT value FROM json_each(excluded.actions)))
         RETURNING subject, repository, actions, created_at, created_by`,
      )
      .bind(rule.subject, rule.repository, JSON.stringify(rule.actions), now, entry.actor.name),
    recordAudit(db, entry, now, "CHANGES() > 0"),
  ]);
  const row = granted?.results[0];
  if (row) return { kind: "granted", rule: toRecordedRule(row) };
  return { kind: exists?.results.length === 0 ? "no-subject" : "full" };
}

/** What became of a revocation: what is left of the rule, if anything. */
export type RevokeOutcome =
  { readonly kind: "unknown" | "gone" } | { readonly kind: "left"; readonly rule: RecordedRule };

/** Takes actions out of a rule, and the rule away when none is left. One round trip. */
export async function revoke(db: D1Database, rule: Rule, entry: AuditEntry, now: number): Promise<RevokeOutcome> {
  const [changed, , gone] = await db.batch<RuleRow>([
    db
      .prepare(
        `UPDATE policy_rules SET actions = (
           SELECT json_group_array(value) FROM json_each(policy_rules.actions)
           WHERE value NOT IN (SELECT value FROM json_each(?3)))
         WHERE subject = ?1 AND repository = ?2
         RETURNING subject, repository, actions, created_at, created_by`,
      )
      .bind(rule.subject, rule.repository, JSON.stringify(rule.actions)),
    recordAudit(db, entry, now, "CHANGES() > 0"),
    db
      .prepare("DELETE FROM policy_rules WHERE subject = ?1 AND repository = ?2 AND actions = '[]' RETURNING subject")
      .bind(rule.subject, rule.repository),
  ]);
  const row = changed?.results[0];
  if (!row) return { kind: "unknown" };
  return gone?.results.length === 0 ? { kind: "left", rule: toRecordedRule(row) } : { kind: "gone" };
}

/** A statement that takes away all rules of a subject, which goes. */
export function deleteRulesOf(db: D1Database, subject: Subject): D1PreparedStatement {
  return db.prepare("DELETE FROM policy_rules WHERE subject = ?1").bind(subject);
}
