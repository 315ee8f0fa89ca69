import type { Context } from "../context.ts";
import { type ImmutableTagsRule, isTagHeld, listImmutableTags } from "../metadata/immutable-tags.ts";
import { WILDCARD_RULES_MAX } from "../metadata/policy.ts";
import type { Reader } from "../metadata/reader.ts";
import * as metadata from "../metadata/repositories.ts";
import type { ListedRepository, RepositorySummary, Visibility } from "../metadata/repositories.ts";
import * as deletion from "../metadata/repository-deletion.ts";
import {
  IMMUTABLE_TAGS_RULES_MAX,
  type RepositorySettings,
  listPublicPatterns,
  saveSettings,
} from "../metadata/repository-settings.ts";
import { OciError } from "../oci/error.ts";
import { type Page, type PageRequest, toPage } from "../oci/page.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Actor } from "../policy/actor.ts";
import { contains, matchesRepository, mayOverlap } from "../policy/pattern.ts";
import { changing } from "./recent.ts";
import { listFromReplica } from "./replica.ts";

export type { ListedRepository, Visibility } from "../metadata/repositories.ts";
export type { RepositorySettings } from "../metadata/repository-settings.ts";

/** Docker's `_catalog`: one page of the names that someone may see. One D1 query. */
export async function listNames(context: Context, visibility: Visibility, page: PageRequest): Promise<Page<string>> {
  const names = await listFromReplica(context, async (db) => await metadata.listNames(db, visibility, page));
  return toPage(names, page.limit, (name) => name);
}

/** One page of the repositories that someone may see. One D1 query. */
export async function listRepositories(
  context: Context,
  visibility: Visibility,
  page: PageRequest,
): Promise<Page<ListedRepository>> {
  const list = async (db: Reader) => await metadata.listRepositories(db, visibility, page);
  return toPage(await listFromReplica(context, list), page.limit, ({ name }) => name);
}

/** A repository, what it holds, and the rules that make its tags immutable. */
export interface RepositoryDetails extends RepositorySummary {
  readonly immutableTags: readonly ImmutableTagsRule[];
}

/** Two D1 queries, which read all rows of the repository. Throws NAME_UNKNOWN. */
export async function describeRepository({ db }: Context, name: RepositoryName): Promise<RepositoryDetails> {
  const [summary, rules] = await Promise.all([metadata.findRepository(db, name), listImmutableTags(db)]);
  if (!summary) throw new OciError("NAME_UNKNOWN", { detail: { name } });
  return { ...summary, immutableTags: rules.filter(({ repository }) => matchesRepository(repository, name)) };
}

/**
 * Changes settings, whether or not there is a repository yet that they are for. A pattern that becomes private takes all within
 * it along. Two D1 round trips at most.
 * @throws OciError CONFLICT where the rule of another pattern would keep a repository public, or there are too many rules.
 */
export async function setRepository({ db, now }: Context, settings: RepositorySettings, actor: Actor): Promise<void> {
  const { repository } = settings;
  const publicPatterns = settings.visibility === "private" ? await listPublicPatterns(db, repository) : [];
  const elsewhere = publicPatterns.find((other) => !contains(repository, other) && mayOverlap(repository, other));
  if (elsewhere !== undefined) {
    throw new OciError("CONFLICT", {
      message: `${repository} would stay public, or some of it, by the rule for ${elsewhere}: make that private first`,
      detail: { repository: elsewhere },
    });
  }
  const within = publicPatterns.filter((other) => contains(repository, other));
  switch (await saveSettings(db, settings, within, actor, now())) {
    case "saved":
      return;
    case "full of immutable tags":
      throw new OciError("CONFLICT", {
        message: `there are ${IMMUTABLE_TAGS_RULES_MAX} rules for immutable tags already: join some in a pattern`,
      });
    case "full of wildcards":
      throw new OciError("CONFLICT", {
        message: `anyone has ${WILDCARD_RULES_MAX} rules with wildcards already: join some in a wider pattern`,
      });
  }
}

/** Deletes a repository with all that is in it. One D1 round trip. Throws NAME_UNKNOWN; DENIED for an immutable tag. */
export async function deleteRepository(context: Context, name: RepositoryName, actor: Actor): Promise<void> {
  const { db, now } = context;
  try {
    const isDeleted = await changing(context, [name], deletion.deleteRepository(db, name, actor, now()));
    if (!isDeleted) throw new OciError("NAME_UNKNOWN", { detail: { name } });
  } catch (error) {
    if (!isTagHeld(error)) throw error;
    throw new OciError("DENIED", { message: `${name} has immutable tags: take away the rule that holds them first` });
  }
}
