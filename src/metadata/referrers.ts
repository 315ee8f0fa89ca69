import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Reader } from "./reader.ts";

/** A manifest that names a subject, as a referrers list shows it. */
export interface Referrer {
  /** Grows with each push: the place in the list. */
  readonly id: number;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly artifactType: string | undefined;
  readonly size: number;
  /** JSON; undefined when there are none, or they lie with the bytes in `objectKey`. */
  readonly annotations: string | undefined;
  readonly objectKey: string | undefined;
}

interface ReferrerRow {
  id: number;
  digest: Digest;
  media_type: string;
  artifact_type: string | null;
  size: number;
  annotations: string | null;
  object_key: string | null;
  fits: 0 | 1;
}

export interface ReferrersRequest {
  readonly repository: RepositoryName;
  readonly subject: Digest;
  readonly artifactType: string | undefined;
  /** The list goes on after this id. */
  readonly after: number;
  readonly limit: number;
  /** A page ends before its annotations grow past this many bytes; one entry always fits. */
  readonly annotationsMaxBytes: number;
}

/** The size that an entry's annotations may have in a page: those that lie in an object count as all of it. */
const WEIGHT = "COALESCE(OCTET_LENGTH(m.annotations), IIF(m.object_key IS NULL, 0, m.size))";

/**
 * The manifests whose subject this is, oldest first. `complete` is false when more follow, for want of room or of
 * `limit`. One query.
 */
export async function listReferrers(
  db: Reader,
  request: ReferrersRequest,
): Promise<{ referrers: Referrer[]; complete: boolean }> {
  const { results } = await db
    .prepare(
      `SELECT id, digest, media_type, artifact_type, size, object_key, fits, IIF(fits, annotations, NULL) AS annotations
       FROM (
         SELECT m.id, m.digest, m.media_type, m.artifact_type, m.size, m.object_key, m.annotations,
                SUM(${WEIGHT}) OVER (ORDER BY m.id) <= ?6 OR ROW_NUMBER() OVER (ORDER BY m.id) = 1 AS fits
         FROM repositories r
         JOIN manifests m ON m.repository_id = r.id AND m.subject_digest = ?2
         WHERE r.name = ?1 AND m.id > ?3 AND m.deleted_at IS NULL AND ${request.artifactType === undefined ? "?4 IS NULL" : "m.artifact_type = ?4"}
         ORDER BY m.id LIMIT ?5)
       ORDER BY id`,
    )
    .bind(
      ...[request.repository, request.subject, request.after, request.artifactType ?? null],
      ...[request.limit + 1, request.annotationsMaxBytes],
    )
    .all<ReferrerRow>();
  const rows = results.slice(0, request.limit).filter((row) => row.fits === 1);
  return { referrers: rows.map(toReferrer), complete: rows.length === results.length };
}

function toReferrer(row: ReferrerRow): Referrer {
  return {
    id: row.id,
    digest: row.digest,
    mediaType: row.media_type,
    artifactType: row.artifact_type ?? undefined,
    size: row.size,
    annotations: row.annotations ?? undefined,
    objectKey: row.object_key ?? undefined,
  };
}
