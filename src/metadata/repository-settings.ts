import type { Actor } from "../policy/actor.ts";
import { rangeOf, type RepositoryPattern, type TagPattern } from "../policy/pattern.ts";
import { recordAudit } from "./audit.ts";
import { hasRoomForRule } from "./policy.ts";

/** Settings of the repositories of a pattern; what is undefined stays as it is. */
export interface RepositorySettings {
  readonly repository: RepositoryPattern;
  /** Public: anyone may pull. */
  readonly visibility: "public" | "private" | undefined;
  readonly immutableTags: boolean | undefined;
  /** Tags that move where the others are immutable. */
  readonly exceptTags: readonly TagPattern[];
  /** Tags such as 1h and 7d end by themselves. */
  readonly expiringTags: boolean | undefined;
  /** Of one repository that is there; empty: none. */
  readonly description: string | undefined;
  /** What searches show of one repository that is there. */
  readonly stars: number | undefined;
  readonly official: boolean | undefined;
}

/** All rules for immutable tags, and all for expiring ones, are read when a tag moves: as many of each. */
export const TAG_RULES_MAX = 200;

/** What became of a change, which changes nothing where there is no repository to describe, or too many rules of a kind. */
export type SettingsOutcome =
  "saved" | "unknown" | "full of immutable tags" | "full of expiring tags" | "full of wildcards";

/** A condition that holds where a rule for pattern ?1 is not asked for, or would not be one too many. */
function hasRoomIn(table: "immutable_tags" | "expiring_tags", isWanted: boolean | undefined): string {
  return isWanted ? `(SELECT COUNT(*) FROM ${table} WHERE repository <> ?1) < ${TAG_RULES_MAX}` : "TRUE";
}

/**
 * Changes settings. One round trip.
 * @param within patterns whose rules go as well when this one becomes private.
 */
export async function saveSettings(
  db: D1Database,
  settings: RepositorySettings,
  within: readonly RepositoryPattern[],
  actor: Actor,
  now: number,
): Promise<SettingsOutcome> {
  const { repository, visibility, immutableTags, exceptTags, expiringTags, description, stars, official } = settings;
  const others = within.filter((pattern) => pattern !== repository);
  const detail = {
    ...{ visibility, immutableTags, expiringTags, description, stars, official },
    ...(immutableTags && { exceptTags }),
    ...(others.length > 0 && { others }),
  };
  const rooms = {
    known: !isOfOne(settings) ? "TRUE" : "EXISTS (SELECT 1 FROM repositories WHERE name = ?1)",
    immutable: hasRoomIn("immutable_tags", immutableTags),
    expiring: hasRoomIn("expiring_tags", expiringTags),
    anyone: visibility === "public" ? hasRoomForRule("'anyone'", "?1") : "TRUE",
  };
  const hasRoom = Object.values(rooms).join(" AND ");
  const [room] = await db.batch<Record<keyof typeof rooms, 0 | 1>>([
    db
      .prepare(
        `SELECT ${rooms.known} AS known, ${rooms.immutable} AS immutable, ${rooms.expiring} AS expiring, ${rooms.anyone} AS anyone
         WHERE ?1 <> ''`,
      )
      .bind(repository),
    recordAudit(db, { action: "repository.set", actor, repository, detail }, now, hasRoom),
    ...setVisibility(db, settings, [repository, ...others], actor, now, hasRoom),
    ...setExpiringTags(db, settings, actor, now, hasRoom),
    ...setImmutableTags(db, settings, actor, now, hasRoom),
    ...setColumns(db, settings, hasRoom),
  ]);
  const { known = 0, immutable = 0, expiring = 0, anyone = 0 } = room?.results[0] ?? {};
  if (known === 0) return "unknown";
  if (immutable === 0) return "full of immutable tags";
  if (expiring === 0) return "full of expiring tags";
  return anyone === 0 ? "full of wildcards" : "saved";
}

/** Enough to find one that matters; more would be a wall of them. */
const PUBLIC_PATTERNS_MAX = 1_000;

/** Patterns that are public and whose range of names meets that of this one: those that may hold one of its repositories. One query. */
export async function listPublicPatterns(db: D1Database, pattern: RepositoryPattern): Promise<RepositoryPattern[]> {
  const { low, high } = rangeOf(pattern);
  const { results } = await db
    .prepare(
      `SELECT repository FROM policy_rules
       WHERE subject = 'anyone' AND low < ?2 AND high > ?1 AND INSTR(actions, '"pull"') > 0 LIMIT ${PUBLIC_PATTERNS_MAX}`,
    )
    .bind(low, high)
    .all<{ repository: RepositoryPattern }>();
  return results.map((row) => row.repository);
}

function setExpiringTags(
  db: D1Database,
  { repository, expiringTags }: RepositorySettings,
  actor: Actor,
  now: number,
  where: string,
): D1PreparedStatement[] {
  if (expiringTags === undefined) return [];
  if (!expiringTags) {
    return [db.prepare(`DELETE FROM expiring_tags WHERE repository = ?1 AND ${where}`).bind(repository)];
  }
  return [
    db
      .prepare(
        `INSERT INTO expiring_tags (repository, created_at, created_by)
         SELECT ?1, ?2, ?3 WHERE ${where} ON CONFLICT (repository) DO NOTHING`,
      )
      .bind(repository, now, actor.name),
  ];
}

function setImmutableTags(
  db: D1Database,
  { repository, immutableTags, exceptTags }: RepositorySettings,
  actor: Actor,
  now: number,
  where: string,
): D1PreparedStatement[] {
  if (immutableTags === undefined) return [];
  if (!immutableTags) {
    return [db.prepare(`DELETE FROM immutable_tags WHERE repository = ?1 AND ${where}`).bind(repository)];
  }
  return [
    db
      .prepare(
        `INSERT INTO immutable_tags (repository, except_tags, created_at, created_by)
         SELECT ?1, ?2, ?3, ?4 WHERE ${where}
         ON CONFLICT (repository) DO UPDATE SET except_tags = excluded.except_tags`,
      )
      .bind(repository, JSON.stringify(exceptTags), now, actor.name),
  ];
}

/** Whether some of the settings are for one repository that is there, and not for a pattern. */
export function isOfOne({ description, stars, official }: Partial<RepositorySettings>): boolean {
  return description !== undefined || stars !== undefined || official !== undefined;
}

/** What is said of just one repository stands in its row. */
function setColumns(db: D1Database, settings: RepositorySettings, where: string): D1PreparedStatement[] {
  if (!isOfOne(settings)) return [];
  const { repository, description, stars, official } = settings;
  return [
    db
      .prepare(
        `UPDATE repositories SET description = IIF(?2 IS NULL, description, NULLIF(?2, '')), stars = COALESCE(?3, stars),
                                 is_official = COALESCE(?4, is_official)
         WHERE name = ?1 AND ${where}`,
      )
      .bind(repository, description ?? null, stars ?? null, official === undefined ? null : Number(official)),
  ];
}

/** Visibility is a rule of the policy: anyone may pull. */
function setVisibility(
  db: D1Database,
  { repository, visibility }: RepositorySettings,
  within: readonly RepositoryPattern[],
  actor: Actor,
  now: number,
  where: string,
): D1PreparedStatement[] {
  switch (visibility) {
    case undefined:
      return [];
    case "public":
      return [
        db
          .prepare(
            `INSERT INTO policy_rules (subject, repository, actions, created_at, created_by)
             SELECT 'anyone', ?1, '["pull"]', ?2, ?3 WHERE ${where} ON CONFLICT (subject, repository) DO NOTHING`,
          )
          .bind(repository, now, actor.name),
      ];
    case "private":
      return [
        db
          .prepare(
            `DELETE FROM policy_rules
             WHERE subject = 'anyone' AND repository IN (SELECT value FROM json_each(?2)) AND ?1 <> '' AND ${where}`,
          )
          .bind(repository, JSON.stringify(within)),
      ];
  }
}
