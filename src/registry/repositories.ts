import type { Context } from "../context.ts";
import { isTagHeld } from "../metadata/immutable-tags.ts";
import { WILDCARD_RULES_MAX } from "../metadata/policy.ts";
import type { Reader } from "../metadata/reader.ts";
import * as metadata from "../metadata/repositories.ts";
import type { RepositoryDetails, RepositorySummary, Visibility } from "../metadata/repositories.ts";
import * as metadataList from "../metadata/repository-list.ts";
import { type RepositoryListing, valueOf } from "../metadata/repository-list.ts";
import * as deletion from "../metadata/repository-deletion.ts";
import {
  type RepositorySettings,
  listPublicPatterns,
  saveSettings,
  TAG_RULES_MAX,
} from "../metadata/repository-settings.ts";
import { OciError } from "../oci/error.ts";
import { formatLast } from "../oci/listing.ts";
import { type Page, type PageRequest, toPage } from "../oci/page.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Action } from "../policy/action.ts";
import type { Actor } from "../policy/actor.ts";
import { contains, matchesRepository, mayOverlap } from "../policy/pattern.ts";
import { actionsIn, type Asker, unknownRepository } from "./reading.ts";
import { changing } from "./recent.ts";
import { askReplicaFor } from "./replica.ts";
import type { CountedPage } from "./tag-list.ts";

export { REPOSITORY_SORTS } from "../metadata/repository-list.ts";
export type { RepositorySummary, Visibility } from "../metadata/repositories.ts";
export type { RepositorySettings } from "../metadata/repository-settings.ts";

/** Docker's `_catalog`: one page of the names that someone may see. One D1 query. */
export async function listNames(context: Context, visibility: Visibility, page: PageRequest): Promise<Page<string>> {
  const list = async (db: Reader) => await metadata.listNames(db, visibility, page);
  const names = await askReplicaFor(context, visibility, list, ({ length }) => length === 0);
  return toPage(names, page.limit, (name) => name);
}

/** One page of the repositories that someone may see, and how many these are. One D1 round trip. */
export async function listRepositories(
  context: Context,
  visibility: Visibility,
  listing: RepositoryListing,
): Promise<CountedPage<RepositorySummary>> {
  const list = async (db: Reader) => await metadataList.listRepositories(db, visibility, listing);
  const isNothing = (found: metadataList.RepositoryPage) => found.repositories.length === 0;
  const { repositories, total } = await askReplicaFor(context, visibility, list, isNothing);
  const { sort, limit } = listing;
  const cursor = (one: RepositorySummary) => formatLast({ name: one.name, value: valueOf(one, sort) }, sort);
  return { ...toPage(repositories, limit, cursor), total };
}

/** A repository with the settings that hold for it, and what whoever asked may do with it. */
export interface DescribedRepository extends RepositoryDetails {
  readonly actions: readonly Action[];
}

/** A repository, for someone who may see it or not. One D1 round trip. Throws NAME_UNKNOWN. */
export async function describeRepository({ db }: Context, asker: Asker): Promise<DescribedRepository> {
  const { rules, found } = await metadata.findRepository(db, asker);
  const actions = actionsIn(asker, rules);
  const { repository } = asker;
  if (!found) throw unknownRepository(repository);
  const immutableTags = found.immutableTags.filter((rule) => matchesRepository(rule.repository, repository));
  return { ...found, immutableTags, actions };
}

/**
 * Changes settings, whether or not there is a repository yet that they are for. A pattern that becomes private takes all within
 * it along. Two D1 round trips at most.
 * @throws OciError NAME_UNKNOWN where there is nothing to describe; CONFLICT where the rule of another pattern would keep a repository public, or there are too many rules.
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
    case "unknown":
      throw unknownRepository(repository);
    case "full of immutable tags":
      throw tooManyRules("immutable");
    case "full of expiring tags":
      throw tooManyRules("expiring");
    case "full of wildcards":
      throw new OciError("CONFLICT", {
        message: `anyone has ${WILDCARD_RULES_MAX} rules with wildcards already: join some in a wider pattern`,
      });
  }
}

function tooManyRules(kind: "immutable" | "expiring"): OciError {
  return new OciError("CONFLICT", {
    message: `there are ${TAG_RULES_MAX} rules for ${kind} tags already: join some in a pattern`,
  });
}

/** Deletes a repository with all that is in it. One D1 round trip. Throws NAME_UNKNOWN; DENIED for an immutable tag. */
export async function deleteRepository(context: Context, name: RepositoryName, actor: Actor): Promise<void> {
  const { db, now } = context;
  try {
    const isDeleted = await changing(context, [name], deletion.deleteRepository(db, name, actor, now()));
    if (!isDeleted) throw unknownRepository(name);
  } catch (error) {
    if (!isTagHeld(error)) throw error;
    throw new OciError("DENIED", { message: `${name} has immutable tags: take away the rule that holds them first` });
  }
}
