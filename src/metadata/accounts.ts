import type { RepositoryName } from "../oci/repository-name.ts";
import { type AuditEntry, recordAudit } from "./audit.ts";
import { deleteRulesOf, type Rule, selectRules, toRules } from "./policy.ts";

/** An admin may do everything; a member what the rules grant. */
export type Role = "admin" | "member";

export interface Account {
  readonly name: string;
  readonly role: Role;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly createdBy: string;
}

/** What an account proves itself by. */
export interface AccountCredential {
  readonly name: string;
  readonly role: Role;
  readonly passwordHash: string;
  /** Another one for each password. */
  readonly credentialId: string;
}

interface AccountRow {
  name: string;
  role: Role;
  password_hash: string;
  credential_id: string;
  created_at: number;
  created_by: string;
}

/** The account, if there is one, and the rules that could matter for it and these repositories. One round trip. */
export async function findAccount(
  db: D1Database,
  name: string,
  repositories: readonly RepositoryName[],
): Promise<{ account: AccountCredential | undefined; rules: Rule[] }> {
  const [account, rules] = await db.batch<AccountRow>([
    db.prepare("SELECT name, role, password_hash, credential_id FROM accounts WHERE name = ?1").bind(name),
    selectRules(db, "SELECT 'account:' || ?1", name, repositories),
  ]);
  const row = account?.results[0];
  return {
    account: row && {
      name: row.name,
      role: row.role,
      passwordHash: row.password_hash,
      credentialId: row.credential_id,
    },
    rules: toRules(rules),
  };
}

/** Accounts by name, after `last`; one more than asked for if there are more. One query. */
export async function listAccounts(db: D1Database, page: { last: string; limit: number }): Promise<Account[]> {
  const { results } = await db
    .prepare("SELECT name, role, created_at, created_by FROM accounts WHERE name > ?1 ORDER BY name LIMIT ?2")
    .bind(page.last, page.limit + 1)
    .all<AccountRow>();
  return results.map((row) => ({
    name: row.name,
    role: row.role,
    createdAt: row.created_at,
    createdBy: row.created_by,
  }));
}

/** Adds an account. False if there is one of that name. One round trip. */
export async function insertAccount(
  db: D1Database,
  account: AccountCredential,
  entry: AuditEntry,
  now: number,
): Promise<boolean> {
  const [added] = await db.batch([
    db
      .prepare(
        `INSERT INTO accounts (name, role, password_hash, credential_id, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO NOTHING RETURNING name`,
      )
      .bind(account.name, account.role, account.passwordHash, account.credentialId, now, entry.actor.name),
    recordAudit(db, entry, now, "CHANGES() > 0"),
  ]);
  return (added?.results.length ?? 0) > 0;
}

/** Gives an account another password in place of the one it has, or of `replaces` alone. False if there is none. One round trip. */
export async function updatePassword(
  db: D1Database,
  account: Omit<AccountCredential, "role"> & { readonly replaces: string | undefined },
  entry: AuditEntry,
  now: number,
): Promise<boolean> {
  const [changed] = await db.batch([
    db
      .prepare(
        `UPDATE accounts SET password_hash = ?2, credential_id = ?3
         WHERE name = ?1 AND (?4 IS NULL OR credential_id = ?4) RETURNING name`,
      )
      .bind(account.name, account.passwordHash, account.credentialId, account.replaces ?? null),
    recordAudit(db, entry, now, "CHANGES() > 0"),
  ]);
  return (changed?.results.length ?? 0) > 0;
}

/** Stores the same password under newer parameters, unless it was changed meanwhile. One query. */
export async function replacePasswordHash(db: D1Database, account: AccountCredential, hash: string): Promise<void> {
  await db
    .prepare("UPDATE accounts SET password_hash = ?3 WHERE name = ?1 AND credential_id = ?2")
    .bind(account.name, account.credentialId, hash)
    .run();
}

/** Removes an account and its rules. False if there was none. One round trip. */
export async function deleteAccount(db: D1Database, name: string, entry: AuditEntry, now: number): Promise<boolean> {
  const [removed] = await db.batch([
    db.prepare("DELETE FROM accounts WHERE name = ?1 RETURNING name").bind(name),
    recordAudit(db, entry, now, "CHANGES() > 0"),
    deleteRulesOf(db, `account:${name}`),
  ]);
  return (removed?.results.length ?? 0) > 0;
}
