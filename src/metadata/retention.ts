import type { Digest } from "../oci/digest.ts";
import type { ReferenceRole } from "../oci/manifest.ts";
import type { Tag } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Actor } from "../policy/actor.ts";
import { recordAudit } from "./audit.ts";
import { patternHolds } from "./pattern.ts";
import type { RecordedRetentionRule } from "./retention-rules.ts";

/** A tag, and what retention asks of it. Times are milliseconds since the epoch. */
export interface TagUse {
  readonly tag: Tag;
  readonly digest: Digest;
  readonly pushedAt: number;
  /** When its manifest was last pulled; null: nothing is known. */
  readonly pulledAt: number | null;
}

const TAG_USE = "t.name AS tag, t.digest, t.updated_at AS pushedAt, m.pulled_at AS pulledAt";

/** Tags (t) of a repository (r), with their manifests (m). */
const TAGS_OF_REPOSITORY = `
  CROSS JOIN tags t INDEXED BY tags_in_order ON t.repository_id = r.id
  LEFT JOIN manifests m ON m.repository_id = t.repository_id AND m.digest = t.digest`;

/**
 * The tags of repositories, one repository after the other in the order given, at most `limit` in all: where there are as
 * many, some of the last repository may be missing. One query, which reads no more than it gives.
 */
export async function listTagUses(
  db: D1Database,
  repositories: readonly RepositoryName[],
  limit: number,
): Promise<(TagUse & { readonly repository: RepositoryName })[]> {
  const { results } = await db
    .prepare(
      `SELECT r.name AS repository, ${TAG_USE}
       FROM json_each(?1) w CROSS JOIN repositories r ON r.name = w.value ${TAGS_OF_REPOSITORY} LIMIT ?2`,
    )
    .bind(JSON.stringify(repositories), limit)
    .all<TagUse & { repository: RepositoryName }>();
  return results;
}

/** A repository as its tags see it: what they name, and what that holds. */
export interface StoredGraph {
  readonly tags: readonly TagUse[];
  readonly manifests: readonly { readonly digest: Digest; readonly size: number; readonly subject: Digest | null }[];
  readonly references: readonly { readonly manifest: Digest; readonly role: ReferenceRole; readonly digest: Digest }[];
  readonly blobs: readonly { readonly digest: Digest; readonly size: number; readonly isHeldElsewhere: boolean }[];
}

/** The most rows of a kind that a graph may have. */
export interface GraphLimits {
  readonly tags: number;
  readonly manifests: number;
  readonly references: number;
}

interface ReferenceRow {
  readonly id: number;
  readonly role: ReferenceRole;
  readonly digest: Digest;
}

interface BlobRow {
  readonly digest: Digest;
  readonly size: number;
  readonly is_held_elsewhere: 0 | 1;
}

/**
 * A repository's tags, its manifests that were not deleted, and what they refer to; the name of a limit that it is beyond.
 * One round trip, which reads all of the repository, up to the limits.
 */
export async function findGraph(
  db: D1Database,
  repository: RepositoryName,
  limits: GraphLimits,
): Promise<StoredGraph | keyof GraphLimits> {
  const manifestsOf = `
    FROM repositories r CROSS JOIN manifests m ON m.repository_id = r.id AND m.deleted_at IS NULL`;
  const statement = (sql: string, limit: number) => db.prepare(`${sql} LIMIT ?2`).bind(repository, limit + 1);
  const [tags, manifests, references, blobs] = await db.batch([
    statement(
      `SELECT ${TAG_USE} FROM repositories r ${TAGS_OF_REPOSITORY}
       WHERE r.name = ?1 ORDER BY t.name COLLATE NOCASE, t.name`,
      limits.tags,
    ),
    statement(
      `SELECT m.id, m.digest, m.size, m.subject_digest AS subject ${manifestsOf} WHERE r.name = ?1`,
      limits.manifests,
    ),
    // By the number of the manifest: the answer would be twice as long with digests.
    statement(
      `SELECT m.id, mr.role, mr.digest ${manifestsOf}
       CROSS JOIN manifest_references mr ON mr.repository_id = m.repository_id AND mr.manifest_digest = m.digest
       WHERE r.name = ?1`,
      limits.references,
    ),
    statement(
      `SELECT rb.digest, b.size, b.link_count > 1 AS is_held_elsewhere
       FROM repositories r CROSS JOIN repository_blobs rb ON rb.repository_id = r.id AND rb.reference_count > 0
       CROSS JOIN blobs b ON b.digest = rb.digest
       WHERE r.name = ?1`,
      limits.references,
    ),
  ]);
  const counts = { tags, manifests, references };
  for (const kind of ["tags", "manifests", "references"] as const) {
    if ((counts[kind]?.results.length ?? 0) > limits[kind]) return kind;
  }
  const nodes = (manifests?.results ?? []) as (StoredGraph["manifests"][number] & { id: number })[];
  const digests = new Map(nodes.map(({ id, digest }) => [id, digest]));
  return {
    tags: (tags?.results ?? []) as TagUse[],
    manifests: nodes,
    references: ((references?.results ?? []) as ReferenceRow[]).flatMap(({ id, role, digest }) => {
      const manifest = digests.get(id);
      return manifest === undefined ? [] : [{ manifest, role, digest }];
    }),
    blobs: ((blobs?.results ?? []) as BlobRow[]).map(({ is_held_elsewhere: isHeldElsewhere, ...blob }) => ({
      ...blob,
      isHeldElsewhere: isHeldElsewhere === 1,
    })),
  };
}

/** A tag that is to go as it was seen, by which rule, and why. */
export interface DoomedTag extends Pick<TagUse, "tag" | "digest" | "pushedAt"> {
  /** The rule's name. */
  readonly rule: string;
  /** Of a rule that is not stored: the upstream whose mirrors it is for. */
  readonly upstream: string | null;
  readonly reason: string;
}

/** Tags of one repository that are to go. */
export interface TagRemoval {
  readonly repository: RepositoryName;
  readonly tags: readonly DoomedTag[];
  /** All rules for the repository when that was decided: no two of one name have one time. */
  readonly rules: readonly Pick<RecordedRetentionRule, "name" | "createdAt">[];
  /** Whether the repository may be left without any tag. */
  readonly mayEmpty: boolean;
  /** Who lets the rules run, for the audit; the history names the rules. */
  readonly actor: Actor;
  readonly now: number;
}

/** Tags that one audit event names. */
const RECORDED_MAX = 50;

/** A reason may list patterns; a parameter of D1 has at most 2 MB. */
const REASON_MAX = 200;

/**
 * Tags (t) of the removal (?1 and `payload`) that are still what they were, push by push, and whose rule is still in force, if it is a stored one.
 * None of them, where a rule for the repository has come or changed, as it may protect; or where something must stay and nothing
 * would any more.
 */
function targetsIn(payload: string, mayEmpty: boolean): string {
  // Asked once, as a value: what EXISTS asks, SQLite may ask for each row.
  const isLeft = `
    (SELECT k.name FROM tags k INDEXED BY tags_in_order
     WHERE k.repository_id = (SELECT id FROM repositories WHERE name = ?1)
       AND k.name NOT IN (SELECT value ->> 'tag' FROM json_each(${payload} -> 'tags')) LIMIT 1) IS NOT NULL`;
  const known = `SELECT value ->> 'name', value ->> 'createdAt' FROM json_each(${payload} -> 'rules')`;
  const areKnown = `
    (SELECT name FROM retention_rules
     WHERE ${patternHolds("retention_rules", "?1")}
       AND (name, created_at) NOT IN (${known}) LIMIT 1) IS NULL`;
  return `
    json_each(${payload} -> 'tags') w
    CROSS JOIN repositories r ON r.name = ?1
    CROSS JOIN tags t ON t.name = w.value ->> 'tag' AND t.repository_id = r.id
     AND t.digest = w.value ->> 'digest' AND t.updated_at = w.value ->> 'pushedAt'
    WHERE (r.upstream = w.value ->> 'upstream' OR EXISTS (
        SELECT 1 FROM retention_rules p WHERE p.name = w.value ->> 'rule' AND p.previewed_at IS NOT NULL
          AND (p.name, p.created_at) IN (${known})))
      AND NOT EXISTS (SELECT 1 FROM tags_that_stay s WHERE s.repository_id = t.repository_id AND s.name = t.name)
      AND ${areKnown} AND ${mayEmpty ? "TRUE" : isLeft}`;
}

/**
 * Removes tags that are still what they were when that was decided, in one transaction, which records each in the tag's
 * history, and all of them as one audit event. What one of them named stays, for collection to take in its time. One round trip.
 * @returns those that are gone.
 */
export async function removeTags(db: D1Database, removal: TagRemoval): Promise<Set<Tag>> {
  const { repository, actor, now, mayEmpty } = removal;
  const tags = removal.tags.map(({ tag, digest, pushedAt, rule, upstream, reason }) => ({
    ...{ tag, digest, pushedAt, rule, upstream, reason: reason.slice(0, REASON_MAX) },
  }));
  const payload = { tags, rules: removal.rules.map(({ name, createdAt }) => ({ name, createdAt })) };
  const [json, targets, audited] = [JSON.stringify(payload), targetsIn("?2", mayEmpty), targetsIn("?9", mayEmpty)];
  const detail = `(
    SELECT json_object('removed', COUNT(*), 'tags', json_group_array(json_object(
      'tag', t.name, 'digest', t.digest, 'rule', w.value ->> 'rule', 'reason', w.value ->> 'reason')) FILTER (WHERE w.key < ${RECORDED_MAX}))
    FROM ${audited})`;
  const results = await db.batch<{ name: Tag }>([
    db
      .prepare(
        `INSERT INTO tag_events (repository_id, name, digest, previous_digest, actor, occurred_at)
         SELECT t.repository_id, t.name, NULL, t.digest, 'retention:' || (w.value ->> 'rule'), ?3 FROM ${targets}`,
      )
      .bind(repository, json, now),
    recordAudit(
      db,
      { action: "retention.run", actor, repository, detail: payload },
      now,
      `EXISTS (SELECT 1 FROM ${audited})`,
      detail,
    ),
    db
      .prepare(
        `DELETE FROM tags WHERE (name, repository_id) IN (SELECT t.name, t.repository_id FROM ${targets}) RETURNING name`,
      )
      .bind(repository, json),
  ]);
  return new Set((results.at(-1)?.results ?? []).map(({ name }) => name));
}
