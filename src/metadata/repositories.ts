import type { PageRequest } from "../oci/page.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { RepositoryPattern } from "../policy/pattern.ts";
import { rangeOf } from "../policy/pattern.ts";
import type { Grant } from "../policy/policy.ts";
import type { Subject } from "../policy/subject.ts";
import {
  type ImmutableTagsRow,
  type ImmutableTagsRule,
  SELECT_IMMUTABLE_TAGS,
  toImmutableTagsRule,
} from "./immutable-tags.ts";
import { globMatches, patternHolds } from "./pattern.ts";
import type { Reader } from "./reader.ts";
import { type Asker, askWithRules, type Ruled } from "./ruled.ts";

/** A statement with one row if the repository exists. */
export function selectRepository(db: Reader, name: RepositoryName): D1PreparedStatement {
  return db.prepare("SELECT id FROM repositories WHERE name = ?1").bind(name);
}

/** What of the repositories someone may see: all, or those that rules for subjects, or grants of their own, let them pull. */
export type Visibility = "all" | { readonly subjects: readonly Subject[]; readonly grants: readonly Grant[] };

/** Which repositories are visible, in words of SQL. */
export interface VisibleSql {
  /** For a WITH clause: `visible`, the patterns that someone may see by the rules for subjects, and by grants. */
  readonly patterns: string;
  /** For a FROM clause: those patterns (v) with the repositories (r) in the set of each. One may be there several times. */
  readonly repositories: string;
}

/**
 * The repositories that someone may see, but for those up to a name, `after`. It and JSON of the subjects and of the ranges of the grants
 * are parameters. SQLite searches by one lower bound, and would as soon take the other than the greater one.
 */
export function visibleSql({ subjects, ranges, after }: Record<"subjects" | "ranges" | "after", string>): VisibleSql {
  return {
    patterns: `visible (low, high, glob, depth) AS (
      SELECT p.low, p.high, p.glob, p.depth FROM json_each(${subjects}) s CROSS JOIN policy_rules p ON p.subject = s.value
      WHERE p.high > ${after} AND INSTR(p.actions, '"pull"') > 0
      UNION ALL
      SELECT value ->> 'low', value ->> 'high', value ->> 'glob', value ->> 'depth' FROM json_each(${ranges}))`,
    repositories: `
      visible v CROSS JOIN repositories r
       ON r.name >= MAX(v.low, ${after}) AND r.name < v.high AND +r.name <> ${after} AND ${globMatches("v", "r.name")}`,
  };
}

/** The values of the first two parameters of {@link visibleSql}. */
export function visibleJson({ subjects, grants }: Exclude<Visibility, "all">): { subjects: string; ranges: string } {
  const ranges = grants.filter(({ actions }) => actions.includes("pull")).map(({ repository }) => rangeOf(repository));
  return { subjects: JSON.stringify([...subjects, "anyone"]), ranges: JSON.stringify(ranges) };
}

/** Names that someone may see, in byte order; one more than asked for if there are more. One query. */
export async function listNames(
  db: Reader,
  visibility: Visibility,
  { last, limit }: PageRequest,
): Promise<RepositoryName[]> {
  const { results } = await selectNames(db, visibility, last, limit).all<{ name: RepositoryName }>();
  return results.map((row) => row.name);
}

/** Who may see all reads a page of names; anyone else what they may see, each once, however many rules let them. */
function selectNames(db: Reader, visibility: Visibility, last: string, limit: number): D1PreparedStatement {
  if (visibility === "all") {
    return db
      .prepare("SELECT r.name FROM repositories r WHERE r.name > ?1 ORDER BY r.name LIMIT ?2")
      .bind(last, limit + 1);
  }
  const { subjects, ranges } = visibleJson(visibility);
  const visible = visibleSql({ subjects: "?3", ranges: "?4", after: "?1" });
  return db
    .prepare(`WITH ${visible.patterns} SELECT DISTINCT r.name FROM ${visible.repositories} ORDER BY r.name LIMIT ?2`)
    .bind(last, limit + 1, subjects, ranges);
}

/** Rules (p) by which anyone may pull a repository (r). */
const PUBLIC = `
  EXISTS (SELECT 1 FROM policy_rules p WHERE p.subject = 'anyone' AND p.repository = r.name AND INSTR(p.actions, '"pull"') > 0)
  OR EXISTS (SELECT 1 FROM policy_rules p INDEXED BY policy_rules_wildcard
             WHERE p.subject = 'anyone' AND p.is_wildcard = 1 AND INSTR(p.actions, '"pull"') > 0
             AND ${patternHolds("p", "r.name")})`;

/** A repository, and what triggers have counted of it. Times are milliseconds since the epoch. */
export interface RepositorySummary {
  readonly name: RepositoryName;
  /** The name of the upstream whose repository it mirrors; null: it is one of our own. */
  readonly upstream: string | null;
  readonly isPublic: boolean;
  readonly createdAt: number;
  /** What was set, or else what its newest image says. */
  readonly description: string | null;
  /** What admins say of it. */
  readonly stars: number;
  readonly isOfficial: boolean;
  readonly tags: number;
  /** Without those that were deleted. */
  readonly manifests: number;
  /** Bytes of its blobs and manifests, each counted once. */
  readonly size: number;
  /** Of these, what no other repository links. */
  readonly uniqueSize: number;
  /** When a manifest was last pushed, and pulled. */
  readonly pushedAt: number | null;
  readonly pulledAt: number | null;
  readonly pulls: number;
}

export interface SummaryRow extends Omit<RepositorySummary, "isPublic" | "isOfficial"> {
  readonly is_public: 0 | 1;
  readonly is_official: 0 | 1;
}

/** The columns of a summary, of a repository (r). */
export const SUMMARY = `
  r.name, r.created_at AS createdAt, r.upstream,
  COALESCE(r.description, (SELECT i.description FROM image_words i WHERE i.repository_id = r.id)) AS description,
  r.stars, r.is_official, r.tag_count AS tags, r.manifest_count AS manifests, r.size,
  r.unique_size AS uniqueSize, NULLIF(r.pushed_at, 0) AS pushedAt, r.pulled_at AS pulledAt, r.pulls, (${PUBLIC}) AS is_public`;

export function toSummary({ is_public, is_official, ...row }: SummaryRow): RepositorySummary {
  return { ...row, isPublic: is_public === 1, isOfficial: is_official === 1 };
}

/** A repository with the settings that hold for it. */
export interface RepositoryDetails extends RepositorySummary {
  readonly hasReadme: boolean;
  /** The rules that make tags of its or of others immutable. */
  readonly immutableTags: readonly ImmutableTagsRule[];
  /** The patterns by which its tags end by themselves. */
  readonly expiringTags: readonly RepositoryPattern[];
}

/** A repository, if there is one, for someone who may see it or not. One round trip, which reads no more of large ones. */
export async function findRepository(db: D1Database, asker: Asker): Promise<Ruled<RepositoryDetails | undefined>> {
  const { repository: name } = asker;
  const { rules, results } = await askWithRules(db, asker, [
    db
      .prepare(
        `SELECT ${SUMMARY}, EXISTS (SELECT 1 FROM readmes m WHERE m.repository_id = r.id) AS has_readme
         FROM repositories r WHERE r.name = ?1`,
      )
      .bind(name),
    db.prepare(SELECT_IMMUTABLE_TAGS),
    db
      .prepare(`SELECT repository FROM expiring_tags WHERE ${patternHolds("expiring_tags", "?1")} ORDER BY repository`)
      .bind(name),
  ]);
  const [row] = (results[0]?.results ?? []) as (SummaryRow & { has_readme: 0 | 1 })[];
  if (row === undefined) return { rules, found: undefined };
  const { has_readme, ...summary } = row;
  const immutable = (results[1]?.results ?? []) as ImmutableTagsRow[];
  const expiring = (results[2]?.results ?? []) as { repository: RepositoryPattern }[];
  const found = {
    ...{ ...toSummary(summary), hasReadme: has_readme === 1, immutableTags: immutable.map(toImmutableTagsRule) },
    expiringTags: expiring.map(({ repository }) => repository),
  };
  return { rules, found };
}
