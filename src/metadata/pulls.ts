import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/repository-name.ts";

/** Pulls from one repository that are not written down yet. */
export interface PullCount {
  readonly repository: RepositoryName;
  readonly pulls: number;
  /** Of the last one, in milliseconds since the epoch. */
  readonly pulledAt: number;
}

/** A manifest that was pulled. */
export interface PulledManifest {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  /** Of a mirror of an upstream: until when it stays for that, in milliseconds since the epoch, whether or not anything holds it. */
  readonly kept: { readonly upstream: string; readonly until: number } | undefined;
}

/** What pulls leave behind. */
export interface PullNotes {
  /** A manifest that was pulled, if that is to be noted of it. */
  readonly manifest: PulledManifest | undefined;
  readonly counts: readonly PullCount[];
  readonly now: number;
}

/** Notes when a manifest was pulled, and how often repositories were pulled from. One round trip. */
export async function notePulls(db: D1Database, { manifest, counts, now }: PullNotes): Promise<void> {
  const touched = manifest && [touch(db, manifest, now)];
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

/** A statement that notes a pull of a manifest. A repository of our own under an upstream's name keeps nothing for that. */
function touch(db: D1Database, { repository, digest, kept }: PulledManifest, now: number): D1PreparedStatement {
  if (kept === undefined) {
    return db
      .prepare(
        "UPDATE manifests SET pulled_at = ?3 WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1) AND digest = ?2",
      )
      .bind(repository, digest, now);
  }
  return db
    .prepare(
      `UPDATE manifests SET pulled_at = ?3,
         kept_until = IIF(r.upstream IS ?4, ?5, kept_until), unheld_at = IIF(r.upstream IS ?4, NULL, unheld_at)
       FROM repositories r WHERE r.name = ?1 AND manifests.repository_id = r.id AND manifests.digest = ?2`,
    )
    .bind(repository, digest, now, kept.upstream, kept.until);
}
