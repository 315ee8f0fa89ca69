import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/repository-name.ts";

/** Pulls from one repository that are not written down yet. */
export interface PullCount {
  readonly repository: RepositoryName;
  readonly pulls: number;
  /** Of the last one, in milliseconds since the epoch. */
  readonly pulledAt: number;
}

/** What pulls leave behind. */
export interface PullNotes {
  /** A manifest that was pulled, if that is to be noted of it. */
  readonly manifest: { readonly repository: RepositoryName; readonly digest: Digest } | undefined;
  readonly counts: readonly PullCount[];
  readonly now: number;
}

/** Notes when a manifest was pulled, and how often repositories were pulled from. One round trip. */
export async function notePulls(db: D1Database, { manifest, counts, now }: PullNotes): Promise<void> {
  const touched = manifest && [
    db
      .prepare(
        "UPDATE manifests SET pulled_at = ?3 WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1) AND digest = ?2",
      )
      .bind(manifest.repository, manifest.digest, now),
  ];
  const counted = counts.length > 0 && [
    db
      .prepare(
        `UPDATE repositories
         SET pulls = pulls + (w.value ->> 'pulls'), pulled_at = MAX(COALESCE(pulled_at, 0), w.value ->> 'pulledAt')
         FROM json_each(?1) w WHERE repositories.name = w.value ->> 'repository'`,
      )
      .bind(JSON.stringify(counts)),
  ];
  await db.batch([...(touched ?? []), ...(counted || [])]);
}
