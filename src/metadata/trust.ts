import type { RepositoryName } from "../oci/repository-name.ts";
import type { Action } from "../policy/action.ts";
import type { TrustRule } from "../policy/trust.ts";
import { type AuditEntry, recordAudit } from "./audit.ts";
import { deleteRulesOf, type Rule, selectRules, toRules } from "./policy.ts";

/** A trust rule, with who made it and when. */
export interface RecordedTrustRule extends TrustRule {
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly createdBy: string;
}

interface TrustRow {
  name: string;
  issuer: string;
  audience: string;
  claims: string;
  repositories: string;
  actions: string;
  keys: string | null;
  created_at: number;
  created_by: string;
}

/** Rules of one issuer: all of them are read for each of its tokens. */
export const TRUST_RULES_OF_ISSUER_MAX = 100;

const COLUMNS = "name, issuer, audience, claims, repositories, actions, keys, created_at, created_by";

function toTrustRule(row: TrustRow): RecordedTrustRule {
  return {
    ...{ name: row.name, issuer: row.issuer, audience: row.audience },
    claims: JSON.parse(row.claims) as Record<string, string>,
    repositories: JSON.parse(row.repositories) as string[],
    actions: JSON.parse(row.actions) as Action[],
    keys: row.keys === null ? undefined : (JSON.parse(row.keys) as TrustRule["keys"]),
    ...{ createdAt: row.created_at, createdBy: row.created_by },
  };
}

/** The rules for tokens of an issuer, and the policy rules for them that could matter for these repositories. One round trip. */
export async function findTrust(
  db: D1Database,
  issuer: string,
  repositories: readonly RepositoryName[],
): Promise<{ trustRules: RecordedTrustRule[]; rules: Rule[] }> {
  const [trustRules, rules] = await db.batch<TrustRow>([
    db.prepare(`SELECT ${COLUMNS} FROM trust_rules WHERE issuer = ?1 ORDER BY name`).bind(issuer),
    selectRules(db, "SELECT 'oidc:' || name FROM trust_rules WHERE issuer = ?1", issuer, repositories),
  ]);
  return { trustRules: (trustRules?.results ?? []).map(toTrustRule), rules: toRules(rules) };
}

/** A trust rule, and the policy rules that could matter for the identities that it lets in and a repository. One round trip. */
export async function findTrustRule(
  db: D1Database,
  name: string,
  repository: RepositoryName,
): Promise<{ trustRule: RecordedTrustRule; rules: Rule[] } | undefined> {
  const [found, rules] = await db.batch<TrustRow>([
    db.prepare(`SELECT ${COLUMNS} FROM trust_rules WHERE name = ?1`).bind(name),
    selectRules(db, "SELECT ?1", `oidc:${name}`, [repository]),
  ]);
  const row = found?.results[0];
  return row && { trustRule: toTrustRule(row), rules: toRules(rules) };
}

/** Trust rules by name, after `last`; one more than asked for if there are more. One query. */
export async function listTrustRules(
  db: D1Database,
  page: { last: string; limit: number },
): Promise<RecordedTrustRule[]> {
  const { results } = await db
    .prepare(`SELECT ${COLUMNS} FROM trust_rules WHERE name > ?1 ORDER BY name LIMIT ?2`)
    .bind(page.last, page.limit + 1)
    .all<TrustRow>();
  return results.map(toTrustRule);
}

/** Adds a trust rule. `taken` if there is one of that name, `full` if its issuer has too many. One round trip. */
export async function insertTrustRule(
  db: D1Database,
  rule: RecordedTrustRule,
  entry: AuditEntry,
): Promise<"added" | "taken" | "full"> {
  const [known, added] = await db.batch([
    db.prepare("SELECT 1 FROM trust_rules WHERE name = ?1").bind(rule.name),
    db
      .prepare(
        `INSERT INTO trust_rules (${COLUMNS}) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
         WHERE (SELECT COUNT(*) FROM trust_rules WHERE issuer = ?2) < ${TRUST_RULES_OF_ISSUER_MAX}
         ON CONFLICT (name) DO NOTHING RETURNING name`,
      )
      .bind(
        ...[rule.name, rule.issuer, rule.audience, JSON.stringify(rule.claims), JSON.stringify(rule.repositories)],
        ...[JSON.stringify(rule.actions), rule.keys === undefined ? null : JSON.stringify(rule.keys)],
        ...[rule.createdAt, rule.createdBy],
      ),
    recordAudit(db, entry, rule.createdAt, "CHANGES() > 0"),
  ]);
  if ((known?.results.length ?? 0) > 0) return "taken";
  return added?.results.length === 0 ? "full" : "added";
}

/** Removes a trust rule, and the policy rules for the identities that it let in. False if there was none. One round trip. */
export async function deleteTrustRule(db: D1Database, name: string, entry: AuditEntry, now: number): Promise<boolean> {
  const [removed] = await db.batch([
    db.prepare("DELETE FROM trust_rules WHERE name = ?1 RETURNING name").bind(name),
    recordAudit(db, entry, now, "CHANGES() > 0"),
    deleteRulesOf(db, `oidc:${name}`),
  ]);
  return (removed?.results.length ?? 0) > 0;
}
