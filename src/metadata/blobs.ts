import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Actor } from "../policy/actor.ts";
import { recordAudit } from "./audit.ts";
import { type DiscardedObject, discardStatement, type SessionHold } from "./discarded-objects.ts";
import type { Reader } from "./reader.ts";
import { selectRepository } from "./repositories.ts";

export interface StoredBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly objectKey: string;
}

/** A blob that a repository links. */
export interface LinkedBlob extends StoredBlob {
  /** Collection waits to take the link: whoever is told that the blob is here must pardon it first. */
  readonly isCondemned: boolean;
}

/** What a look-up in a repository found; it tells an unknown repository from unknown content. */
export interface Lookup<T> {
  readonly repositoryExists: boolean;
  readonly found: T | undefined;
}

/** The blob, if this repository holds it. One query. */
export async function findBlob(db: Reader, repository: RepositoryName, digest: Digest): Promise<Lookup<LinkedBlob>> {
  const row = await db
    .prepare(
      `SELECT b.size, b.object_key, rb.condemned_at
       FROM repositories r
       LEFT JOIN repository_blobs rb ON rb.repository_id = r.id AND rb.digest = ?2
       LEFT JOIN blobs b ON b.digest = rb.digest
       WHERE r.name = ?1`,
    )
    .bind(repository, digest)
    .first<{ size: number | null; object_key: string | null; condemned_at: number | null }>();
  if (row === null) return { repositoryExists: false, found: undefined };
  if (row.size === null || row.object_key === null) return { repositoryExists: true, found: undefined };
  const { size, object_key: objectKey, condemned_at: condemnedAt } = row;
  return { repositoryExists: true, found: { digest, size, objectKey, isCondemned: condemnedAt !== null } };
}

/** Content of a repository. */
export interface BlobAddress {
  readonly repository: RepositoryName;
  readonly digest: Digest;
}

/** Those of these blobs that their repositories hold. One query, however many. */
export async function findBlobs(db: Reader, addresses: readonly BlobAddress[]): Promise<(BlobAddress & StoredBlob)[]> {
  const { results } = await db
    .prepare(
      `SELECT r.name AS repository, b.digest, b.size, b.object_key AS objectKey
       FROM json_each(?1) w
       CROSS JOIN repositories r ON r.name = w.value ->> 'repository'
       CROSS JOIN repository_blobs rb ON rb.repository_id = r.id AND rb.digest = w.value ->> 'digest'
       CROSS JOIN blobs b ON b.digest = rb.digest`,
    )
    .bind(JSON.stringify(addresses))
    .all<BlobAddress & StoredBlob>();
  return results;
}

/** Keeps a link from collection for another grace. False if it was too late. One query. */
export async function pardonLink(
  db: D1Database,
  repository: RepositoryName,
  digest: Digest,
  now: number,
): Promise<boolean> {
  const { results } = await db
    .prepare(
      `UPDATE repository_blobs SET linked_at = ?3, condemned_at = NULL
       WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1) AND digest = ?2 RETURNING digest`,
    )
    .bind(repository, digest, now)
    .all();
  return results.length > 0;
}

/** Content that was just stored under a fresh key. */
export interface NewBlob extends StoredBlob {
  readonly repository: RepositoryName;
  readonly now: number;
}

/** Contents of one repository that were just stored, each under a fresh key, and no two of them the same. */
export interface NewBlobs {
  readonly repository: RepositoryName;
  readonly blobs: readonly StoredBlob[];
  readonly now: number;
}

/**
 * Statements that make stored objects blobs of the repository. Where content is known already, its object is discarded.
 * With a hold, all of it happens only while that lasts. An object that was discarded meanwhile, by a request
 * that took these statements for lost, fails them all: the link has no blob then.
 */
export function insertBlobs(
  db: D1Database,
  { repository, blobs, now }: NewBlobs,
  hold?: SessionHold,
): D1PreparedStatement[] {
  const held = "(?1 IS NULL OR EXISTS (SELECT 1 FROM upload_sessions WHERE id = ?1 AND writer = ?2))";
  const holder = [hold?.id ?? null, hold?.writer ?? null];
  const json = JSON.stringify(blobs.map(({ digest, size, objectKey }) => ({ digest, size, objectKey })));
  return [
    db
      .prepare(`INSERT INTO repositories (name, created_at) SELECT ?3, ?4 WHERE ${held} ON CONFLICT (name) DO NOTHING`)
      .bind(...holder, repository, now),
    db
      .prepare(
        `INSERT INTO blobs (digest, size, object_key, created_at)
         SELECT w.value ->> 'digest', w.value ->> 'size', w.value ->> 'objectKey', ?4 FROM json_each(?3) w
         WHERE ${held} AND NOT EXISTS (SELECT 1 FROM discarded_objects WHERE object_key = w.value ->> 'objectKey')
         ON CONFLICT (digest) DO NOTHING`,
      )
      .bind(...holder, json, now),
    db
      .prepare(
        `INSERT INTO repository_blobs (repository_id, digest, linked_at, is_mirrored)
         SELECT r.id, w.value ->> 'digest', ?5, r.upstream IS NOT NULL FROM repositories r CROSS JOIN json_each(?4) w WHERE r.name = ?3 AND ${held}
         ON CONFLICT (repository_id, digest) DO UPDATE SET linked_at = excluded.linked_at, condemned_at = NULL`,
      )
      .bind(...holder, repository, json, now),
    db
      .prepare(
        `INSERT INTO discarded_objects (object_key, discarded_at)
         SELECT w.value ->> 'objectKey', ?4 FROM json_each(?3) w
         WHERE ${held} AND NOT EXISTS (SELECT 1 FROM blobs WHERE object_key = w.value ->> 'objectKey')
         ON CONFLICT (object_key) DO NOTHING`,
      )
      .bind(...holder, json, now),
  ];
}

/** {@link insertBlobs}, of one. */
export function insertBlob(
  db: D1Database,
  { repository, now, ...blob }: NewBlob,
  hold?: SessionHold,
): D1PreparedStatement[] {
  return insertBlobs(db, { repository, blobs: [blob], now }, hold);
}

/**
 * Makes stored objects blobs of the repository, without an upload session, and discards those that were stored in vain. One round
 * trip.
 */
export async function commitBlobs(
  db: D1Database,
  blobs: NewBlobs,
  unneeded: readonly DiscardedObject[],
): Promise<void> {
  await db.batch([...insertBlobs(db, blobs), discardStatement(db, unneeded, blobs.now)]);
}

/** Makes a stored object a blob of the repository, without an upload session. One round trip. */
export async function commitBlob(db: D1Database, blob: NewBlob): Promise<void> {
  await db.batch(insertBlob(db, blob));
}

/**
 * Links a blob that one of the repositories `from` holds to `repository`; `from` undefined means any repository.
 * True if it is there now. One round trip.
 */
export async function mountBlob(
  db: D1Database,
  mount: { repository: RepositoryName; digest: Digest; from: RepositoryName | undefined; now: number },
): Promise<boolean> {
  const source =
    mount.from === undefined
      ? "EXISTS (SELECT 1 FROM repository_blobs WHERE digest = ?2 AND ?3 IS NULL)"
      : `EXISTS (SELECT 1 FROM repositories r JOIN repository_blobs rb ON rb.repository_id = r.id
                 WHERE r.name = ?3 AND rb.digest = ?2)`;
  const results = await db.batch([
    db
      .prepare(
        `INSERT INTO repositories (name, created_at) SELECT ?1, ?4 WHERE ${source} ON CONFLICT (name) DO NOTHING`,
      )
      .bind(mount.repository, mount.digest, mount.from ?? null, mount.now),
    db
      .prepare(
        `INSERT INTO repository_blobs (repository_id, digest, linked_at, is_mirrored)
         SELECT id, ?2, ?4, upstream IS NOT NULL FROM repositories WHERE name = ?1 AND ${source}
         ON CONFLICT (repository_id, digest) DO UPDATE SET linked_at = excluded.linked_at, condemned_at = NULL
         RETURNING digest`,
      )
      .bind(mount.repository, mount.digest, mount.from ?? null, mount.now),
  ]);
  return (results[1]?.results.length ?? 0) > 0;
}

/** What became of a deletion. `held` names a manifest that still refers to the content. */
export type Deletion =
  { readonly kind: "deleted" | "unknown" | "repository-unknown" } | { readonly kind: "held"; readonly by: Digest };

/**
 * Takes the blob out of the repository, unless one of its manifests refers to it. The bytes stay for other repositories,
 * and until collection. One round trip.
 */
export async function unlinkBlob(
  db: D1Database,
  deletion: { repository: RepositoryName; digest: Digest; actor: Actor; now: number },
): Promise<Deletion> {
  const { repository, digest, actor, now } = deletion;
  const holders = `SELECT mr.manifest_digest FROM repositories r
                   JOIN manifest_references mr ON mr.repository_id = r.id AND mr.digest = ?2
                   JOIN manifests m ON m.repository_id = r.id AND m.digest = mr.manifest_digest AND m.deleted_at IS NULL
                   WHERE r.name = ?1`;
  const target = `repository_id = (SELECT id FROM repositories WHERE name = ?1) AND digest = ?2 AND NOT EXISTS (${holders})`;
  const wasHere = `EXISTS (SELECT 1 FROM repository_blobs WHERE ${target})`;
  const [known, held, , deleted] = await db.batch<{ manifest_digest: Digest }>([
    selectRepository(db, repository),
    db.prepare(`${holders} LIMIT 1`).bind(repository, digest),
    recordAudit(db, { action: "blob.delete", actor, repository, digest }, now, wasHere),
    db.prepare(`DELETE FROM repository_blobs WHERE ${target} RETURNING digest`).bind(repository, digest),
  ]);
  if (known?.results.length === 0) return { kind: "repository-unknown" };
  const holder = held?.results[0];
  if (holder) return { kind: "held", by: holder.manifest_digest };
  return { kind: deleted?.results.length === 0 ? "unknown" : "deleted" };
}
