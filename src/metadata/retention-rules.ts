import type { RepositoryName } from "../oci/repository-name.ts";
import type { PatternRange, RepositoryPattern } from "../policy/pattern.ts";
import { type AuditEntry, recordAudit } from "./audit.ts";
import { type ImmutableTagsRow, type ImmutableTagsRule, toImmutableTagsRule } from "./immutable-tags.ts";
import { globMatches } from "./pattern.ts";

/** A retention rule as it was given, with who gave it and when. Times are milliseconds since the epoch. */
export interface RecordedRetentionRule {
  readonly name: string;
  readonly repository: RepositoryPattern;
  /** The rule's JSON, parsed, and not looked at. */
  readonly rule: unknown;
  /** When someone saw what it would do; null: nobody has since it was given. */
  readonly previewedAt: number | null;
  readonly createdAt: number;
  readonly createdBy: string;
}

interface RuleRow {
  name: string;
  repository: RepositoryPattern;
  rule: string;
  previewed_at: number | null;
  created_at: number;
  created_by: string;
}

/** Rules of a registry: all of them are read in each run, as each may protect what another one removes. */
export const RETENTION_RULES_MAX = 100;

const COLUMNS = "name, repository, rule, previewed_at, created_at, created_by";

function toRule(row: RuleRow): RecordedRetentionRule {
  return {
    ...{ name: row.name, repository: row.repository, rule: JSON.parse(row.rule) as unknown },
    ...{ previewedAt: row.previewed_at, createdAt: row.created_at, createdBy: row.created_by },
  };
}

/** Rules by name, after `last`; one more than asked for if there are more. One query. */
export async function listRetentionRules(
  db: D1Database,
  page: { last: string; limit: number },
): Promise<RecordedRetentionRule[]> {
  const { results } = await db
    .prepare(`SELECT ${COLUMNS} FROM retention_rules WHERE name > ?1 ORDER BY name LIMIT ?2`)
    .bind(page.last, page.limit + 1)
    .all<RuleRow>();
  return results.map(toRule);
}

/** A rule that is about to go or change, as it was read; undefined: there was none. */
export interface ReplacedRule {
  readonly replaced: Pick<RecordedRetentionRule, "createdAt"> | undefined;
  /** Rules that have no repository in common with it. */
  readonly unconcerned: readonly Pick<RecordedRetentionRule, "name" | "createdAt">[];
}

/**
 * A statement that makes nobody have previewed the rules for the repositories of one that goes or changes: what it protects, they
 * may remove, and no preview has shown that. Where the rules are not what was read, it takes none to be unconcerned. Each gets
 * another time, so that a preview of it that is on its way does not count either.
 */
function forgetPreviews(db: D1Database, name: string, { replaced, unconcerned }: ReplacedRule): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE retention_rules SET previewed_at = NULL, created_at = created_at + 1
       WHERE name <> ?1 AND EXISTS (SELECT 1 FROM retention_rules p WHERE p.name = ?1)
         AND NOT (EXISTS (SELECT 1 FROM retention_rules p WHERE p.name = ?1 AND p.created_at = ?2)
                  AND (name, created_at) IN (SELECT value ->> 'name', value ->> 'createdAt' FROM json_each(?3)))`,
    )
    .bind(
      ...[name, replaced?.createdAt ?? null],
      JSON.stringify(unconcerned.map((rule) => ({ name: rule.name, createdAt: rule.createdAt }))),
    );
}

/**
 * Adds a rule, or replaces the one of its name; nobody has previewed it then. Undefined if there are too many. One round trip.
 * No two rules of one name have one time: it tells them apart.
 */
export async function upsertRetentionRule(
  db: D1Database,
  rule: Omit<RecordedRetentionRule, "previewedAt">,
  before: ReplacedRule,
  entry: AuditEntry,
): Promise<RecordedRetentionRule | undefined> {
  const [, saved] = await db.batch<RuleRow>([
    forgetPreviews(db, rule.name, before),
    db
      .prepare(
        `INSERT INTO retention_rules (name, repository, rule, created_at, created_by) SELECT ?1, ?2, ?3, ?4, ?5
         WHERE EXISTS (SELECT 1 FROM retention_rules WHERE name = ?1)
            OR (SELECT COUNT(*) FROM retention_rules) < ${RETENTION_RULES_MAX}
         ON CONFLICT (name) DO UPDATE SET repository = excluded.repository, rule = excluded.rule, previewed_at = NULL,
           created_at = MAX(excluded.created_at, retention_rules.created_at + 1), created_by = excluded.created_by
         RETURNING ${COLUMNS}`,
      )
      .bind(rule.name, rule.repository, JSON.stringify(rule.rule), rule.createdAt, rule.createdBy),
    recordAudit(db, entry, rule.createdAt, "CHANGES() > 0"),
  ]);
  return saved?.results.map(toRule)[0];
}

/** Removes a rule. False if there was none. One round trip. */
export async function deleteRetentionRule(
  db: D1Database,
  name: string,
  before: ReplacedRule,
  entry: AuditEntry,
  now: number,
): Promise<boolean> {
  const [, removed] = await db.batch([
    forgetPreviews(db, name, before),
    db.prepare("DELETE FROM retention_rules WHERE name = ?1 RETURNING name").bind(name),
    recordAudit(db, entry, now, "CHANGES() > 0"),
  ]);
  return (removed?.results.length ?? 0) > 0;
}

/** Notes that someone saw what a rule would do, unless it is another one by now. One query. */
export async function markPreviewed(
  db: D1Database,
  { name, createdAt }: Pick<RecordedRetentionRule, "name" | "createdAt">,
  now: number,
): Promise<void> {
  await db
    .prepare("UPDATE retention_rules SET previewed_at = ?3 WHERE name = ?1 AND created_at = ?2")
    .bind(name, createdAt, now)
    .run();
}

/** A rule that is not stored, as it follows from the settings: for those repositories of a range that mirror an upstream's. */
export interface ImpliedRange extends PatternRange {
  /** The rule's name. */
  readonly name: string;
  readonly upstream: string;
}

/** Whose repositories: those of a pattern, of the rule of a name, stored or implied, or of all rules that run. */
export type RetentionScope =
  | { readonly kind: "range"; readonly range: PatternRange }
  | { readonly kind: "rule"; readonly name: string }
  | { readonly kind: "running" };

/** A repository that rules are for. */
export interface RuledRepository {
  readonly name: RepositoryName;
  /** The upstream whose it mirrors; null: it is one of our own. */
  readonly upstream: string | null;
}

/** All that decides which tags of some repositories go. */
export interface RetentionPlan {
  /** Those that are stored. */
  readonly rules: readonly RecordedRetentionRule[];
  readonly immutableTags: readonly ImmutableTagsRule[];
  readonly repositories: readonly RuledRepository[];
}

const STORED_RANGES = "SELECT low, high, glob, depth, NULL FROM retention_rules WHERE";

/** Ranges of a parameter that is a list of them in JSON. */
const givenRanges = (list: string): string =>
  `SELECT value ->> 'low', value ->> 'high', value ->> 'glob', value ->> 'depth', value ->> 'upstream' FROM json_each(${list})`;

/** A query of ranges, and its parameters from ?3 on. */
function rangesOf(scope: RetentionScope, implied: readonly ImpliedRange[]): readonly [sql: string, ...string[]] {
  switch (scope.kind) {
    case "range":
      return [givenRanges("?3"), JSON.stringify([scope.range])];
    case "rule": {
      const named = implied.filter(({ name }) => name === scope.name);
      return [`${STORED_RANGES} name = ?3 UNION ALL ${givenRanges("?4")}`, scope.name, JSON.stringify(named)];
    }
    case "running":
      return [`${STORED_RANGES} previewed_at IS NOT NULL UNION ALL ${givenRanges("?3")}`, JSON.stringify(implied)];
  }
}

/**
 * All stored rules, and repositories that those of the scope are for: by name, after `after`, one more than asked for if there are
 * more. One round trip. A page of each rule's is searched for in the index, and the first of them all are taken: so it reads no
 * repository that no rule is for, but for those that a pattern with a wildcard in its middle passes over.
 */
export async function findRetentionPlan(
  db: D1Database,
  scope: RetentionScope,
  implied: readonly ImpliedRange[],
  page: { after: string; limit: number },
): Promise<RetentionPlan> {
  const [ranges, ...parameters] = rangesOf(scope, implied);
  const [rules, immutableTags, repositories] = await db.batch([
    db.prepare(`SELECT ${COLUMNS} FROM retention_rules ORDER BY name`),
    db.prepare("SELECT repository, except_tags FROM immutable_tags"),
    db
      .prepare(
        `WITH wanted (low, high, glob, depth, upstream) AS (${ranges})
         SELECT DISTINCT r.name, r.upstream FROM wanted w CROSS JOIN repositories r ON r.id IN (
           SELECT x.id FROM repositories x
           WHERE x.name >= MAX(w.low, ?1) AND x.name < w.high AND x.name <> ?1
             AND ${globMatches("w", "x.name")} AND (w.upstream IS NULL OR x.upstream = w.upstream)
           ORDER BY x.name LIMIT ?2)
         ORDER BY r.name, r.upstream LIMIT ?2`,
      )
      .bind(page.after, page.limit + 1, ...parameters),
  ]);
  return {
    rules: ((rules?.results ?? []) as RuleRow[]).map(toRule),
    immutableTags: ((immutableTags?.results ?? []) as ImmutableTagsRow[]).map(toImmutableTagsRule),
    repositories: (repositories?.results ?? []) as RuledRepository[],
  };
}
