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

/** Manifests whose time is over, of either kind, at most ?4 of each. The indexes hold all that is asked of them. */
const DUE_MANIFESTS = `
  SELECT id, object_key FROM (
    SELECT id, object_key FROM manifests INDEXED BY manifests_by_unheld_at
    WHERE unheld_at IS NOT NULL AND deleted_at IS NULL AND unheld_at <= ?1 AND hold_count = 0 AND pushed_at <= ?2
    ORDER BY unheld_at LIMIT ?4)
  UNION ALL
  SELECT id, object_key FROM (
    SELECT id, object_key FROM manifests INDEXED BY manifests_by_deleted_at
    WHERE deleted_at IS NOT NULL AND deleted_at <= ?3 ORDER BY deleted_at LIMIT ?4)`;

/** A statement that tells how many rows the one before it has changed itself, without its triggers. */
const countChanges = (db: D1Database): D1PreparedStatement => db.prepare("SELECT CHANGES() AS changes");

/**
 * Collects a batch, in one transaction: whatever happens beside it happens before or after it, so that it decides on what is,
 * and not on what it read. The objects of what goes are noted for deletion in the same transaction. One round trip.
 * @param batch the most manifests of each kind that go; links and blobs are what those before have let go of.
 */
export async function collect(db: D1Database, cutoffs: Cutoffs, batch: number): Promise<CollectionStep> {
  const { now, unheldBefore = -1, pushedBefore, deletedBefore } = cutoffs;
  const due = [unheldBefore, pushedBefore, deletedBefore, batch];
  const [, , marked, , manifests, , condemned, , links, , blobs] = await db.batch<Collected & { changes: number }>([
    // Of mirrors: what nobody has pulled for long is like any other from here on.
    db.prepare("UPDATE manifests SET kept_until = NULL WHERE kept_until <= ?1 AND hold_count = 0").bind(now),
    db
      .prepare(
        `UPDATE manifests SET unheld_at = ?1
         WHERE hold_count = 0 AND unheld_at IS NULL AND deleted_at IS NULL AND kept_until IS NULL`,
      )
      .bind(now),
    countChanges(db),
    db
      .prepare(
        `INSERT INTO discarded_objects (object_key, discarded_at, size)
         SELECT object_key, ?5, (SELECT size FROM manifests m WHERE m.id = due.id)
         FROM (${DUE_MANIFESTS}) AS due WHERE object_key IS NOT NULL`,
      )
      .bind(...due, now),
    db
      .prepare(`DELETE FROM manifests WHERE id IN (SELECT id FROM (${DUE_MANIFESTS})) RETURNING digest, size`)
      .bind(...due),
    // As many as the manifests of a batch have let go of, and what was pushed in vain: no limit, which would read each twice.
    db
      .prepare(
        `UPDATE repository_blobs SET condemned_at = ?1
         WHERE reference_count = 0 AND condemned_at IS NULL AND linked_at <= ?2`,
      )
      .bind(now, cutoffs.linkedBefore),
    countChanges(db),
    // Those that were condemned together.
    db
      .prepare(
        `DELETE FROM repository_blobs
         WHERE condemned_at = (SELECT MIN(condemned_at) FROM repository_blobs WHERE condemned_at IS NOT NULL)
           AND condemned_at <= ?1 AND reference_count = 0`,
      )
      .bind(cutoffs.condemnedBefore),
    countChanges(db),
    db
      .prepare(
        `INSERT INTO discarded_objects (object_key, discarded_at, size)
         SELECT object_key, ?1, size FROM blobs INDEXED BY blobs_unlinked WHERE link_count = 0`,
      )
      .bind(now),
    db.prepare("DELETE FROM blobs WHERE link_count = 0 RETURNING digest, size"),
  ]);
  return {
    marked: marked?.results[0]?.changes ?? 0,
    manifests: manifests?.results ?? [],
    condemned: condemned?.results[0]?.changes ?? 0,
    links: links?.results[0]?.changes ?? 0,
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
 * links that nothing refers to, and blobs without links; and whether that is all. One round trip, which reads only that.
 */
export async function listWaiting(db: D1Database, limit: number): Promise<{ waiting: Waiting[]; isComplete: boolean }> {
  const results = await db.batch<WaitingRow>(
    [
      `SELECT r.name AS repository, m.digest, m.size, 'manifest' AS kind, 'untagged' AS reason, m.unheld_at AS since, 1 AS is_last
       FROM manifests m INDEXED BY manifests_by_unheld_at JOIN repositories r ON r.id = m.repository_id
       WHERE m.unheld_at IS NOT NULL AND m.deleted_at IS NULL AND m.hold_count = 0 ORDER BY m.unheld_at LIMIT ?1`,
      `SELECT r.name AS repository, m.digest, m.size, 'manifest' AS kind, 'untagged' AS reason, NULL AS since, 1 AS is_last
       FROM manifests m INDEXED BY manifests_unheld JOIN repositories r ON r.id = m.repository_id
       WHERE m.hold_count = 0 AND m.unheld_at IS NULL AND m.deleted_at IS NULL AND m.kept_until IS NULL LIMIT ?1`,
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
    ].map((sql) => db.prepare(sql).bind(limit + 1)),
  );
  const waiting = results
    .flatMap(({ results: rows }) => rows.slice(0, limit))
    .map(({ is_last, ...row }) => ({ ...row, isLast: is_last === 1 }));
  return { waiting, isComplete: results.every(({ results: rows }) => rows.length <= limit) };
}
