import type { PageRequest } from "../oci/page.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { rangeOf } from "../policy/pattern.ts";
import type { Grant } from "../policy/policy.ts";
import type { Subject } from "../policy/subject.ts";
import type { Reader } from "./reader.ts";

/** A statement with one row if the repository exists. */
export function selectRepository(db: Reader, name: RepositoryName): D1PreparedStatement {
  return db.prepare("SELECT id FROM repositories WHERE name = ?1").bind(name);
}

/** What of the repositories someone may see: all, or those that rules for subjects, or grants of their own, let them pull. */
export type Visibility = "all" | { readonly subjects: readonly Subject[]; readonly grants: readonly Grant[] };

/** Rules (p) by which anyone may pull a repository (r). */
const PUBLIC = `
  EXISTS (SELECT 1 FROM policy_rules p WHERE p.subject = 'anyone' AND p.repository = r.name AND INSTR(p.actions, '"pull"') > 0)
  OR EXISTS (SELECT 1 FROM policy_rules p INDEXED BY policy_rules_wildcard
             WHERE p.subject = 'anyone' AND p.is_wildcard = 1 AND INSTR(p.actions, '"pull"') > 0
             AND r.name >= p.low AND r.name < p.high
             AND (p.glob IS NULL OR (r.name GLOB p.glob AND p.depth = LENGTH(r.name) - LENGTH(REPLACE(r.name, '/', '')))))`;

/** A repository in a list. */
export interface ListedRepository {
  readonly name: RepositoryName;
  readonly isPublic: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

interface ListedRow {
  name: RepositoryName;
  created_at: number;
  is_public: 0 | 1;
}

/** Names that someone may see, in byte order; one more than asked for if there are more. One query. */
export async function listNames(db: Reader, visibility: Visibility, page: PageRequest): Promise<RepositoryName[]> {
  const { results } = await selectVisible(db, "r.name", visibility, page).all<{ name: RepositoryName }>();
  return results.map((row) => row.name);
}

/** {@link listNames}, with more of each. */
export async function listRepositories(
  db: Reader,
  visibility: Visibility,
  page: PageRequest,
): Promise<ListedRepository[]> {
  const columns = `r.name, r.created_at, (${PUBLIC}) AS is_public`;
  const { results } = await selectVisible(db, columns, visibility, page).all<ListedRow>();
  return results.map((row) => ({ name: row.name, isPublic: row.is_public === 1, createdAt: row.created_at }));
}

/**
 * Who may see all reads a page of names; anyone else what they may see, each once, however many rules let them.
 */
function selectVisible(db: Reader, columns: string, visibility: Visibility, page: PageRequest): D1PreparedStatement {
  if (visibility === "all") {
    return db
      .prepare(`SELECT ${columns} FROM repositories r WHERE r.name > ?1 ORDER BY r.name LIMIT ?2`)
      .bind(page.last, page.limit + 1);
  }
  const { subjects, grants } = visibility;
  const ranges = grants.filter(({ actions }) => actions.includes("pull")).map(({ repository }) => rangeOf(repository));
  return db
    .prepare(
      `WITH visible (low, high, glob, depth) AS (
         SELECT p.low, p.high, p.glob, p.depth FROM json_each(?3) s CROSS JOIN policy_rules p ON p.subject = s.value
         WHERE p.high > ?1 AND INSTR(p.actions, '"pull"') > 0
         UNION ALL
         SELECT value ->> 'low', value ->> 'high', value ->> 'glob', value ->> 'depth' FROM json_each(?4))
       SELECT DISTINCT ${columns}
       FROM visible v CROSS JOIN repositories r ON r.name >= v.low AND r.name < v.high AND r.name > ?1
       WHERE v.glob IS NULL OR (r.name GLOB v.glob AND v.depth = LENGTH(r.name) - LENGTH(REPLACE(r.name, '/', '')))
       ORDER BY r.name LIMIT ?2`,
    )
    .bind(page.last, page.limit + 1, JSON.stringify([...subjects, "anyone"]), JSON.stringify(ranges));
}

/** What a repository holds. */
export interface RepositorySummary extends ListedRepository {
  readonly tags: number;
  readonly manifests: number;
  /** Bytes of its blobs and manifests, each counted once. */
  readonly size: number;
}

/** A repository and the sums of what it holds; it reads all of that. One query. */
export async function findRepository(db: D1Database, name: RepositoryName): Promise<RepositorySummary | undefined> {
  const row = await db
    .prepare(
      `SELECT r.name, r.created_at, (${PUBLIC}) AS is_public,
         (SELECT COUNT(*) FROM tags t INDEXED BY tags_by_digest WHERE t.repository_id = r.id) AS tags,
         (SELECT COUNT(*) FROM manifests m WHERE m.repository_id = r.id AND m.deleted_at IS NULL) AS manifests,
         (SELECT COALESCE(SUM(m.size), 0) FROM manifests m WHERE m.repository_id = r.id)
         + (SELECT COALESCE(SUM(b.size), 0) FROM repository_blobs rb JOIN blobs b ON b.digest = rb.digest
            WHERE rb.repository_id = r.id) AS size
       FROM repositories r WHERE r.name = ?1`,
    )
    .bind(name)
    .first<ListedRow & Pick<RepositorySummary, "tags" | "manifests" | "size">>();
  if (row === null) return undefined;
  const { created_at: createdAt, is_public: isPublic, ...rest } = row;
  return { ...rest, createdAt, isPublic: isPublic === 1 };
}
