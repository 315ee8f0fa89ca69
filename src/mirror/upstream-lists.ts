import * as v from "valibot";
import type { Context } from "../context.ts";
import { AnnotationsSchema, DescriptorSchema } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { ReferrerDescriptor } from "../oci/manifest.ts";
import { MEDIA_TYPES, parseContentType } from "../oci/media-type.ts";
import type { Page, PageRequest } from "../oci/page.ts";
import { isTag, referrersTag } from "../oci/reference.ts";
import type { MirrorAddress } from "../policy/upstream.ts";
import type { ContentReferrersQuery } from "../registry/content.ts";
import { readAnswer } from "./answer-body.ts";
import { problem } from "./transport.ts";
import { askUpstream } from "./upstream.ts";
import { UpstreamError } from "./upstream-error.ts";
import { getManifest } from "./upstream-manifests.ts";

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

/** The order in which our own tags are listed: spec, "Listing Tags", case-insensitive. */
function compareTags(a: string, b: string): number {
  const key = (tag: string) => `${tag.toLowerCase()} ${tag}`;
  return key(a) < key(b) ? -1 : Number(key(a) > key(b));
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
  const hasLink = response.headers.has("Link");
  // Some pay no heed to what is asked for, and send all, in any order: then pages are ours to make.
  const isAll = tags.length > limit || (!hasLink && (last === "" || tags.some((tag) => tag === last)));
  if (isAll) {
    const rest = tags.filter((tag) => last === "" || compareTags(tag, last) > 0).sort(compareTags);
    return { entries: rest.slice(0, limit), next: rest.length > limit ? rest[limit - 1] : undefined };
  }
  // Some say that there is more without saying what.
  const end = tags.at(-1);
  return { entries: tags, next: hasLink && end !== last ? end : undefined };
}

/**
 * Spec end-12, of an upstream: its first page, which for all known registries is all; of a registry that has no such API, as not all have,
 * what the referrers tag schema says, since no client looks there once it was given an empty list. One request, or two.
 * @throws UpstreamError
 */
export async function listUpstreamReferrers(
  context: Context,
  address: MirrorAddress,
  { subject, artifactType, after }: ContentReferrersQuery,
): Promise<Page<ReferrerDescriptor>> {
  if (after !== undefined) return { entries: [], next: undefined };
  const all =
    (await unlessUnknown(askForReferrers(context, address, subject))) ??
    (await unlessUnknown(readReferrersTag(context, address, subject))) ??
    [];
  const entries = artifactType === undefined ? all : all.filter((each) => each.artifactType === artifactType);
  return { entries, next: undefined };
}

/** Undefined for what the upstream does not have, or does not do. */
async function unlessUnknown<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof UpstreamError && ["unknown", "refused"].includes(error.problem)) return undefined;
    throw error;
  }
}

/** Undefined where the answer is another: registries, and proxies before them, that know no such path may answer it with a page. */
async function askForReferrers(
  context: Context,
  address: MirrorAddress,
  subject: Digest,
): Promise<ReferrerDescriptor[] | undefined> {
  const request = { method: "GET", path: `referrers/${subject}`, accept: MEDIA_TYPES.ociIndex } as const;
  const response = await askUpstream(context, address, request);
  if (parseContentType(response.headers.get("Content-Type")) !== MEDIA_TYPES.ociIndex) {
    await response.body?.cancel().catch(() => undefined);
    return undefined;
  }
  return toReferrers(await readJson(address, response, ReferrersSchema));
}

async function readReferrersTag(
  context: Context,
  address: MirrorAddress,
  subject: Digest,
): Promise<ReferrerDescriptor[]> {
  const tag = { kind: "tag", tag: referrersTag(subject) } as const;
  const { bytes } = await getManifest(context, address, tag);
  try {
    return toReferrers(v.parse(ReferrersSchema, JSON.parse(new TextDecoder().decode(bytes))));
  } catch {
    // What is under that tag is no list.
    return [];
  }
}

function toReferrers({ manifests }: v.InferOutput<typeof ReferrersSchema>): ReferrerDescriptor[] {
  return (manifests ?? []).map(({ mediaType, digest, size, artifactType, annotations }) => {
    return {
      ...{ mediaType, digest, size },
      ...(artifactType !== undefined && { artifactType }),
      ...(annotations && { annotations }),
    };
  });
}
