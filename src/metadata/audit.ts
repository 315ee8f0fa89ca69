import type { Actor } from "../policy/actor.ts";
import type { Reader } from "./reader.ts";

/** What is recorded: each change of what the registry holds, and of who may do what. */
export type AuditAction =
  | `manifest.${"push" | "delete"}`
  | `tag.${"delete" | "restore" | "release" | "expire"}`
  | `retention.${"set" | "remove" | "run"}`
  | "blob.delete"
  | `repository.${"set" | "delete"}`
  | `account.${"add" | "remove" | "password"}`
  | `token.${"create" | "revoke"}`
  | `policy.${"grant" | "revoke"}`
  | `trust.${"add" | "remove"}`;

/** Something that someone does. */
export interface AuditEntry {
  readonly action: AuditAction;
  readonly actor: Actor;
  /** A name; a pattern, where a rule for it changes. */
  readonly repository?: string | undefined;
  readonly tag?: string | undefined;
  readonly digest?: string | undefined;
  /** Particulars, to be shown as they are: no secret. */
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
}

/** Identifiers are microseconds since the epoch. */
const PER_MILLISECOND = 1_000;

/**
 * A statement that records an entry, in the transaction that makes it true. It does so only where `where` holds, whose
 * parameters are ?1, the repository, and ?2, the digest, or else the tag. ?9 are the particulars, as JSON; `detailSql` may
 * make others of them, of what the transaction finds.
 */
export function recordAudit(
  db: D1Database,
  entry: AuditEntry,
  now: number,
  where = "TRUE",
  detailSql = "?9",
): D1PreparedStatement {
  const { actor, action, repository, tag, digest, detail } = entry;
  return db
    .prepare(
      `INSERT INTO audit_events (id, actor, credential, action, repository, tag, digest, detail)
       SELECT MAX(?3, COALESCE((SELECT MAX(id) FROM audit_events), 0) + 1), ?4, ?5, ?6, ?1, ?7, ?8, ${detailSql}
       WHERE (?2 IS NULL OR TRUE) AND ${where}`,
    )
    .bind(
      ...[repository ?? null, digest ?? tag ?? null, now * PER_MILLISECOND, actor.name, actor.credential, action],
      ...[tag ?? null, digest ?? null, detail === undefined ? null : JSON.stringify(detail)],
    );
}

/** A recorded event. */
export interface AuditEvent {
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly occurredAt: number;
  readonly actor: string;
  readonly credential: string;
  readonly action: string;
  readonly repository: string | null;
  readonly tag: string | null;
  readonly digest: string | null;
  readonly detail: Readonly<Record<string, unknown>> | null;
}

/** Which events are wanted; what is undefined does not matter. */
export interface AuditFilter {
  readonly repository: string | undefined;
  readonly actor: string | undefined;
  readonly action: string | undefined;
  /** Milliseconds since the epoch. */
  readonly since: number | undefined;
  /** Events before this one. */
  readonly before: number | undefined;
  readonly limit: number;
}

/** Events, newest first; one more than asked for if there are more. One query, which searches by the first filter given. */
export async function listAuditEvents(db: Reader, filter: AuditFilter): Promise<AuditEvent[]> {
  const equal = (["repository", "actor", "action"] as const).filter((column) => filter[column] !== undefined);
  const conditions = equal.map((column, index) => `${column} = ?${index + 4}`);
  const { results } = await db
    .prepare(
      `SELECT id, actor, credential, action, repository, tag, digest, detail FROM audit_events
       WHERE id >= ?1 AND id < ?2 ${conditions.map((condition) => `AND ${condition} `).join("")}ORDER BY id DESC LIMIT ?3`,
    )
    .bind(
      ...[(filter.since ?? 0) * PER_MILLISECOND, filter.before ?? Number.MAX_SAFE_INTEGER, filter.limit + 1],
      ...equal.map((column) => filter[column]),
    )
    .all<Omit<AuditEvent, "occurredAt" | "detail"> & { detail: string | null }>();
  return results.map((row) => ({
    ...row,
    occurredAt: Math.floor(row.id / PER_MILLISECOND),
    detail: row.detail === null ? null : (JSON.parse(row.detail) as Record<string, unknown>),
  }));
}

/** Forgets at most `limit` events from before a time. Returns how many. One query. */
export async function forgetAuditEvents(db: D1Database, before: number, limit: number): Promise<number> {
  const { results } = await db
    .prepare(
      `DELETE FROM audit_events WHERE id IN (SELECT id FROM audit_events WHERE id < ?1 ORDER BY id LIMIT ?2)
       RETURNING id`,
    )
    .bind(before * PER_MILLISECOND, limit)
    .all();
  return results.length;
}
