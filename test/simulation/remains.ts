import type { End } from "./invariants.ts";

/** Queries that find what must not be, each by what it is that they find. */
type Searches = Readonly<Record<string, string>>;

/** Triggers count what needs a thing. At any time: */
const MISCOUNTED: Searches = {
  "a blob with a wrong reference_count": `SELECT * FROM repository_blobs rb WHERE reference_count <> (
    SELECT COUNT(*) FROM manifest_references WHERE repository_id = rb.repository_id AND digest = rb.digest)`,
  "a blob with a wrong link_count": `SELECT * FROM blobs b WHERE link_count <> (
    SELECT COUNT(*) FROM repository_blobs WHERE digest = b.digest)`,
  "a manifest with a wrong hold_count": `SELECT * FROM manifests m WHERE hold_count <>
    (SELECT COUNT(*) FROM tags WHERE repository_id = m.repository_id AND digest = m.digest)
    + (SELECT COUNT(*) FROM manifest_references
       WHERE repository_id = m.repository_id AND digest = m.digest AND role = 'manifest')
    + EXISTS (SELECT 1 FROM manifests WHERE repository_id = m.repository_id AND digest = m.subject_digest)`,
  "a manifest that waits and is held": "SELECT * FROM manifests WHERE unheld_at IS NOT NULL AND hold_count > 0",
  "a blob that is condemned and referred to":
    "SELECT * FROM repository_blobs WHERE condemned_at IS NOT NULL AND reference_count > 0",
  "a blob that is said to be missing": "SELECT * FROM missing_objects",
};

/** Once all times are over: */
const LEFT: Searches = {
  "an upload session": "SELECT * FROM upload_sessions",
  "a part of an upload": "SELECT * FROM upload_parts",
  "a discarded object": "SELECT * FROM discarded_objects",
  "a deleted manifest": "SELECT digest FROM manifests WHERE deleted_at IS NOT NULL",
  "an expired tag": "SELECT * FROM tags WHERE expires_at IS NOT NULL",
  "a link that nothing refers to": `SELECT digest FROM repository_blobs rb WHERE NOT EXISTS (
    SELECT 1 FROM manifest_references WHERE repository_id = rb.repository_id AND digest = rb.digest)`,
  "a blob that no repository links": `SELECT digest FROM blobs b WHERE NOT EXISTS (
    SELECT 1 FROM repository_blobs WHERE digest = b.digest)`,
};

/** And, where untagged manifests do not stay for ever: */
const UNTAGGED: Searches = {
  // Counted anew: what the counters say may be wrong.
  "a manifest that nothing holds": `SELECT digest FROM manifests m
    WHERE NOT EXISTS (SELECT 1 FROM tags WHERE repository_id = m.repository_id AND digest = m.digest)
      AND NOT EXISTS (SELECT 1 FROM manifest_references
                      WHERE repository_id = m.repository_id AND digest = m.digest AND role = 'manifest')
      AND NOT EXISTS (SELECT 1 FROM manifests WHERE repository_id = m.repository_id AND digest = m.subject_digest)`,
};

function expectNone({ world, db }: End, searches: Searches): void {
  for (const [what, sql] of Object.entries(searches)) {
    const [row] = db.query(`${sql} LIMIT 1`);
    if (row) throw world.violate(`there is ${what}: ${JSON.stringify(row)}`);
  }
}

/** The counters are what they count. */
export function checkCounts(end: End): void {
  expectNone(end, MISCOUNTED);
}

/** Objects that rows name; those of requests that go on, and those that are to be deleted, included. */
const KNOWN = `SELECT object_key FROM blobs UNION SELECT object_key FROM manifests UNION SELECT object_key FROM discarded_objects
  UNION SELECT multipart_key FROM upload_sessions
  UNION SELECT piece.value ->> 'key' FROM upload_sessions s, json_each(s.tail, '$.pieces') piece`;

/** Only a Worker that died, or whose calls failed, may leave an object to the audit of the bucket. When no request goes on: */
export function checkNothingIsStray({ world, db, bucket }: End): void {
  const known = new Set(db.query<{ object_key: string }>(KNOWN).map((row) => row.object_key));
  for (const [key, { run }] of bucket.objects) {
    if (!known.has(key) && !run.isFaulted) throw world.violate(`${run.label} left ${key}, which nothing notes`);
  }
}

/** Nothing is left that nothing needs, in D1 or in R2, whoever left it, be it a Worker that died. */
export function checkNothingIsLeft(end: End): void {
  expectNone(end, LEFT);
  if (end.ttl.untaggedMs < Infinity) expectNone(end, UNTAGGED);
  const { world, db, bucket } = end;
  const named = new Set(
    db
      .query<{ object_key: string }>("SELECT object_key FROM blobs UNION ALL SELECT object_key FROM manifests")
      .map((row) => row.object_key),
  );
  for (const [key, { run }] of bucket.objects) {
    if (!named.has(key)) throw world.violate(`${run.label} left ${key}, which no row names`);
  }
  // R2 itself ends the multipart upload of a Worker that died before it could note it, after seven days.
  for (const { key, run } of bucket.uploads.values()) {
    if (!run.isFaulted) throw world.violate(`${run.label} left the multipart upload of ${key}`);
  }
}
