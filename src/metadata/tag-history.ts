import type { Digest } from "../oci/digest.ts";
import type { Tag } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Actor } from "../policy/actor.ts";
import { parseLife } from "../policy/expiring-tag.ts";
import { recordAudit } from "./audit.ts";
import { patternHolds } from "./pattern.ts";
import type { Reader } from "./reader.ts";
import { type Asker, askWithRules, type Ruled } from "./ruled.ts";

/** A move of a tag, or its end. */
export interface TagEvent {
  readonly id: number;
  /** Where it points from then on; null: nowhere. */
  readonly digest: Digest | null;
  readonly previousDigest: Digest | null;
  readonly actor: string;
  /** Milliseconds since the epoch. */
  readonly occurredAt: number;
  /** Whether the manifest is still stored, be it deleted, so that the tag can be restored to it. */
  readonly isAvailable: boolean;
}

interface EventRow {
  id: number;
  digest: Digest | null;
  previous_digest: Digest | null;
  actor: string;
  occurred_at: number;
  is_available: 0 | 1;
}

/** Which events of a tag are wanted: those before an id, or all. */
export interface EventsPage {
  readonly before: number | undefined;
  readonly limit: number;
}

/** A tag of a repository, whether or not it is there now. */
export interface TagAddress {
  readonly repository: RepositoryName;
  readonly tag: Tag;
}

/** A statement that finds the events of a tag, newest first; one more than asked for if there are more. */
function selectEvents(db: Reader, { repository, tag }: TagAddress, { before, limit }: EventsPage): D1PreparedStatement {
  return db
    .prepare(
      `SELECT e.id, e.digest, e.previous_digest, e.actor, e.occurred_at, m.id IS NOT NULL AS is_available
       FROM repositories r
       CROSS JOIN tag_events e ON e.repository_id = r.id AND e.name = ?2 AND e.id < ?3
       LEFT JOIN manifests m ON m.repository_id = r.id AND m.digest = e.digest
       WHERE r.name = ?1 ORDER BY e.id DESC LIMIT ?4`,
    )
    .bind(repository, tag, before ?? Number.MAX_SAFE_INTEGER, limit + 1);
}

function toTagEvent(row: EventRow): TagEvent {
  return {
    ...{ id: row.id, digest: row.digest, previousDigest: row.previous_digest, actor: row.actor },
    ...{ occurredAt: row.occurred_at, isAvailable: row.is_available === 1 },
  };
}

/** The events of a tag, newest first; one more than asked for if there are more. One query. */
export async function listTagEvents(db: Reader, address: TagAddress, page: EventsPage): Promise<TagEvent[]> {
  const { results } = await selectEvents(db, address, page).all<EventRow>();
  return results.map(toTagEvent);
}

/** {@link listTagEvents}, for someone who may see them or not. One round trip. */
export async function readTagEvents(
  db: Reader,
  asker: Asker,
  tag: Tag,
  page: EventsPage,
): Promise<Ruled<readonly TagEvent[]>> {
  const select = selectEvents(db, { repository: asker.repository, tag }, page);
  const { rules, results } = await askWithRules(db, asker, [select]);
  return { rules, found: ((results[0]?.results ?? []) as EventRow[]).map(toTagEvent) };
}

/**
 * Where a tag pointed at a time: null for nowhere, undefined where nothing is known of it. For someone who may see it or not. One
 * round trip.
 */
export async function findTagAt(
  db: D1Database,
  asker: Asker,
  tag: Tag,
  at: number,
): Promise<Ruled<Digest | null | undefined>> {
  const select = db
    .prepare(
      `SELECT e.digest FROM repositories r
       CROSS JOIN tag_events e ON e.repository_id = r.id AND e.name = ?2 AND e.occurred_at <= ?3
       WHERE r.name = ?1 ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1`,
    )
    .bind(asker.repository, tag, at);
  const { rules, results } = await askWithRules(db, asker, [select]);
  const [row] = (results[0]?.results ?? []) as { digest: Digest | null }[];
  return { rules, found: row?.digest };
}

/** A tag, and the manifest that it is to name. */
export interface Release {
  readonly repository: RepositoryName;
  readonly tag: Tag;
  readonly digest: Digest;
}

/** Releases (?1, JSON) whose manifest (m) is there. */
const TARGETS = `
  json_each(?1) w
  CROSS JOIN repositories r ON r.name = w.value ->> 'repository'
  CROSS JOIN manifests m ON m.repository_id = r.id AND m.digest = w.value ->> 'digest' AND m.deleted_at IS NULL`;

/** How long a tag (w) says that it lives, in a repository (r) that lets it: null for others. */
const OWN_LIFE = `CASE WHEN w.value ->> 'lifeMs' IS NOT NULL
  AND EXISTS (SELECT 1 FROM expiring_tags e WHERE ${patternHolds("e", "r.name")}) THEN w.value ->> 'lifeMs' END`;

/** Holds if all of them are. */
const ALL_THERE = `(SELECT COUNT(*) FROM ${TARGETS}) = json_array_length(?1)`;

/**
 * Moves tags of any repositories, all in one transaction: whoever pulls sees all of them moved, or none. False, with nothing
 * changed, where a manifest is not there. One round trip.
 */
export async function releaseTags(
  db: D1Database,
  releases: readonly Release[],
  actor: Actor,
  now: number,
): Promise<boolean> {
  const json = JSON.stringify(releases.map((release) => ({ ...release, lifeMs: parseLife(release.tag) ?? null })));
  const moved = `EXISTS (SELECT 1 FROM repositories r CROSS JOIN tags t ON t.repository_id = r.id AND t.digest = ?2
                         WHERE r.name = ?1 AND t.updated_at = ${now})`;
  const results = await db.batch([
    db
      .prepare(
        `INSERT INTO tag_events (repository_id, name, digest, previous_digest, actor, occurred_at)
         SELECT r.id, w.value ->> 'tag', m.digest, t.digest, ?2, ?3
         FROM ${TARGETS} LEFT JOIN tags t ON t.repository_id = r.id AND t.name = w.value ->> 'tag'
         WHERE t.digest IS NOT m.digest AND ${ALL_THERE}`,
      )
      .bind(json, actor.name, now),
    db
      .prepare(
        `INSERT INTO tags (repository_id, name, digest, updated_at, expires_at)
         SELECT r.id, w.value ->> 'tag', m.digest, ?2, ?2 + ${OWN_LIFE} FROM ${TARGETS} WHERE ${ALL_THERE}
         ON CONFLICT (repository_id, name) DO UPDATE SET
           digest = excluded.digest, updated_at = excluded.updated_at, expires_at = excluded.expires_at
         RETURNING name`,
      )
      .bind(json, now),
    ...releases.map(({ repository, tag, digest }) =>
      recordAudit(db, { action: "tag.release", actor, repository, tag, digest }, now, moved),
    ),
  ]);
  return (results[1]?.results.length ?? 0) > 0;
}

/** Which of the releases have no manifest. One query. */
export async function findAbsentReleases(db: D1Database, releases: readonly Release[]): Promise<Release[]> {
  const { results } = await db
    .prepare(
      `SELECT w.value ->> 'repository' AS repository, w.value ->> 'tag' AS tag, w.value ->> 'digest' AS digest
       FROM json_each(?1) w
       LEFT JOIN repositories r ON r.name = w.value ->> 'repository'
       LEFT JOIN manifests m ON m.repository_id = r.id AND m.digest = w.value ->> 'digest' AND m.deleted_at IS NULL
       WHERE m.id IS NULL`,
    )
    .bind(JSON.stringify(releases))
    .all<Release>();
  return results;
}
