import type { Digest } from "../oci/digest.ts";
import type { Tag } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { RepositoryPattern, TagPattern } from "../policy/pattern.ts";

/** Repositories whose tags stay where they are, but for those of the exceptions. */
export interface ImmutableTagsRule {
  readonly repository: RepositoryPattern;
  readonly exceptTags: readonly TagPattern[];
}

/** What the triggers of migrations/0002_access.sql say when they hold a tag. */
const HELD = "TAG_IMMUTABLE";

/** Whether a transaction failed because it would have moved or deleted a tag that stays. */
export function isTagHeld(error: unknown): boolean {
  return error instanceof Error && error.message.includes(HELD);
}

/** A tag that stays, where it points, and the pattern by which it does. */
export interface HeldTag {
  readonly tag: Tag;
  readonly digest: Digest;
  readonly rule: RepositoryPattern;
}

/** The first of the tags that stays and points elsewhere than to `digest`; undefined: anywhere. One query. */
export async function findHeldTag(
  db: D1Database,
  repository: RepositoryName,
  tags: readonly Tag[],
  digest: Digest | undefined,
): Promise<HeldTag | undefined> {
  const row = await db
    .prepare(
      `SELECT s.name AS tag, s.digest, s.rule
       FROM repositories r CROSS JOIN json_each(?2) w
       CROSS JOIN tags_that_stay s ON s.repository_id = r.id AND s.name = w.value
       WHERE r.name = ?1 AND s.digest IS NOT ?3 LIMIT 1`,
    )
    .bind(repository, JSON.stringify(tags), digest ?? null)
    .first<HeldTag>();
  return row ?? undefined;
}

/** The first tag of a manifest that stays. One query. */
export async function findHeldTagOf(
  db: D1Database,
  repository: RepositoryName,
  digest: Digest,
): Promise<HeldTag | undefined> {
  const row = await db
    .prepare(
      `SELECT s.name AS tag, s.digest, s.rule
       FROM repositories r CROSS JOIN tags_that_stay s ON s.repository_id = r.id AND s.digest = ?2
       WHERE r.name = ?1 LIMIT 1`,
    )
    .bind(repository, digest)
    .first<HeldTag>();
  return row ?? undefined;
}

/** A row of the table. */
export interface ImmutableTagsRow {
  readonly repository: RepositoryPattern;
  readonly except_tags: string;
}

export function toImmutableTagsRule({ repository, except_tags: exceptTags }: ImmutableTagsRow): ImmutableTagsRule {
  return { repository, exceptTags: JSON.parse(exceptTags) as TagPattern[] };
}

/** All rules, of which there are 200 at most. */
export const SELECT_IMMUTABLE_TAGS = "SELECT repository, except_tags FROM immutable_tags ORDER BY repository";
