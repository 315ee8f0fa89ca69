/** An object in R2 that no row needs; a multipart upload never completed when it has an id. */
export interface DiscardedObject {
  readonly key: string;
  readonly multipartId: string | undefined;
}

/** A statement that notes objects which a request made in vain, or which nothing will need any more. */
export function discardStatement(
  db: D1Database,
  objects: readonly DiscardedObject[],
  now: number,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO discarded_objects (object_key, multipart_id, discarded_at)
       SELECT value ->> 'key', value ->> 'multipartId', ?2 FROM json_each(?1) WHERE TRUE
       ON CONFLICT (object_key) DO NOTHING`,
    )
    .bind(JSON.stringify(objects), now);
}

/** The oldest discarded objects, at most `limit`. One query. */
export async function listDiscardedObjects(db: D1Database, limit: number): Promise<DiscardedObject[]> {
  const { results } = await db
    .prepare("SELECT object_key, multipart_id FROM discarded_objects ORDER BY discarded_at LIMIT ?1")
    .bind(limit)
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
