import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { type ManifestRow, type StoredManifest, toStoredManifest } from "./manifests.ts";
import type { Reader } from "./reader.ts";

/** How much of an index is read at once. */
export interface TreeLimits {
  readonly manifests: number;
  /** Bytes of them all: beyond this, none comes with its text. */
  readonly bytes: number;
}

/**
 * The manifests that an index lists, those that they list, and so on, each once, and as far as the repository holds them; one more than
 * the limit if there are more. One query.
 */
export async function listDescendants(
  db: Reader,
  repository: RepositoryName,
  digest: Digest,
  limits: TreeLimits,
): Promise<StoredManifest[]> {
  const { results } = await db
    .prepare(
      `WITH RECURSIVE
         place (id) AS (SELECT id FROM repositories WHERE name = ?1),
         listed (digest) AS (
           SELECT ?2
           UNION
           SELECT mr.digest FROM listed CROSS JOIN place CROSS JOIN manifest_references mr
           WHERE mr.repository_id = place.id AND mr.manifest_digest = listed.digest AND mr.role = 'manifest'
           LIMIT ?3)
       SELECT m.digest, m.media_type, m.size, IIF(SUM(m.size) OVER () <= ?4, m.bytes, NULL) AS bytes, m.object_key, m.pulled_at
       FROM listed CROSS JOIN place CROSS JOIN manifests m ON m.repository_id = place.id AND m.digest = listed.digest
       WHERE m.digest <> ?2 AND m.deleted_at IS NULL`,
    )
    .bind(repository, digest, limits.manifests + 2, limits.bytes)
    .all<ManifestRow & { digest: Digest }>();
  return results.map(toStoredManifest);
}
