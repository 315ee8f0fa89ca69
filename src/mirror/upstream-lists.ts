import * as v from "valibot";
import type { Context } from "../context.ts";
import { AnnotationsSchema, DescriptorSchema } from "../oci/descriptor.ts";
import type { ReferrerDescriptor } from "../oci/manifest.ts";
import { MEDIA_TYPES } from "../oci/media-type.ts";
import type { Page, PageRequest } from "../oci/page.ts";
import { isTag } from "../oci/reference.ts";
import type { MirrorAddress } from "../policy/upstream.ts";
import type { ContentReferrersQuery } from "../registry/content.ts";
import { readAnswer } from "./answer-body.ts";
import { problem } from "./transport.ts";
import { askUpstream } from "./upstream.ts";
import { UpstreamError } from "./upstream-error.ts";

/** Some registries send all tags at once. */
const LIST_MAX_BYTES = 8 * 1024 * 1024;

const TagsSchema = v.object({ tags: v.nullish(v.array(v.string())) });

const ReferrerSchema = v.object({
  ...DescriptorSchema.entries,
  mediaType: v.string(),
  artifactType: v.optional(v.string()),
  annotations: v.nullish(AnnotationsSchema),
});
const ReferrersSchema = v.object({ manifests: v.nullish(v.array(ReferrerSchema)) });

async function readJson<S extends v.GenericSchema>(
  { upstream }: MirrorAddress,
  response: Response,
  schema: S,
): Promise<v.InferOutput<S>> {
  const bytes = await readAnswer(upstream, response, LIST_MAX_BYTES);
  try {
    return v.parse(schema, JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw problem(upstream, "has a list that cannot be read", { cause });
  }
}

/** Spec end-8, of an upstream. One request. Throws UpstreamError. */
export async function listUpstreamTags(
  context: Context,
  address: MirrorAddress,
  { last, limit }: PageRequest,
): Promise<Page<string>> {
  const query = new URLSearchParams({ n: String(limit), ...(last !== "" && { last }) });
  const request = { method: "GET", path: `tags/list?${query.toString()}`, accept: "application/json" } as const;
  const response = await askUpstream(context, address, request);
  const tags = ((await readJson(address, response, TagsSchema)).tags ?? []).filter(isTag);
  const entries = tags.slice(0, limit);
  // Some pay no heed to a limit, and some say that there is more without saying what.
  const hasMore = tags.length > limit || (response.headers.has("Link") && entries.length > 0);
  return { entries, next: hasMore ? entries.at(-1) : undefined };
}

/**
 * Spec end-12, of an upstream: its first page, which for all known registries is all. One request. A registry that knows no referrers
 * has none.
 * @throws UpstreamError
 */
export async function listUpstreamReferrers(
  context: Context,
  address: MirrorAddress,
  { subject, artifactType, after }: ContentReferrersQuery,
): Promise<Page<ReferrerDescriptor>> {
  if (after !== undefined) return { entries: [], next: undefined };
  const path = `referrers/${subject}`;
  try {
    const response = await askUpstream(context, address, { method: "GET", path, accept: MEDIA_TYPES.ociIndex });
    const { manifests } = await readJson(address, response, ReferrersSchema);
    const all = (manifests ?? []).map(
      ({ mediaType, digest, size, artifactType: type, annotations }): ReferrerDescriptor => {
        return {
          mediaType,
          digest,
          size,
          ...(type !== undefined && { artifactType: type }),
          ...(annotations && { annotations }),
        };
      },
    );
    return {
      entries: artifactType === undefined ? all : all.filter((each) => each.artifactType === artifactType),
      next: undefined,
    };
  } catch (error) {
    if (error instanceof UpstreamError && error.problem === "unknown") return { entries: [], next: undefined };
    throw error;
  }
}
