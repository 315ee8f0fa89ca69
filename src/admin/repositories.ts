import * as v from "valibot";
import { OciError } from "../oci/error.ts";
import { parsePage } from "../oci/page.ts";
import { parseRepositoryName } from "../oci/repository-name.ts";
import { toTime } from "../oci/time.ts";
import { isRepositoryPattern, PATTERN_ADVICE } from "../policy/pattern.ts";
import type { Call } from "../protocol/call.ts";
import * as registry from "../registry/repositories.ts";
import { endpoint, pageAnswer } from "./endpoint.ts";
import { decodedName, PAGE_QUERY, TagPatternText } from "./schemas.ts";

const Visibility = v.picklist(["public", "private"], "use public or private");

const Repository = v.object({ name: v.string(), visibility: Visibility, createdAt: v.string() });

function toRepository({ name, isPublic, createdAt }: registry.ListedRepository): v.InferOutput<typeof Repository> {
  return { name, visibility: isPublic ? "public" : "private", createdAt: toTime(createdAt) };
}

export const listRepositories = endpoint(
  {
    summary: "Lists the repositories that the caller may pull.",
    query: v.strictObject(PAGE_QUERY),
    answer: v.object({ repositories: v.array(Repository) }),
  },
  async (call) => {
    const page = parsePage(call.url.searchParams);
    const { entries, next } = await registry.listRepositories(call.context, call.caller.visibility, page);
    return pageAnswer(call, { repositories: entries.map(toRepository) }, page.limit, next);
  },
);

const repositoryOf = (call: Call) => parseRepositoryName(decodedName(call));

export const showRepository = endpoint(
  {
    summary: "Shows a repository, with the sums of what it holds.",
    answer: v.object({
      ...Repository.entries,
      tags: v.number(),
      manifests: v.number(),
      size: v.pipe(v.number(), v.description("Bytes of its blobs and manifests, each counted once.")),
      immutableTags: v.array(v.object({ repository: v.string(), except: v.array(v.string()) })),
      expiringTags: v.pipe(
        v.array(v.object({ repository: v.string() })),
        v.description("The patterns by which tags such as 1h, 30m and 7d end by themselves."),
      ),
    }),
  },
  async (call) => {
    const found = await registry.describeRepository(call.context, repositoryOf(call));
    const { tags, manifests, size, immutableTags, expiringTags } = found;
    return {
      ...{ ...toRepository(found), tags, manifests, size },
      immutableTags: immutableTags.map(({ repository, exceptTags: except }) => ({ repository, except })),
      expiringTags: expiringTags.map((repository) => ({ repository })),
    };
  },
);

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
  }),
  v.check(
    ({ visibility, immutableTags, expiringTags }) =>
      visibility !== undefined || immutableTags !== undefined || expiringTags !== undefined,
    "give visibility, immutableTags, expiringTags, or more of them",
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
    }),
  },
  async (call) => {
    const repository = decodedName(call);
    if (!isRepositoryPattern(repository)) throw new OciError("NAME_INVALID", { message: PATTERN_ADVICE });
    const { visibility, immutableTags, exceptTags, expiringTags } = call.body;
    const settings = { repository, visibility, immutableTags, exceptTags: exceptTags ?? [], expiringTags };
    await registry.setRepository(call.context, settings, call.caller.actor);
    return {
      repository,
      visibility,
      immutableTags,
      expiringTags,
      ...(immutableTags && { exceptTags: settings.exceptTags }),
    };
  },
);

export const deleteRepository = endpoint(
  { summary: "Deletes a repository with all that is in it.", status: 204 },
  async (call) => {
    await registry.deleteRepository(call.context, repositoryOf(call), call.caller.actor);
  },
);
