import type { Tag } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { toTimeOrNull } from "../oci/time.ts";
import type { Actor } from "../policy/actor.ts";
import { recordAudit } from "./audit.ts";

/** Says when a tag ends; null: not by itself. False if there is no such tag. One round trip. */
export async function setTagExpiry(
  db: D1Database,
  { repository, tag }: { repository: RepositoryName; tag: Tag },
  expiresAt: number | null,
  actor: Actor,
  now: number,
): Promise<boolean> {
  const [set] = await db.batch([
    db
      .prepare(
        `UPDATE tags SET expires_at = ?3
         WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1) AND name = ?2 RETURNING name`,
      )
      .bind(repository, tag, expiresAt),
    recordAudit(
      db,
      { action: "tag.expire", actor, repository, tag, detail: { expires: toTimeOrNull(expiresAt) } },
      now,
      "CHANGES() > 0",
    ),
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
