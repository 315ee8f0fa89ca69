import type { Digest } from "../oci/digest.ts";
import type { Manifest, ManifestReference } from "../oci/manifest.ts";
import type { Reference, Tag } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Actor } from "../policy/actor.ts";
import { recordAudit } from "./audit.ts";
import type { Deletion, Lookup } from "./blobs.ts";
import { discardUnneeded } from "./discarded-objects.ts";
import type { StoredConfig } from "./image-configs.ts";
import { selectToIndex, toUnread } from "./image-words.ts";
import type { Reader } from "./reader.ts";
import { selectRepository } from "./repositories.ts";
import { type LabelledConfig, recordTagDeletions, recordTagMoves, selectLabelledConfig, upsertTags } from "./tags.ts";

export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
  /** The exact text; undefined when it lies in the object `objectKey`, or was not asked for. */
  readonly text: string | undefined;
  readonly objectKey: string | undefined;
  /** When it was last pulled, right to the day; milliseconds since the epoch. */
  readonly pulledAt: number | undefined;
}

/** A row of the table, as queries of manifests give it. */
export interface ManifestRow {
  digest: Digest | null;
  media_type: string;
  size: number;
  bytes: string | null;
  object_key: string | null;
  pulled_at: number | null;
}

/** The manifest that a tag or digest names, with its bytes where they lie in the row. One query. */
export async function findManifest(
  db: Reader,
  repository: RepositoryName,
  reference: Reference,
  withText: boolean,
): Promise<Lookup<StoredManifest>> {
  const byTag = "LEFT JOIN tags t ON t.repository_id = r.id AND t.name = ?2";
  const row = await db
    .prepare(
      `SELECT m.digest, m.media_type, m.size, ${withText ? "m.bytes" : "NULL AS bytes"}, m.object_key, m.pulled_at
       FROM repositories r ${reference.kind === "tag" ? byTag : ""}
       LEFT JOIN manifests m ON m.repository_id = r.id AND m.digest = ${reference.kind === "tag" ? "t.digest" : "?2"}
        AND m.deleted_at IS NULL
       WHERE r.name = ?1`,
    )
    .bind(repository, reference.kind === "tag" ? reference.tag : reference.digest)
    .first<ManifestRow>();
  if (row === null) return { repositoryExists: false, found: undefined };
  if (row.digest === null) return { repositoryExists: true, found: undefined };
  return { repositoryExists: true, found: toStoredManifest({ ...row, digest: row.digest }) };
}

export function toStoredManifest(row: ManifestRow & { readonly digest: Digest }): StoredManifest {
  const { digest, media_type: mediaType, size } = row;
  const [text, objectKey, pulledAt] = [row.bytes ?? undefined, row.object_key ?? undefined, row.pulled_at ?? undefined];
  return { digest, mediaType, size, text, objectKey, pulledAt };
}

/** A manifest as it is stored, be it deleted, as long as it is not collected. One query. */
export async function findStoredManifest(
  db: D1Database,
  repository: RepositoryName,
  digest: Digest,
): Promise<StoredManifest | undefined> {
  const row = await db
    .prepare(
      `SELECT m.digest, m.media_type, m.size, m.bytes, m.object_key, m.pulled_at
       FROM repositories r CROSS JOIN manifests m ON m.repository_id = r.id AND m.digest = ?2 WHERE r.name = ?1`,
    )
    .bind(repository, digest)
    .first<ManifestRow>();
  return row?.digest ? toStoredManifest({ ...row, digest: row.digest }) : undefined;
}

/** The manifests that an index lists and that are deleted, but not collected. One query. */
export async function listDeletedChildren(
  db: D1Database,
  repository: RepositoryName,
  digest: Digest,
): Promise<Digest[]> {
  const { results } = await db
    .prepare(
      `SELECT DISTINCT m.digest
       FROM repositories r
       CROSS JOIN manifest_references mr ON mr.repository_id = r.id AND mr.manifest_digest = ?2 AND mr.role = 'manifest'
       CROSS JOIN manifests m ON m.repository_id = r.id AND m.digest = mr.digest
       WHERE r.name = ?1 AND m.deleted_at IS NOT NULL`,
    )
    .bind(repository, digest)
    .all<{ digest: Digest }>();
  return results.map((row) => row.digest);
}

/** A manifest on its way in. Exactly one of `text` and `objectKey` holds its bytes. */
export interface NewManifest {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly size: number;
  readonly manifest: Manifest;
  readonly text: string | undefined;
  readonly objectKey: string | undefined;
  readonly tags: readonly Tag[];
  /** How long its tags live, if it says so; milliseconds. */
  readonly lifeMs: number | undefined;
  /** Where else to look for that. */
  readonly labelled: LabelledConfig | undefined;
  readonly actor: Actor;
  /** What this is in the records. */
  readonly action: "manifest.push" | "tag.restore";
  readonly now: number;
}

/** A manifest that was accepted. */
export interface InsertedManifest {
  /** The object of its config, where its labels matter: {@link selectLabelledConfig}. */
  readonly configKey: string | undefined;
  /** Configs to be read before what its images say is indexed; undefined where that is as it was. */
  readonly unread: readonly StoredConfig[] | undefined;
}

/** A reference, and whether the repository must hold what it names. */
export interface CheckedReference extends ManifestReference {
  readonly required: boolean;
}

/** A reference that keeps a manifest out: to something absent, or to something of another size. */
export interface Objection {
  readonly digest: Digest;
  readonly size: number;
  /** Bytes of what the repository holds; null where it holds nothing. */
  readonly storedSize: number | null;
}

/**
 * References (?2, JSON) that object to a manifest in repository ?1. An index may list blobs among its manifests, as the
 * caches of BuildKit do; a layer is never a manifest.
 */
const OBJECTIONS = `
  SELECT w.value ->> 'digest' AS digest, w.value ->> 'size' AS size, COALESCE(m.size, b.size) AS storedSize
  FROM json_each(?2) w
  LEFT JOIN repositories r ON r.name = ?1
  LEFT JOIN manifests m ON w.value ->> 'role' = 'manifest' AND m.repository_id = r.id AND m.digest = w.value ->> 'digest'
   AND m.deleted_at IS NULL
  LEFT JOIN repository_blobs rb ON rb.repository_id = r.id AND rb.digest = w.value ->> 'digest'
  LEFT JOIN blobs b ON b.digest = rb.digest
  WHERE IIF(COALESCE(m.size, b.size) IS NULL, w.value ->> 'required', COALESCE(m.size, b.size) <> w.value ->> 'size')`;

/** Descriptors may state any size of what is not here: sums stay far below what columns, cursors and numbers of JSON hold. */
const CONTENT_SIZE_MAX = 100_000_000_000_000;

/** Bytes of what the children (w) of an index in a repository (r) hold, as far as these are there, beside the children themselves. */
const BELOW_CHILDREN = `
  SELECT CAST(MIN(TOTAL(child.content_size - child.size), ${CONTENT_SIZE_MAX}) AS INTEGER)
  FROM (SELECT DISTINCT value ->> 'digest' AS digest FROM json_each(?2) WHERE value ->> 'role' = 'manifest') w
  CROSS JOIN manifests child ON child.repository_id = r.id AND child.digest = w.digest AND child.deleted_at IS NULL`;

/** Bytes of a manifest and of all that its descriptors name, each once, as they state them. */
function contentSize({ size, manifest }: NewManifest): number {
  const sizes = new Map(manifest.references.map((reference) => [reference.digest, reference.size]));
  return Math.min(
    [...sizes.values()].reduce((sum, each) => sum + each, size),
    CONTENT_SIZE_MAX,
  );
}

function serialiseReferences(references: readonly CheckedReference[]): string {
  return JSON.stringify(references.map(({ role, digest, size, required }) => ({ role, digest, size, required })));
}

/**
 * Stores a manifest and moves its tags in one transaction, which first looks at all that the manifest refers to. A
 * manifest that the repository holds already is not looked at again, and keeps its media type, which its bytes need not state:
 * else it could become another thing under the same digest. Undefined, with nothing changed, when a reference
 * objects: {@link findObjections} tells which. One round trip.
 */
export async function insertManifest(
  db: D1Database,
  entry: NewManifest,
  references: readonly CheckedReference[],
): Promise<InsertedManifest | undefined> {
  const json = serialiseReferences(references);
  const { repository, digest, manifest, tags, labelled, now } = entry;
  const isIndex = manifest.references.some(({ role }) => role === "manifest");
  const results = await db.batch<{ object_key: string }>([
    // A manifest that requires nothing may be the first thing in its repository; any other finds it there.
    db
      .prepare(
        `INSERT INTO repositories (name, created_at)
         SELECT ?1, ?3 WHERE NOT EXISTS (SELECT 1 FROM json_each(?2) WHERE value ->> 'required')
         ON CONFLICT (name) DO NOTHING`,
      )
      .bind(repository, json, now),
    db
      .prepare(
        `INSERT INTO manifests (repository_id, digest, media_type, artifact_type, subject_digest, size, annotations,
                                bytes, object_key, pushed_at, pushed_by, content_size)
         SELECT r.id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13${isIndex ? ` + (${BELOW_CHILDREN})` : ""}
         FROM repositories r
         WHERE r.name = ?1 AND NOT EXISTS (SELECT 1 FROM discarded_objects WHERE object_key = ?10) AND (
           EXISTS (SELECT 1 FROM manifests WHERE repository_id = r.id AND digest = ?3 AND deleted_at IS NULL)
           OR NOT EXISTS (${OBJECTIONS}))
         ON CONFLICT (repository_id, digest) DO UPDATE SET
           pushed_at = excluded.pushed_at, pushed_by = excluded.pushed_by, content_size = excluded.content_size,
           unheld_at = NULL, deleted_at = NULL
         RETURNING id`,
      )
      .bind(
        ...[repository, json, digest, manifest.mediaType, manifest.artifactType ?? null, manifest.subject ?? null],
        ...[entry.size, inlineAnnotations(entry), entry.text ?? null, entry.objectKey ?? null, now, entry.actor.name],
        contentSize(entry),
      ),
    db
      .prepare(
        `INSERT INTO manifest_references (repository_id, manifest_digest, position, role, digest)
         SELECT m.repository_id, m.digest, w.key, w.value ->> 'role', w.value ->> 'digest'
         FROM repositories r
         JOIN manifests m ON m.repository_id = r.id AND m.digest = ?3, json_each(?2) w
         WHERE r.name = ?1
         ON CONFLICT DO NOTHING`,
      )
      .bind(repository, json, digest),
    recordTagMoves(db, entry),
    upsertTags(db, entry),
    recordPush(db, entry),
    ...(entry.objectKey === undefined
      ? []
      : [discardUnneeded(db, [{ key: entry.objectKey, multipartId: undefined }], now)]),
    ...(labelled === undefined ? [] : [selectLabelledConfig(db, repository, labelled)]),
    ...(tags.length === 0 ? [] : [selectToIndex(db, repository)]),
  ]);
  if (results[1]?.results.length === 0) return undefined;
  const toIndex = tags.length === 0 ? undefined : results.pop();
  return {
    configKey: labelled && results.at(-1)?.results[0]?.object_key,
    unread: toIndex && toUnread(toIndex),
  };
}

/** Records a push that the transaction accepted: its manifest is there, even if it was before. */
function recordPush(db: D1Database, entry: NewManifest): D1PreparedStatement {
  const { repository, digest, tags, actor, action, now } = entry;
  const [tag] = tags;
  const detail = tags.length > 1 ? { tags } : undefined;
  const isHere = `EXISTS (SELECT 1 FROM repositories r JOIN manifests m ON m.repository_id = r.id AND m.digest = ?2
                          WHERE r.name = ?1 AND m.deleted_at IS NULL)`;
  return recordAudit(db, { action, actor, repository, digest, tag, detail }, now, isHere);
}

/** Only referrers are listed with their annotations, and only bytes in the row leave room for them beside. */
function inlineAnnotations({ manifest, text }: NewManifest): string | null {
  const wanted = manifest.subject !== undefined && text !== undefined && manifest.annotations !== undefined;
  return wanted ? JSON.stringify(manifest.annotations) : null;
}

/** The references that keep a manifest out of the repository. One query. */
export async function findObjections(
  db: D1Database,
  repository: RepositoryName,
  references: readonly CheckedReference[],
): Promise<Objection[]> {
  const statement = db.prepare(OBJECTIONS).bind(repository, serialiseReferences(references));
  return (await statement.all<{ digest: Digest; size: number; storedSize: number | null }>()).results;
}

/**
 * Deletes a manifest and its tags, unless an index of the repository refers to it. The row and what it refers to stay for
 * collection, and so that it can be restored. One round trip.
 */
export async function deleteManifest(
  db: D1Database,
  deletion: { repository: RepositoryName; digest: Digest; actor: Actor; now: number },
): Promise<Deletion> {
  const { repository, digest, actor, now } = deletion;
  const holders = `SELECT mr.manifest_digest FROM repositories r
                   JOIN manifest_references mr ON mr.repository_id = r.id AND mr.digest = ?2
                   JOIN manifests h ON h.repository_id = r.id AND h.digest = mr.manifest_digest AND h.deleted_at IS NULL
                   WHERE r.name = ?1`;
  const target = `repository_id = (SELECT id FROM repositories WHERE name = ?1) AND digest = ?2 AND NOT EXISTS (${holders})`;
  const wasHere = `EXISTS (SELECT 1 FROM manifests WHERE ${target} AND deleted_at IS NULL)`;
  const [known, held, , , , deleted] = await db.batch<{ manifest_digest: Digest }>([
    selectRepository(db, repository),
    db.prepare(`${holders} LIMIT 1`).bind(repository, digest),
    recordAudit(db, { action: "manifest.delete", actor, repository, digest }, now, wasHere),
    recordTagDeletions(db, deletion, target),
    db.prepare(`DELETE FROM tags WHERE ${target}`).bind(repository, digest),
    db
      .prepare(`UPDATE manifests SET deleted_at = ?3 WHERE ${target} AND deleted_at IS NULL RETURNING id`)
      .bind(repository, digest, now),
  ]);
  if (known?.results.length === 0) return { kind: "repository-unknown" };
  const holder = held?.results[0];
  if (holder) return { kind: "held", by: holder.manifest_digest };
  return { kind: deleted?.results.length === 0 ? "unknown" : "deleted" };
}
