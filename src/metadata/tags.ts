import type { Digest } from "../oci/digest.ts";
import type { PageRequest } from "../oci/page.ts";
import type { Tag } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Actor } from "../policy/actor.ts";
import { parseLife } from "../policy/expiring-tag.ts";
import { recordAudit } from "./audit.ts";
import type { Deletion } from "./blobs.ts";
import { patternHolds } from "./pattern.ts";
import type { Reader } from "./reader.ts";
import { selectRepository } from "./repositories.ts";

/** How long after a push its tags end, in milliseconds; undefined: as they say themselves where their repository lets them. */
type TagLife = number | undefined;

/** Tags on their way to a manifest. */
interface TagMove {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly tags: readonly Tag[];
  readonly actor: Actor;
  readonly lifeMs: TagLife;
  readonly now: number;
}

/** The rules by which tags of the repository ?1 end by themselves. */
const EXPIRY_RULES = `SELECT 1 FROM expiring_tags e WHERE ${patternHolds("e", "?1")}`;

/** The config of an image whose labels may say how long its tags live, and the most bytes of it that are worth a look. */
export interface LabelledConfig {
  readonly config: Digest;
  readonly maxBytes: number;
}

/** How long a tag says that it lives, in a repository (?1) that lets it: null for others. */
const OWN_LIFE = `IIF(EXISTS (${EXPIRY_RULES}), w.value ->> 'lifeMs', NULL)`;

/** Tags as JSON, each with the life that its name states. */
const serialiseTags = (tags: readonly Tag[]): string =>
  JSON.stringify(tags.map((tag) => ({ name: tag, lifeMs: parseLife(tag) ?? null })));

/** Records those of the tags that will name another manifest than before. Does nothing while the manifest is absent. */
export function recordTagMoves(db: D1Database, move: TagMove): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO tag_events (repository_id, name, digest, previous_digest, actor, occurred_at)
       SELECT r.id, w.value ->> 'name', m.digest, t.digest, ?4, ?5
       FROM repositories r
       JOIN manifests m ON m.repository_id = r.id AND m.digest = ?2 AND m.deleted_at IS NULL
       JOIN json_each(?3) w
       LEFT JOIN tags t ON t.repository_id = r.id AND t.name = w.value ->> 'name'
       WHERE r.name = ?1 AND t.digest IS NOT m.digest`,
    )
    .bind(move.repository, move.digest, serialiseTags(move.tags), move.actor.name, move.now);
}

/** Makes the tags name the manifest. Does nothing while the manifest is absent. */
export function upsertTags(db: D1Database, move: TagMove): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO tags (repository_id, name, digest, updated_at, expires_at)
       SELECT r.id, w.value ->> 'name', m.digest, ?4, ?4 + COALESCE(?5, ${OWN_LIFE})
       FROM repositories r
       JOIN manifests m ON m.repository_id = r.id AND m.digest = ?2 AND m.deleted_at IS NULL
       JOIN json_each(?3) w
       WHERE r.name = ?1
       ON CONFLICT (repository_id, name) DO UPDATE SET
         digest = excluded.digest, updated_at = excluded.updated_at, expires_at = excluded.expires_at`,
    )
    .bind(move.repository, move.digest, serialiseTags(move.tags), move.now, move.lifeMs ?? null);
}

/** A statement that finds the object of a config, of at most `maxBytes`, where the repository lets tags end by themselves. */
export function selectLabelledConfig(
  db: D1Database,
  repository: RepositoryName,
  { config, maxBytes }: LabelledConfig,
): D1PreparedStatement {
  return db
    .prepare(
      // The rules come first: where there are none, nothing else is read.
      `SELECT b.object_key FROM (${EXPIRY_RULES} LIMIT 1)
       CROSS JOIN repositories r ON r.name = ?1
       CROSS JOIN repository_blobs rb ON rb.repository_id = r.id AND rb.digest = ?2
       CROSS JOIN blobs b ON b.digest = rb.digest AND b.size <= ?3`,
    )
    .bind(repository, config, maxBytes);
}

/** Lets tags that were just moved end so long after that, but for those that moved again meanwhile. One query. */
export async function endTagsAfter(
  db: D1Database,
  { repository, digest, tags, now }: Omit<TagMove, "actor" | "lifeMs">,
  lifeMs: number,
): Promise<void> {
  await db
    .prepare(
      `UPDATE tags SET expires_at = updated_at + ?5
       WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1) AND name IN (SELECT value FROM json_each(?2))
         AND digest = ?3 AND updated_at = ?4`,
    )
    .bind(repository, JSON.stringify(tags), digest, now, lifeMs)
    .run();
}

/** Records the deletion of the tags that `where` selects; its parameters are ?1 and ?2. */
export function recordTagDeletions(
  db: D1Database,
  deletion: { repository: RepositoryName; actor: Actor; now: number; digest?: Digest; tag?: Tag },
  where: string,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO tag_events (repository_id, name, digest, previous_digest, actor, occurred_at)
       SELECT repository_id, name, NULL, digest, ?3, ?4 FROM tags WHERE ${where}`,
    )
    .bind(deletion.repository, deletion.digest ?? deletion.tag ?? null, deletion.actor.name, deletion.now);
}

/** Deletes a tag; the manifest stays. One round trip. */
export async function deleteTag(
  db: D1Database,
  deletion: { repository: RepositoryName; tag: Tag; actor: Actor; now: number },
): Promise<Exclude<Deletion["kind"], "held">> {
  const target = "repository_id = (SELECT id FROM repositories WHERE name = ?1) AND name = ?2";
  const { repository, tag, actor, now } = deletion;
  const [known, , , deleted] = await db.batch([
    selectRepository(db, repository),
    recordTagDeletions(db, deletion, target),
    recordAudit(
      db,
      { action: "tag.delete", actor, repository, tag },
      now,
      `EXISTS (SELECT 1 FROM tags WHERE ${target})`,
    ),
    db.prepare(`DELETE FROM tags WHERE ${target} RETURNING name`).bind(repository, tag),
  ]);
  if (known?.results.length === 0) return "repository-unknown";
  return deleted?.results.length === 0 ? "unknown" : "deleted";
}

/**
 * Tags in the spec's order, in which case does not count, after `page.last`; one more than asked for if there are more.
 * Undefined for an unknown repository. One round trip. The index is searched by the single comparison; SQLite cannot do
 * that by the comparison of pairs, which then only tells names apart that differ in case.
 */
export async function listTags(
  db: Reader,
  repository: RepositoryName,
  page: PageRequest,
): Promise<string[] | undefined> {
  const [known, tags] = await db.batch<{ name: string }>([
    selectRepository(db, repository),
    db
      .prepare(
        `SELECT name FROM tags
         WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1)
           AND name COLLATE NOCASE >= ?2 AND (name COLLATE NOCASE, name) > (?2, ?2)
         ORDER BY name COLLATE NOCASE, name LIMIT ?3`,
      )
      .bind(repository, page.last, page.limit + 1),
  ]);
  if (known?.results.length === 0) return undefined;
  return (tags?.results ?? []).map((row) => row.name);
}
