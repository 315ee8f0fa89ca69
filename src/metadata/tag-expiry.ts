import type { Digest } from "../oci/digest.ts";
import type { Tag } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Actor } from "../policy/actor.ts";
import { recordAudit } from "./audit.ts";
import type { Reader } from "./reader.ts";

/** Says when a tag ends; null: not by itself. False if there is no such tag. One round trip. */
export async function setTagExpiry(
  db: D1Database,
  { repository, tag }: { repository: RepositoryName; tag: Tag },
  expiresAt: number | null,
  actor: Actor,
  now: number,
): Promise<boolean> {
  const expires = expiresAt === null ? null : new Date(expiresAt).toISOString();
  const [set] = await db.batch([
    db
      .prepare(
        `UPDATE tags SET expires_at = ?3
         WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1) AND name = ?2 RETURNING name`,
      )
      .bind(repository, tag, expiresAt),
    recordAudit(db, { action: "tag.expire", actor, repository, tag, detail: { expires } }, now, "CHANGES() > 0"),
  ]);
  return (set?.results.length ?? 0) > 0;
}

/** Tags whose time is over, at most ?2 of them, but for those that stay. */
const EXPIRED = `
  SELECT t.repository_id, t.name FROM tags t INDEXED BY tags_by_expiry
  WHERE t.expires_at IS NOT NULL AND t.expires_at <= ?1
    AND NOT EXISTS (SELECT 1 FROM tags_that_stay s WHERE s.repository_id = t.repository_id AND s.name = t.name)
  ORDER BY t.expires_at LIMIT ?2`;

/** Ends a batch of tags whose time is over, and records that `actor` did. Returns how many. One round trip. */
export async function expireTags(db: D1Database, actor: string, now: number, limit: number): Promise<number> {
  const [, ended] = await db.batch([
    db
      .prepare(
        `INSERT INTO tag_events (repository_id, name, digest, previous_digest, actor, occurred_at)
         SELECT repository_id, name, NULL, digest, ?3, ?1 FROM tags WHERE (repository_id, name) IN (${EXPIRED})`,
      )
      .bind(now, limit, actor),
    db.prepare(`DELETE FROM tags WHERE (repository_id, name) IN (${EXPIRED}) RETURNING name`).bind(now, limit),
  ]);
  return ended?.results.length ?? 0;
}

/** A tag in a list. Times are milliseconds since the epoch. */
export interface ListedTag {
  readonly name: Tag;
  readonly digest: Digest;
  readonly updatedAt: number;
  readonly expiresAt: number | null;
  readonly isImmutable: boolean;
}

interface ListedTagRow extends Omit<ListedTag, "isImmutable"> {
  readonly is_immutable: 0 | 1;
}

/** Tags with what is known of them, by name in byte order; one more than asked for if there are more. One query. */
export async function listTagsWithState(
  db: Reader,
  repository: RepositoryName,
  page: { readonly last: string; readonly limit: number },
): Promise<ListedTag[]> {
  const { results } = await db
    .prepare(
      `SELECT t.name, t.digest, t.updated_at AS updatedAt, t.expires_at AS expiresAt,
              EXISTS (SELECT 1 FROM tags_that_stay s WHERE s.repository_id = t.repository_id AND s.name = t.name) AS is_immutable
       FROM repositories r
       CROSS JOIN tags t INDEXED BY tags_in_order ON t.repository_id = r.id AND t.name COLLATE NOCASE >= ?2
       WHERE r.name = ?1 AND (t.name COLLATE NOCASE, t.name) > (?2, ?2)
       ORDER BY t.name COLLATE NOCASE, t.name LIMIT ?3`,
    )
    .bind(repository, page.last, page.limit + 1)
    .all<ListedTagRow>();
  return results.map(({ is_immutable, ...row }) => ({ ...row, isImmutable: is_immutable === 1 }));
}
