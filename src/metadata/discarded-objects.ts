/** An object in R2 that no row needs; a multipart upload never completed when it has an id. */
export interface DiscardedObject {
  readonly key: string;
  readonly multipartId: string | undefined;
}

/** Who must still hold an upload session for a statement to act. */
export interface SessionHold {
  readonly id: string;
  readonly writer: string;
}

/**
 * A statement that notes objects which a request made in vain, or which nothing will need any more. With a hold it does so
 * only while that lasts: what a session holds is not to be discarded by who has lost it.
 */
export function discardStatement(
  db: D1Database,
  objects: readonly DiscardedObject[],
  now: number,
  hold?: SessionHold,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO discarded_objects (object_key, multipart_id, discarded_at)
       SELECT value ->> 'key', value ->> 'multipartId', ?2 FROM json_each(?1)
       WHERE ?3 IS NULL OR EXISTS (SELECT 1 FROM upload_sessions WHERE id = ?3 AND writer = ?4)
       ON CONFLICT (object_key) DO NOTHING`,
    )
    .bind(JSON.stringify(objects), now, hold?.id ?? null, hold?.writer ?? null);
}

/**
 * {@link discardStatement}, but for objects that have become a blob or a manifest, or that this upload session holds: for
 * a request that cannot know whether its last transaction took place.
 */
export function discardUnneeded(
  db: D1Database,
  objects: readonly DiscardedObject[],
  now: number,
  sessionId?: string,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO discarded_objects (object_key, multipart_id, discarded_at)
       SELECT o.value ->> 'key', o.value ->> 'multipartId', ?2 FROM json_each(?1) o
       WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE object_key = o.value ->> 'key')
         AND NOT EXISTS (SELECT 1 FROM manifests WHERE object_key = o.value ->> 'key')
         AND NOT EXISTS (SELECT 1 FROM upload_sessions s WHERE s.id = ?3 AND (
           s.multipart_key = o.value ->> 'key'
           OR EXISTS (SELECT 1 FROM json_each(s.tail, '$.pieces') piece
                      WHERE piece.value ->> 'key' = o.value ->> 'key')))
       ON CONFLICT (object_key) DO NOTHING`,
    )
    .bind(JSON.stringify(objects), now, sessionId ?? null);
}

/** The oldest objects that were discarded before this time, at most `limit`. One query. */
export async function listDiscardedObjects(db: D1Database, before: number, limit: number): Promise<DiscardedObject[]> {
  const { results } = await db
    .prepare(
      "SELECT object_key, multipart_id FROM discarded_objects WHERE discarded_at <= ?1 ORDER BY discarded_at LIMIT ?2",
    )
    .bind(before, limit)
    .all<{ object_key: string; multipart_id: string | null }>();
  return results.map((row) => ({ key: row.object_key, multipartId: row.multipart_id ?? undefined }));
}

/** Forgets objects that R2 has deleted. One query. */
export async function forgetDiscardedObjects(db: D1Database, keys: readonly string[]): Promise<void> {
  await db
    .prepare("DELETE FROM discarded_objects WHERE object_key IN (SELECT value FROM json_each(?1))")
    .bind(JSON.stringify(keys))
    .run();
}
