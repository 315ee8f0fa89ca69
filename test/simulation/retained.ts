import type { End } from "./invariants.ts";
import { governs, kept, type Rule, staying, type TagRow } from "./rules.ts";

interface StoredTag extends TagRow {
  readonly digest: string;
  readonly expiresAt: number | null;
}

/** What is to be there still when nobody has done anything but the schedule. */
export interface Lasting {
  /** Tags that do not end, and that rules keep however old they are. */
  readonly tags: readonly StoredTag[];
  /** Repositories that may not be left without any tag. */
  readonly repositories: readonly string[];
}

function listTags({ db }: End): Map<string, StoredTag[]> {
  const tags = db.query<StoredTag>(
    `SELECT r.name AS repository, t.name, t.digest, t.updated_at AS updatedAt, t.expires_at AS expiresAt
     FROM tags t JOIN repositories r ON r.id = t.repository_id`,
  );
  return Map.groupBy(tags, ({ repository }) => repository);
}

/** Rules that are in force, and those of them that were previewed. */
function listRules({ db }: End): { readonly rules: readonly Rule[]; readonly removers: readonly Rule[] } {
  const rows = db.query<{ rule: string; previewed_at: number | null }>(
    "SELECT rule, previewed_at FROM retention_rules",
  );
  const rules = rows.map(({ rule, previewed_at }) => ({
    rule: JSON.parse(rule) as Rule,
    isRemover: previewed_at !== null,
  }));
  return {
    rules: rules.map(({ rule }) => rule),
    removers: rules.filter(({ isRemover }) => isRemover).map(({ rule }) => rule),
  };
}

/** To be asked before quiet time. */
export function findLasting(end: End): Lasting {
  const { rules, removers } = listRules(end);
  const all = [...listTags(end).values()];
  const isEndless = ({ expiresAt }: StoredTag) => expiresAt === null;
  const mayGo = (tag: StoredTag) => removers.some((rule) => rule.mayEmpty && governs(rule, tag));
  return {
    tags: all.flatMap((tags) => kept(tags, rules, removers, Infinity)).filter(isEndless),
    repositories: all.flatMap((tags) =>
      tags.every(isEndless) && !tags.some(mayGo) && tags[0] ? [tags[0].repository] : [],
    ),
  };
}

/** After quiet time: what is to last is there, and what lives and rules are to take is not. */
export function checkRetained(end: End, lasting: Lasting): void {
  const { world, model, repositories, tags: names } = end;
  const stored = listTags(end);
  const find = (repository: string, name: string) => stored.get(repository)?.find((tag) => tag.name === name);
  for (const { repository, name, digest } of lasting.tags) {
    if (find(repository, name)?.digest !== digest) throw world.violate(`${repository} ${name} was to stay`);
  }
  for (const repository of lasting.repositories) {
    if (!stored.has(repository)) throw world.violate(`${repository} was not to be without tags`);
  }
  for (const repository of repositories) {
    const over = names.find((name) => model.isOver(repository, name) && find(repository, name));
    if (over !== undefined) throw world.violate(`${repository} ${over} was to end`);
  }
  const { rules, removers } = listRules(end);
  for (const tags of stored.values()) {
    const staysBehind = new Set(staying(tags, rules, removers, world.now));
    const doomed = tags.find((tag) => !staysBehind.has(tag));
    if (doomed) throw world.violate(`${doomed.repository} ${doomed.name} is still there, and no rule keeps it`);
  }
}
