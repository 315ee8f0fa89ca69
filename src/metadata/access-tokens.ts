import type { RepositoryName } from "../oci/repository-name.ts";
import type { Action } from "../policy/action.ts";
import type { RepositoryPattern } from "../policy/pattern.ts";
import type { Grant } from "../policy/policy.ts";
import { type AuditEntry, recordAudit } from "./audit.ts";
import { deleteRulesOf, type Rule, selectRules, toRules } from "./policy.ts";

export interface AccessToken {
  readonly id: string;
  readonly name: string;
  /** Times are milliseconds since the epoch. */
  readonly createdAt: number;
  readonly createdBy: string;
  /** Undefined: it does not end by itself. */
  readonly expiresAt: number | undefined;
  readonly lastUsedAt: number | undefined;
}

interface AccessTokenRow {
  id: string;
  name: string;
  secret_hash: string;
  created_at: number;
  created_by: string;
  expires_at: number | null;
  last_used_at: number | null;
}

const COLUMNS = "id, name, secret_hash, created_at, created_by, expires_at, last_used_at";

function toAccessToken(row: AccessTokenRow): AccessToken {
  return {
    ...{ id: row.id, name: row.name, createdAt: row.created_at, createdBy: row.created_by },
    expiresAt: row.expires_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
  };
}

/** The token of an id, if there is one, and the rules that could matter for it and these repositories. One round trip. */
export async function findAccessToken(
  db: D1Database,
  id: string,
  repositories: readonly RepositoryName[],
): Promise<{ token: (AccessToken & { readonly secretHash: string }) | undefined; rules: Rule[] }> {
  const [token, rules] = await db.batch<AccessTokenRow>([
    db.prepare(`SELECT ${COLUMNS} FROM access_tokens WHERE id = ?1`).bind(id),
    selectRules(db, "SELECT 'token:' || name FROM access_tokens WHERE id = ?1", id, repositories),
  ]);
  const row = token?.results[0];
  return { token: row && { ...toAccessToken(row), secretHash: row.secret_hash }, rules: toRules(rules) };
}

/** Notes that a token was used. One query. */
export async function touchAccessToken(db: D1Database, id: string, now: number): Promise<void> {
  await db.prepare("UPDATE access_tokens SET last_used_at = ?2 WHERE id = ?1").bind(id, now).run();
}

/** Tokens by name, after `last`, with what they may do; one more than asked for if there are more. One query. */
export async function listAccessTokens(
  db: D1Database,
  page: { last: string; limit: number },
): Promise<(AccessToken & { readonly grants: readonly Grant[] })[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS}, (
         SELECT json_group_array(json_object('repository', repository, 'actions', json(actions)))
         FROM policy_rules WHERE subject = 'token:' || name) AS grants
       FROM access_tokens WHERE name > ?1 ORDER BY name LIMIT ?2`,
    )
    .bind(page.last, page.limit + 1)
    .all<AccessTokenRow & { grants: string }>();
  return results.map((row) => ({ ...toAccessToken(row), grants: JSON.parse(row.grants) as Grant[] }));
}

/** Adds a token with its rules. False if there is one of that name. One round trip. */
export async function insertAccessToken(
  db: D1Database,
  token: AccessToken & { readonly secretHash: string },
  grants: { readonly repositories: readonly RepositoryPattern[]; readonly actions: readonly Action[] },
  entry: AuditEntry,
): Promise<boolean> {
  const { repositories, actions } = grants;
  const [added] = await db.batch([
    db
      .prepare(
        `INSERT INTO access_tokens (id, name, secret_hash, created_at, created_by, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO NOTHING RETURNING name`,
      )
      .bind(token.id, token.name, token.secretHash, token.createdAt, token.createdBy, token.expiresAt ?? null),
    recordAudit(db, entry, token.createdAt, "CHANGES() > 0"),
    db
      .prepare(
        `INSERT INTO policy_rules (subject, repository, actions, created_at, created_by)
         SELECT 'token:' || t.name, w.value, ?3, t.created_at, t.created_by
         FROM access_tokens t CROSS JOIN json_each(?2) w WHERE t.id = ?1`,
      )
      .bind(token.id, JSON.stringify(repositories), JSON.stringify(actions)),
  ]);
  return (added?.results.length ?? 0) > 0;
}

/** Revokes a token, with its rules. False if there was none. One round trip. */
export async function deleteAccessToken(
  db: D1Database,
  name: string,
  entry: AuditEntry,
  now: number,
): Promise<boolean> {
  const [removed] = await db.batch([
    db.prepare("DELETE FROM access_tokens WHERE name = ?1 RETURNING name").bind(name),
    recordAudit(db, entry, now, "CHANGES() > 0"),
    deleteRulesOf(db, `token:${name}`),
  ]);
  return (removed?.results.length ?? 0) > 0;
}
