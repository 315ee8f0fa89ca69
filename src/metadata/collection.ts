import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/repository-name.ts";

/** When things may go, in milliseconds since the epoch. What is later than these stays. */
export interface Cutoffs {
  readonly now: number;
  /** Links that nothing has referred to since they were last told of: then they are condemned. */
  readonly linkedBefore: number;
  /** Links condemned so long ago that nobody can rely on them any more. */
  readonly condemnedBefore: number;
  /** Manifests that nothing has held for so long. Undefined: they stay. */
  readonly unheldBefore: number | undefined;
  /** And that were pushed so long ago: the index that is to list them may still be on its way. */
  readonly pushedBefore: number;
  readonly deletedBefore: number;
}

/** The most that one transaction takes. The rest waits for the next. */
export interface Batch {
  readonly manifests: number;
  readonly blobs: number;
}

/** Something that was collected, or would be. */
export interface Collected {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** What one transaction did. */
export interface CollectionStep {
  /** Manifests that were found to be held by nothing; their time begins. */
  readonly marked: number;
  readonly manifests: readonly Collected[];
  /** Links whose grace begins. */
  readonly condemned: number;
  readonly links: number;
  readonly blobs: readonly Collected[];
}

const DUE_UNHELD = `
  SELECT id FROM manifests INDEXED BY manifests_by_unheld_at
  WHERE unheld_at IS NOT NULL AND deleted_at IS NULL AND unheld_at <= ?1 AND hold_count = 0 AND pushed_at <= ?2
  ORDER BY unheld_at`;

const DUE_DELETED = `
  SELECT id FROM manifests INDEXED BY manifests_by_deleted_at
  WHERE deleted_at IS NOT NULL AND deleted_at <= ?3 ORDER BY deleted_at`;

/** Manifests whose time is over, of either kind, at most ?4 of each. */
const DUE_MANIFESTS = `SELECT id FROM (${DUE_UNHELD} LIMIT ?4) UNION ALL SELECT id FROM (${DUE_DELETED} LIMIT ?4)`;

const DUE_LINKS = `
  SELECT repository_id, digest FROM repository_blobs INDEXED BY repository_blobs_condemned
  WHERE condemned_at IS NOT NULL AND condemned_at <= ?1 AND reference_count = 0 ORDER BY condemned_at`;

/**
 * Collects a batch, in one transaction: whatever happens beside it happens before or after it, so that it decides on what is,
 * and not on what it read. The objects of what goes are noted for deletion in the same transaction. One round trip.
 */
export async function collect(db: D1Database, cutoffs: Cutoffs, batch: Batch): Promise<CollectionStep> {
  const { now, unheldBefore = -1, pushedBefore, deletedBefore } = cutoffs;
  const due = [unheldBefore, pushedBefore, deletedBefore, batch.manifests];
  const [marked, , manifests, condemned, links, , blobs] = await db.batch<Collected>([
    db
      .prepare(
        `UPDATE manifests SET unheld_at = ?1 WHERE id IN (
           SELECT id FROM manifests INDEXED BY manifests_unheld
           WHERE hold_count = 0 AND unheld_at IS NULL AND deleted_at IS NULL LIMIT ?2)
         RETURNING digest, size`,
      )
      .bind(now, batch.manifests),
    db
      .prepare(
        `INSERT INTO discarded_objects (object_key, discarded_at)
         SELECT object_key, ?5 FROM manifests WHERE id IN (${DUE_MANIFESTS}) AND object_key IS NOT NULL`,
      )
      .bind(...due, now),
    db.prepare(`DELETE FROM manifests WHERE id IN (${DUE_MANIFESTS}) RETURNING digest, size`).bind(...due),
    db
      .prepare(
        `UPDATE repository_blobs SET condemned_at = ?1 WHERE (repository_id, digest) IN (
           SELECT repository_id, digest FROM repository_blobs INDEXED BY repository_blobs_unreferenced
           WHERE reference_count = 0 AND condemned_at IS NULL AND linked_at <= ?2 ORDER BY linked_at LIMIT ?3)
         RETURNING digest, 0 AS size`,
      )
      .bind(now, cutoffs.linkedBefore, batch.blobs),
    db
      .prepare(
        `DELETE FROM repository_blobs WHERE (repository_id, digest) IN (${DUE_LINKS} LIMIT ?2)
         RETURNING digest, 0 AS size`,
      )
      .bind(cutoffs.condemnedBefore, batch.blobs),
    db
      .prepare(
        `INSERT INTO discarded_objects (object_key, discarded_at)
         SELECT object_key, ?1 FROM blobs INDEXED BY blobs_unlinked WHERE link_count = 0 LIMIT ?2`,
      )
      .bind(now, batch.blobs),
    db.prepare(
      `DELETE FROM blobs WHERE digest IN (
         SELECT b.digest FROM blobs b INDEXED BY blobs_unlinked
         JOIN discarded_objects d ON d.object_key = b.object_key WHERE b.link_count = 0)
       RETURNING digest, size`,
    ),
  ]);
  return {
    marked: marked?.results.length ?? 0,
    manifests: manifests?.results ?? [],
    condemned: condemned?.results.length ?? 0,
    links: links?.results.length ?? 0,
    blobs: blobs?.results ?? [],
  };
}

/** Why something goes. */
export type CollectionReason = "untagged" | "deleted" | "unreferenced" | "unlinked";

/** Something that waits for collection. */
export interface Waiting extends Collected {
  readonly repository: RepositoryName | null;
  readonly kind: "manifest" | "blob";
  readonly reason: CollectionReason;
  /** Since when, in milliseconds since the epoch. Null: collection has not seen it yet. */
  readonly since: number | null;
  /** Whether its bytes go with it: they do not while another repository links the blob. */
  readonly isLast: boolean;
}

interface WaitingRow extends Omit<Waiting, "isLast"> {
  readonly is_last: 0 | 1;
}

/**
 * What waits for collection, at most `limit` of each kind, oldest first: manifests that nothing holds or that were deleted,
 * links that nothing refers to, and blobs without links. One round trip, which reads only that.
 */
export async function listWaiting(db: D1Database, limit: number): Promise<Waiting[]> {
  const results = await db.batch<WaitingRow>(
    [
      `SELECT r.name AS repository, m.digest, m.size, 'manifest' AS kind, 'untagged' AS reason, m.unheld_at AS since, 1 AS is_last
       FROM manifests m INDEXED BY manifests_by_unheld_at JOIN repositories r ON r.id = m.repository_id
       WHERE m.unheld_at IS NOT NULL AND m.deleted_at IS NULL AND m.hold_count = 0 ORDER BY m.unheld_at LIMIT ?1`,
      `SELECT r.name AS repository, m.digest, m.size, 'manifest' AS kind, 'untagged' AS reason, NULL AS since, 1 AS is_last
       FROM manifests m INDEXED BY manifests_unheld JOIN repositories r ON r.id = m.repository_id
       WHERE m.hold_count = 0 AND m.unheld_at IS NULL AND m.deleted_at IS NULL LIMIT ?1`,
      `SELECT r.name AS repository, m.digest, m.size, 'manifest' AS kind, 'deleted' AS reason, m.deleted_at AS since, 1 AS is_last
       FROM manifests m INDEXED BY manifests_by_deleted_at JOIN repositories r ON r.id = m.repository_id
       WHERE m.deleted_at IS NOT NULL ORDER BY m.deleted_at LIMIT ?1`,
      `SELECT r.name AS repository, rb.digest, b.size, 'blob' AS kind, 'unreferenced' AS reason, rb.condemned_at AS since,
              b.link_count = 1 AS is_last
       FROM repository_blobs rb INDEXED BY repository_blobs_condemned
       JOIN repositories r ON r.id = rb.repository_id JOIN blobs b ON b.digest = rb.digest
       WHERE rb.condemned_at IS NOT NULL AND rb.reference_count = 0 ORDER BY rb.condemned_at LIMIT ?1`,
      `SELECT r.name AS repository, rb.digest, b.size, 'blob' AS kind, 'unreferenced' AS reason, NULL AS since,
              b.link_count = 1 AS is_last
       FROM repository_blobs rb INDEXED BY repository_blobs_unreferenced
       JOIN repositories r ON r.id = rb.repository_id JOIN blobs b ON b.digest = rb.digest
       WHERE rb.reference_count = 0 AND rb.condemned_at IS NULL ORDER BY rb.linked_at LIMIT ?1`,
      `SELECT NULL AS repository, b.digest, b.size, 'blob' AS kind, 'unlinked' AS reason, NULL AS since, 1 AS is_last
       FROM blobs b INDEXED BY blobs_unlinked WHERE b.link_count = 0 LIMIT ?1`,
    ].map((sql) => db.prepare(sql).bind(limit)),
  );
  return results.flatMap(({ results: rows }) => rows.map(({ is_last, ...row }) => ({ ...row, isLast: is_last === 1 })));
}
