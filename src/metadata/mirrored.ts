import type { Digest } from "../oci/digest.ts";
import type { Reference, Tag } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { type ManifestRow, type StoredManifest, toStoredManifest } from "./manifests.ts";
import type { Reader } from "./reader.ts";

/** What a tag names at the upstream, that is not served yet. */
export interface WaitingTag {
  readonly digest: Digest;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** What is here of what a reference names in a repository that mirrors another. */
export interface MirroredManifest {
  /** Whether the repository is no mirror, but one of our own under that name. */
  readonly isOwn: boolean;
  readonly repositoryExists: boolean;
  readonly found: StoredManifest | undefined;
  /** When the upstream last said that the tag names this; 0 where it never did. */
  readonly checkedAt: number;
  readonly waiting: WaitingTag | undefined;
}

interface MirroredRow extends ManifestRow {
  repository_id: number;
  upstream: string | null;
  checked_at: number | null;
  waiting_digest: Digest | null;
  waiting_since: number | null;
}

/** The manifest that a tag or digest names here, and what is known of the tag. One query. */
export async function findMirrored(
  db: Reader,
  repository: RepositoryName,
  reference: Reference,
  withText: boolean,
): Promise<MirroredManifest> {
  const isTag = reference.kind === "tag";
  const row = await db
    .prepare(
      `SELECT r.upstream, m.digest, m.media_type, m.size, ${withText ? "m.bytes" : "NULL AS bytes"}, m.object_key, m.pulled_at,
              ${isTag ? "mt.checked_at, mt.waiting_digest, mt.waiting_since" : "NULL AS checked_at, NULL AS waiting_digest, NULL AS waiting_since"}
       FROM repositories r
       ${
         isTag
           ? `LEFT JOIN tags t ON t.repository_id = r.id AND t.name = ?2
              LEFT JOIN mirrored_tags mt ON mt.repository_id = r.id AND mt.name = ?2`
           : ""
       }
       LEFT JOIN manifests m ON m.repository_id = r.id AND m.digest = ${isTag ? "t.digest" : "?2"} AND m.deleted_at IS NULL
       WHERE r.name = ?1`,
    )
    .bind(repository, isTag ? reference.tag : reference.digest)
    .first<MirroredRow>();
  if (row === null) {
    return { isOwn: false, repositoryExists: false, found: undefined, checkedAt: 0, waiting: undefined };
  }
  const { waiting_digest: digest, waiting_since: since } = row;
  return {
    isOwn: row.upstream === null,
    repositoryExists: true,
    found: row.digest === null ? undefined : toStoredManifest({ ...row, digest: row.digest }),
    checkedAt: row.checked_at ?? 0,
    waiting: digest === null || since === null ? undefined : { digest, since },
  };
}

/** Makes a repository the mirror of an upstream's, unless there is one of that name. False for one of our own. One round trip. */
export async function claimMirror(
  db: D1Database,
  repository: RepositoryName,
  upstream: string,
  now: number,
): Promise<boolean> {
  const [, rows] = await db.batch<{ upstream: string | null }>([
    db
      .prepare(
        "INSERT INTO repositories (name, created_at, upstream) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING",
      )
      .bind(repository, now, upstream),
    db.prepare("SELECT upstream FROM repositories WHERE name = ?1").bind(repository),
  ]);
  return rows?.results[0]?.upstream !== null;
}

/** Whether there is a repository of our own of this name. One query. */
export async function isOwnRepository(db: D1Database, repository: RepositoryName): Promise<boolean> {
  const row = await db
    .prepare("SELECT upstream FROM repositories WHERE name = ?1")
    .bind(repository)
    .first<{ upstream: string | null }>();
  return row !== null && row.upstream === null;
}

/** Notes that the upstream was asked for a tag. One query. */
export async function noteTag(
  db: D1Database,
  repository: RepositoryName,
  tag: Tag,
  { checkedAt, waiting }: Pick<MirroredManifest, "checkedAt" | "waiting">,
): Promise<void> {
  await db
    .prepare(
      `INSERT INTO mirrored_tags (repository_id, name, checked_at, waiting_digest, waiting_since)
       SELECT id, ?2, ?3, ?4, ?5 FROM repositories WHERE name = ?1 AND upstream IS NOT NULL
       ON CONFLICT (repository_id, name) DO UPDATE SET
         checked_at = excluded.checked_at, waiting_digest = excluded.waiting_digest, waiting_since = excluded.waiting_since`,
    )
    .bind(repository, tag, checkedAt, waiting?.digest ?? null, waiting?.since ?? null)
    .run();
}

/** How much is here of an upstream. */
export interface MirroredUsage {
  readonly repositories: number;
  /** Bytes of what these hold, each counted once in each of them. */
  readonly bytes: number;
}

/** What there is of each of these upstreams, by their names; of one without repositories, nothing. One query, which reads their rows. */
export async function measureMirrored(db: Reader, upstreams: readonly string[]): Promise<Map<string, MirroredUsage>> {
  const { results } = await db
    .prepare(
      // Their names begin with the upstream's and a slash, which 0 comes next after: a range of the index.
      `SELECT u.value AS upstream, COUNT(*) AS repositories, SUM(r.size) AS bytes
       FROM json_each(?1) u JOIN repositories r ON r.name > u.value || '/' AND r.name < u.value || '0'
       WHERE r.upstream = u.value
       GROUP BY u.key`,
    )
    .bind(JSON.stringify(upstreams))
    .all<MirroredUsage & { upstream: string }>();
  return new Map(results.map(({ upstream, ...usage }) => [upstream, usage]));
}
