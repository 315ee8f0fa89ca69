import * as v from "valibot";
import { previewDeletion as preview } from "../lifecycle/deletion-preview.ts";
import type { Digest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import { toListing } from "../oci/listing.ts";
import { parsePage } from "../oci/page.ts";
import type { Reference, Tag } from "../oci/reference.ts";
import { toTime, toTimeOrNull } from "../oci/time.ts";
import type { Call } from "../protocol/call.ts";
import * as registry from "../registry/tag-list.ts";
import { endpoint, pageAnswer } from "./endpoint.ts";
import { askerOf, DigestText, listQuery, RepositoryNameText, TagText, Who, whoFor } from "./schemas.ts";

const Platform = v.object({
  ...{ os: v.string(), architecture: v.string(), variant: v.optional(v.string()), digest: v.string() },
  size: v.pipe(v.number(), v.description("Bytes of what is pulled with it.")),
});

const ListedTag = v.object({
  ...{ name: v.string(), digest: v.string(), mediaType: v.string(), artifactType: v.nullable(v.string()) },
  kind: v.picklist(["image", "index", "artifact"]),
  platforms: v.pipe(v.array(Platform), v.description("Of an index 64 at most; of an image its own, if it states one.")),
  size: v.pipe(
    v.number(),
    v.description("Bytes of the manifest and of what it names; of an index, with its children."),
  ),
  ...{ updatedAt: v.string(), pushedAt: v.string(), pushedBy: Who, pulledAt: v.nullable(v.string()) },
  ...{ expiresAt: v.nullable(v.string()), immutable: v.boolean() },
});

function toTag(tag: registry.ListedTag, call: Call): v.InferOutput<typeof ListedTag> {
  const { name, digest, mediaType, kind, artifactType = null, platforms, size, isImmutable: immutable } = tag;
  const pushedBy = whoFor(call, tag.pushedBy);
  return {
    ...{ name, digest, mediaType, artifactType, kind, platforms: [...platforms], size, pushedBy, immutable },
    ...{ updatedAt: toTime(tag.updatedAt), pushedAt: toTime(tag.pushedAt) },
    ...{ pulledAt: toTimeOrNull(tag.pulledAt), expiresAt: toTimeOrNull(tag.expiresAt) },
  };
}

export const listTags = endpoint(
  {
    summary: "Lists the tags of a repository, with what each names, since when, and until when.",
    query: v.strictObject({ ...listQuery(registry.TAG_SORTS), repository: RepositoryNameText }),
    answer: v.object({ tags: v.array(ListedTag), total: v.number() }),
  },
  async (call) => {
    const listing = toListing(parsePage(call.url.searchParams, registry.TAGS_LIMIT), call.query);
    const asker = askerOf(call, call.query.repository);
    const { entries, next, total } = await registry.listTags(call.context, asker, listing);
    return pageAnswer(call, { tags: entries.map((entry) => toTag(entry, call)), total }, listing.limit, next);
  },
);

/** What is to be deleted. A query has no schema of its own for "one of the two", which would be no plain list of parameters. */
function toReference({
  tag,
  digest,
}: {
  readonly tag?: Tag | undefined;
  readonly digest?: Digest | undefined;
}): Reference {
  if (tag !== undefined && digest === undefined) return { kind: "tag", tag };
  if (digest !== undefined && tag === undefined) return { kind: "digest", digest };
  throw new OciError("REQUEST_INVALID", { message: "give either tag or digest" });
}

export const previewDeletion = endpoint(
  {
    summary: "Tells what would go with a tag, or with a manifest and its tags, once nothing needs it any more.",
    query: v.strictObject({
      ...{ repository: RepositoryNameText, tag: v.optional(TagText), digest: v.optional(DigestText) },
    }),
    answer: v.object({
      tags: v.array(v.string()),
      manifests: v.number(),
      bytes: v.pipe(
        v.number(),
        v.description("Of these manifests, and of blobs that no repository needs but for them."),
      ),
    }),
  },
  async (call) => {
    const { tags, manifests, bytes } = await preview(
      call.context,
      askerOf(call, call.query.repository),
      toReference(call.query),
    );
    return { tags, manifests: manifests.length, bytes };
  },
);
