import type { Digest } from "../oci/digest.ts";

/** A part of the bucket's keys: after `after`, up to `last`; `last` undefined: to the end. */
export interface KeyRange {
  readonly after: string;
  readonly last: string | undefined;
}

/** An object that a row names. */
export interface NamedObject {
  readonly key: string;
  readonly digest: Digest;
}

/** Where the reading of the bucket stands. One query. */
export async function findAuditPosition(db: D1Database): Promise<string> {
  return (await db.prepare("SELECT after_key FROM bucket_audit WHERE id = 1").first<string>("after_key")) ?? "";
}

const IN_RANGE = "object_key > ?1 AND (?2 IS NULL OR object_key <= ?2)";

/** The objects of a range that blobs and manifests name. One round trip. */
export async function listNamedObjects(db: D1Database, { after, last }: KeyRange): Promise<NamedObject[]> {
  const results = await db.batch<NamedObject>(
    ["blobs", "manifests"].map((table) =>
      db.prepare(`SELECT object_key AS key, digest FROM ${table} WHERE ${IN_RANGE}`).bind(after, last ?? null),
    ),
  );
  return results.flatMap((result) => result.results);
}

/**
 * Goes on with the reading, in one transaction: discards those of `unknown` that no row names, not even now, and no upload
 * session holds; notes what is missing, and forgets what was and is there again. One round trip.
 * @returns how many were discarded.
 */
export async function advanceAudit(
  db: D1Database,
  range: KeyRange,
  found: { readonly unknown: readonly string[]; readonly missing: readonly NamedObject[] },
  now: number,
): Promise<number> {
  const { after, last } = range;
  const [discarded] = await db.batch([
    db
      .prepare(
        `INSERT INTO discarded_objects (object_key, discarded_at)
         SELECT o.value, ?2 FROM json_each(?1) o
         WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE object_key = o.value)
           AND NOT EXISTS (SELECT 1 FROM manifests WHERE object_key = o.value)
           AND NOT EXISTS (SELECT 1 FROM upload_sessions WHERE multipart_key = o.value)
           AND NOT EXISTS (SELECT 1 FROM upload_sessions s JOIN json_each(s.tail, '$.pieces') piece
                           WHERE piece.value ->> 'key' = o.value)
         ON CONFLICT (object_key) DO NOTHING RETURNING object_key`,
      )
      .bind(JSON.stringify(found.unknown), now),
    db
      .prepare(
        `DELETE FROM missing_objects WHERE ${IN_RANGE}
         AND object_key NOT IN (SELECT value ->> 'key' FROM json_each(?3))`,
      )
      .bind(after, last ?? null, JSON.stringify(found.missing)),
    db
      .prepare(
        `INSERT INTO missing_objects (object_key, digest, found_at)
         SELECT value ->> 'key', value ->> 'digest', ?2 FROM json_each(?1) WHERE TRUE
         ON CONFLICT (object_key) DO NOTHING`,
      )
      .bind(JSON.stringify(found.missing), now),
    db.prepare("UPDATE bucket_audit SET after_key = ?1 WHERE id = 1 AND after_key <> ?1").bind(last ?? ""),
  ]);
  return discarded?.results.length ?? 0;
}

/** A blob or manifest whose object is gone. */
export interface MissingObject extends NamedObject {
  /** Milliseconds since the epoch. */
  readonly foundAt: number;
}

/** What is missing, by key; one more than `limit` if there are more. One query. */
export async function listMissingObjects(db: D1Database, limit: number): Promise<MissingObject[]> {
  const { results } = await db
    .prepare("SELECT object_key AS key, digest, found_at AS foundAt FROM missing_objects ORDER BY object_key LIMIT ?1")
    .bind(limit + 1)
    .all<MissingObject>();
  return results;
}
