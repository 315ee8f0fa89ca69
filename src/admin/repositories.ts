import * as v from "valibot";
import { OciError } from "../oci/error.ts";
import { toListing } from "../oci/listing.ts";
import { parsePage } from "../oci/page.ts";
import { isRepositoryName, parseRepositoryName } from "../oci/repository-name.ts";
import { toTime, toTimeOrNull } from "../oci/time.ts";
import { ACTIONS } from "../policy/action.ts";
import { isRepositoryPattern, PATTERN_ADVICE } from "../policy/pattern.ts";
import type { Call } from "../protocol/call.ts";
import * as registry from "../registry/repositories.ts";
import { endpoint, pageAnswer } from "./endpoint.ts";
import { askerOf, decodedName, listQuery, TagPatternText } from "./schemas.ts";

const Visibility = v.picklist(["public", "private"], "use public or private");

const Repository = v.object({
  ...{ name: v.string(), visibility: Visibility },
  upstream: v.pipe(v.nullable(v.string()), v.description("The upstream that it mirrors; null: it is one of our own.")),
  description: v.pipe(v.nullable(v.string()), v.description("What was set, or else what its newest image says.")),
  ...{ stars: v.number(), official: v.boolean(), tags: v.number() },
  manifests: v.pipe(v.number(), v.description("Without those that were deleted.")),
  size: v.pipe(v.number(), v.description("Bytes of its blobs and manifests, each counted once.")),
  uniqueSize: v.pipe(
    v.nullable(v.number()),
    v.description("Of these, what no other repository has; null for who may not see all repositories."),
  ),
  pushedAt: v.pipe(v.nullable(v.string()), v.description("When a manifest was last pushed.")),
  pulledAt: v.nullable(v.string()),
  pulls: v.pipe(v.number(), v.description("GETs of its manifests, but for those of the last minute.")),
  createdAt: v.string(),
});

function toRepository(found: registry.RepositorySummary, call: Call): v.InferOutput<typeof Repository> {
  const { name, upstream, isPublic, description, stars, isOfficial: official, tags, manifests, size, pulls } = found;
  // What is shared with repositories that one may not see would say what they hold.
  const uniqueSize = call.caller.visibility === "all" ? found.uniqueSize : null;
  const visibility = isPublic ? "public" : "private";
  return {
    ...{ name, visibility, upstream, description, stars, official, tags, manifests, size, uniqueSize },
    ...{ pushedAt: toTimeOrNull(found.pushedAt), pulledAt: toTimeOrNull(found.pulledAt), pulls },
    createdAt: toTime(found.createdAt),
  };
}

export const listRepositories = endpoint(
  {
    summary: "Lists the repositories that the caller may pull.",
    query: v.strictObject(listQuery(registry.REPOSITORY_SORTS)),
    answer: v.object({ repositories: v.array(Repository), total: v.number() }),
  },
  async (call) => {
    const listing = toListing(parsePage(call.url.searchParams), call.query);
    const { entries, next, total } = await registry.listRepositories(call.context, call.caller.visibility, listing);
    return pageAnswer(
      call,
      { repositories: entries.map((entry) => toRepository(entry, call)), total },
      listing.limit,
      next,
    );
  },
);

const repositoryOf = (call: Call) => parseRepositoryName(decodedName(call));

export const showRepository = endpoint(
  {
    summary: "Shows a repository, what it holds, and what the caller may do with it.",
    answer: v.object({
      ...Repository.entries,
      actions: v.pipe(v.array(v.picklist(ACTIONS)), v.description("What the caller may do.")),
      immutableTags: v.array(v.object({ repository: v.string(), except: v.array(v.string()) })),
      expiringTags: v.pipe(
        v.array(v.object({ repository: v.string() })),
        v.description("The patterns by which tags such as 1h, 30m and 7d end by themselves."),
      ),
      hasReadme: v.boolean(),
    }),
  },
  async (call) => {
    const found = await registry.describeRepository(call.context, askerOf(call, repositoryOf(call)));
    const { actions, immutableTags, expiringTags, hasReadme } = found;
    return {
      ...{ ...toRepository(found, call), actions },
      immutableTags: immutableTags.map(({ repository, exceptTags: except }) => ({ repository, except })),
      expiringTags: expiringTags.map((repository) => ({ repository })),
      hasReadme,
    };
  },
);

/** A line or two. */
const DESCRIPTION_MAX = 300;

const STARS_MAX = 1_000_000_000;
const STARS_ADVICE = `use a whole number from 0 to ${STARS_MAX}`;

const Settings = v.pipe(
  v.strictObject({
    visibility: v.optional(Visibility),
    immutableTags: v.optional(v.boolean("use true or false")),
    expiringTags: v.optional(
      v.pipe(v.boolean("use true or false"), v.description("Whether tags such as 1h, 30m and 7d end by themselves.")),
    ),
    exceptTags: v.optional(
      v.pipe(
        v.array(TagPatternText),
        v.maxLength(100, "give at most 100 tag patterns"),
        v.description("Tags that move all the same."),
      ),
    ),
    description: v.optional(
      v.pipe(
        v.string("give the description as a text"),
        v.maxLength(DESCRIPTION_MAX, `give at most ${DESCRIPTION_MAX} characters`),
        v.description("What it is, in a line or two, of one repository that is there; an empty one goes."),
      ),
    ),
    stars: v.optional(
      v.pipe(
        v.number(STARS_ADVICE),
        v.integer(STARS_ADVICE),
        v.minValue(0, STARS_ADVICE),
        v.maxValue(STARS_MAX, STARS_ADVICE),
        v.description("What searches show, of one repository that is there."),
      ),
    ),
    official: v.optional(
      v.pipe(v.boolean("use true or false"), v.description("Whether searches show one repository as official.")),
    ),
  }),
  v.check(
    (settings) => Object.values(settings).some((setting) => setting !== undefined),
    "give visibility, immutableTags, expiringTags, description, stars, official, or more of them",
  ),
  v.check(
    ({ immutableTags, exceptTags }) => exceptTags === undefined || immutableTags === true,
    "exceptTags goes with immutableTags: true",
  ),
);

export const setRepository = endpoint(
  {
    summary: "Changes settings of a repository, or of all of a pattern, those to come included.",
    body: Settings,
    answer: v.object({
      repository: v.string(),
      visibility: v.optional(Visibility),
      immutableTags: v.optional(v.boolean()),
      expiringTags: v.optional(v.boolean()),
      exceptTags: v.optional(v.array(v.string())),
      description: v.optional(v.string()),
      stars: v.optional(v.number()),
      official: v.optional(v.boolean()),
    }),
  },
  async (call) => {
    const repository = decodedName(call);
    if (!isRepositoryPattern(repository)) throw new OciError("NAME_INVALID", { message: PATTERN_ADVICE });
    const { visibility, immutableTags, exceptTags, expiringTags, description, stars, official } = call.body;
    const ofOne = Object.entries({ description, stars, official }).find(([, value]) => value !== undefined);
    if (ofOne && !isRepositoryName(repository)) {
      throw new OciError("REQUEST_INVALID", { message: `${ofOne[0]}: one repository has one, and a pattern none` });
    }
    const settings = {
      ...{ repository, visibility, immutableTags, exceptTags: exceptTags ?? [], expiringTags },
      ...{ description, stars, official },
    };
    await registry.setRepository(call.context, settings, call.caller.actor);
    return {
      repository,
      visibility,
      immutableTags,
      expiringTags,
      ...(immutableTags && { exceptTags: settings.exceptTags }),
      ...{ description, stars, official },
    };
  },
);

export const deleteRepository = endpoint(
  { summary: "Deletes a repository with all that is in it.", status: 204 },
  async (call) => {
    await registry.deleteRepository(call.context, repositoryOf(call), call.caller.actor);
  },
);
