import { IMAGE_CONFIG_TYPES } from "../oci/media-type.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { type NotedConfig, noteConfigs, type StoredConfig } from "./image-configs.ts";

/** What images say is asked of so many tags, those that moved last. */
export const INDEXED_TAGS_MAX = 20;

/** Of those that an index lists, the first: one image says on all platforms the same, and each has a config to be read. */
const LISTED_MAX = 8;

/** As much is kept of what they say, in characters: of each value, and in all. */
const VALUE_MAX_LENGTH = 500;
const WORDS_MAX_LENGTH = 8_000;

/** How often the schedule tries to index a repository, some of whose configs it cannot read, before it does without these. */
const TRIES_MAX = 3;

/** Image spec, "Pre-Defined Annotation Keys". */
const PREFIX = "org.opencontainers.image.";

/** What is another with each build tells one image from the next, and would have each push index its repository anew. */
const PASSING = ["created", "revision", "version", "ref.name", "base.digest"]
  .map((name) => `'${PREFIX}${name}'`)
  .join(", ");

/** The images of a `repository` that its newest tags name, newest first by `place`, and those that indexes among them list. */
const IMAGES = `
  newest (repository_id, digest, place) AS MATERIALIZED (
    SELECT repository_id, digest, MAX(updated_at) FROM (
      SELECT t.repository_id, t.digest, t.updated_at
      FROM repository CROSS JOIN tags t INDEXED BY tags_by_update ON t.repository_id = repository.id
      WHERE t.name NOT GLOB 'sha256-*' ORDER BY t.updated_at DESC LIMIT ${INDEXED_TAGS_MAX})
    GROUP BY digest),
  images (repository_id, digest, place) AS MATERIALIZED (
    SELECT repository_id, digest, place FROM newest
    UNION ALL
    SELECT newest.repository_id, mr.digest, newest.place - 0.5
    FROM newest CROSS JOIN manifest_references mr INDEXED BY manifest_listings
     ON mr.repository_id = newest.repository_id AND mr.manifest_digest = newest.digest AND mr.role = 'manifest'
     AND mr.position < ${LISTED_MAX}),
  configs (digest, place, labels, object_key, size) AS MATERIALIZED (
    SELECT b.digest, images.place, b.labels, b.object_key, b.size
    FROM images
    CROSS JOIN manifests m ON m.repository_id = images.repository_id AND m.digest = images.digest
     AND m.artifact_type IN (${IMAGE_CONFIG_TYPES.map((type) => `'${type}'`).join(", ")})
    CROSS JOIN manifest_references mr
     ON mr.repository_id = m.repository_id AND mr.manifest_digest = m.digest AND mr.position = 0 AND mr.role = 'config'
    CROSS JOIN repository_blobs rb ON rb.repository_id = mr.repository_id AND rb.digest = mr.digest
    CROSS JOIN blobs b ON b.digest = rb.digest)`;

/** What they say by annotations and labels, a manifest before its config. */
const SAID = `
  said (name, value, place) AS MATERIALIZED (
    SELECT a.key, SUBSTR(a.value, 1, ${VALUE_MAX_LENGTH}), images.place
    FROM images CROSS JOIN manifests m ON m.repository_id = images.repository_id AND m.digest = images.digest
    CROSS JOIN json_each(IIF(json_valid(m.bytes), m.bytes, NULL), '$.annotations') a
    WHERE a.type = 'text' AND a.key NOT IN (${PASSING})
    UNION ALL
    SELECT l.key, l.value, configs.place - 0.1
    FROM configs CROSS JOIN json_each(configs.labels) l WHERE l.key NOT IN (${PASSING}))`;

/** Values that the image specification has names for come first, then those of what is newest. */
const WORDS = `
  SELECT COALESCE(SUBSTR(group_concat(value, char(10)), 1, ${WORDS_MAX_LENGTH}), '')
  FROM (SELECT value FROM said WHERE value <> '' GROUP BY value
        ORDER BY MAX(SUBSTR(name, 1, ${PREFIX.length}) = '${PREFIX}') DESC, MAX(place) DESC, value)`;

const DESCRIPTION = `
  SELECT value FROM said WHERE name = '${PREFIX}description' AND value <> '' ORDER BY place DESC LIMIT 1`;

/** Writes nothing where the same is said as before, so that no index is written either. */
const SAVE = `
  WITH repository (id) AS (SELECT id FROM repositories WHERE name = ?1), ${IMAGES}, ${SAID},
  now_said (description, words) AS (SELECT (${DESCRIPTION}), (${WORDS}))
  INSERT INTO image_words (repository_id, description, words)
  SELECT r.id, now_said.description, now_said.words
  FROM repositories r CROSS JOIN now_said
  WHERE r.name = ?1 AND (now_said.words <> '' OR EXISTS (SELECT 1 FROM image_words i WHERE i.repository_id = r.id))
  ON CONFLICT (repository_id) DO UPDATE SET description = excluded.description, words = excluded.words
  WHERE image_words.description IS NOT excluded.description OR image_words.words <> excluded.words`;

/** Configs of images that nobody has looked at; one row without any where there are none, and no row where nothing is to be done. */
const TO_INDEX = `
  WITH repository (id) AS (
    SELECT r.id FROM repositories r CROSS JOIN repositories_to_index q ON q.repository_id = r.id WHERE r.name = ?1),
  ${IMAGES}
  SELECT unread.digest, unread.object_key AS objectKey, unread.size
  FROM repository LEFT JOIN (SELECT DISTINCT digest, object_key, size FROM configs WHERE labels IS NULL) unread`;

const DONE = `
  DELETE FROM repositories_to_index
  WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1) AND NOT EXISTS (
    WITH repository (id) AS (SELECT id FROM repositories WHERE name = ?1), ${IMAGES}
    SELECT 1 FROM configs WHERE labels IS NULL)`;

type ToIndexRow = { readonly [key in keyof StoredConfig]: StoredConfig[key] | null };

/** A statement that finds whether a repository is to be indexed: {@link toUnread} tells what is to be read for it. */
export function selectToIndex(db: D1Database, repository: RepositoryName): D1PreparedStatement {
  return db.prepare(TO_INDEX).bind(repository);
}

/** Configs to be read before a repository is indexed; undefined where it is not to be. */
export function toUnread({ results }: D1Result): StoredConfig[] | undefined {
  const rows = results as unknown as ToIndexRow[];
  return rows.length === 0 ? undefined : rows.filter((row): row is StoredConfig => row.digest !== null);
}

/** What {@link selectToIndex} finds. One query. */
export async function findUnread(db: D1Database, repository: RepositoryName): Promise<StoredConfig[] | undefined> {
  return toUnread(await selectToIndex(db, repository).all());
}

/**
 * Indexes what the images of a repository say, and notes what configs of them state. It still waits to be indexed where others
 * were not read. One round trip.
 */
export async function indexImages(
  db: D1Database,
  repository: RepositoryName,
  notes: readonly NotedConfig[],
): Promise<void> {
  await db.batch([
    ...(notes.length > 0 ? [noteConfigs(db, notes)] : []),
    db.prepare(SAVE).bind(repository),
    db.prepare(DONE).bind(repository),
  ]);
}

/** The next repositories that wait to be indexed; those that were taken too often go without. One round trip. */
export async function takeToIndex(db: D1Database, limit: number): Promise<RepositoryName[]> {
  const next = "repository_id IN (SELECT repository_id FROM repositories_to_index ORDER BY repository_id LIMIT ?1)";
  const [, taken] = await db.batch<{ name: RepositoryName }>([
    db.prepare(`DELETE FROM repositories_to_index WHERE ${next} AND tries >= ${TRIES_MAX}`).bind(limit),
    db
      .prepare(
        `UPDATE repositories_to_index SET tries = tries + 1 WHERE ${next}
         RETURNING (SELECT name FROM repositories WHERE id = repository_id) AS name`,
      )
      .bind(limit),
  ]);
  return (taken?.results ?? []).map(({ name }) => name);
}
