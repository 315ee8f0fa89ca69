import type { RepositoryName } from "../oci/repository-name.ts";
import type { Actor } from "../policy/actor.ts";
import { recordAudit } from "./audit.ts";
import { selectRepository } from "./repositories.ts";
import { type Asker, askWithRules, type Ruled } from "./ruled.ts";

/** Image spec, "Pre-Defined Annotation Keys": what all of them begin with. */
const PREFIX = "org.opencontainers.image.";

/** As many annotations are shown, and as much of each: what a manifest may hold is no text for a page. */
const ANNOTATIONS_MAX = 50;
const ANNOTATION_LENGTH_MAX = 2_000;

/** What a repository says of itself. */
export interface About {
  readonly readme: string | null;
  readonly description: string | null;
  /** Those of the image spec, by what follows `org.opencontainers.image.`, of the tag that moved last; null where it has none. */
  readonly annotations: Readonly<Record<string, string>> | null;
}

/** Whether a tag (t) is no signature or other referrer under the name that clients made of its subject's digest. */
const IS_NO_REFERRER = "t.name NOT GLOB 'sha256-*'";

const ANNOTATIONS = `
  SELECT json_group_object(SUBSTR(d.key, ${PREFIX.length + 1}), SUBSTR(d.value, 1, ${ANNOTATION_LENGTH_MAX}))
  FROM (SELECT key, value FROM json_each(IIF(json_valid(m.bytes), m.bytes, NULL), '$.annotations')
        WHERE SUBSTR(key, 1, ${PREFIX.length}) = '${PREFIX}' LIMIT ${ANNOTATIONS_MAX}) d`;

/**
 * What a repository says of itself, for someone who may see it or not; undefined if there is none. Annotations of a manifest too big
 * for a row are not looked at. One round trip.
 */
export async function findAbout(db: D1Database, asker: Asker): Promise<Ruled<About | undefined>> {
  const { repository } = asker;
  const { rules, results } = await askWithRules(db, asker, [
    db
      .prepare(
        `SELECT m.readme, r.description
         FROM repositories r LEFT JOIN readmes m ON m.repository_id = r.id WHERE r.name = ?1`,
      )
      .bind(repository),
    db
      .prepare(
        `WITH newest (repository_id, digest) AS (
           SELECT t.repository_id, t.digest
           FROM repositories r CROSS JOIN tags t INDEXED BY tags_by_update ON t.repository_id = r.id
           WHERE r.name = ?1 AND ${IS_NO_REFERRER} ORDER BY t.updated_at DESC LIMIT 1)
         SELECT (${ANNOTATIONS}) AS annotations
         FROM newest CROSS JOIN manifests m ON m.repository_id = newest.repository_id AND m.digest = newest.digest`,
      )
      .bind(repository),
  ]);
  const [about] = (results[0]?.results ?? []) as { readme: string | null; description: string | null }[];
  const [newest] = (results[1]?.results ?? []) as { annotations: string }[];
  const annotations = JSON.parse(newest?.annotations ?? "{}") as Record<string, string>;
  const hasSome = Object.keys(annotations).length > 0;
  return { rules, found: about && { ...about, annotations: hasSome ? annotations : null } };
}

/** Stores a repository's readme; an empty one goes. False if there is no such repository. One round trip. */
export async function saveReadme(
  db: D1Database,
  { repository, readme, actor, now }: { repository: RepositoryName; readme: string; actor: Actor; now: number },
): Promise<boolean> {
  const entry = { action: "repository.set", actor, repository, detail: { readmeLength: readme.length } } as const;
  const id = "(SELECT id FROM repositories WHERE name = ?1)";
  const removed = db.prepare(`DELETE FROM readmes WHERE repository_id = ${id}`).bind(repository);
  const saved = db
    .prepare(
      `INSERT INTO readmes (repository_id, readme, updated_at, updated_by)
       SELECT id, ?2, ?3, ?4 FROM repositories WHERE name = ?1
       ON CONFLICT (repository_id) DO UPDATE SET
         readme = excluded.readme, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
    )
    .bind(repository, readme, now, actor.name);
  const [known] = await db.batch([
    selectRepository(db, repository),
    readme === "" ? removed : saved,
    recordAudit(db, entry, now, `EXISTS ${id}`),
  ]);
  return (known?.results.length ?? 0) > 0;
}
