import * as v from "valibot";
import { AnnotationsSchema, DescriptorSchema } from "../../src/oci/descriptor.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { MEDIA_TYPES } from "../../src/oci/media-type.ts";
import { referrersTag } from "../../src/oci/reference.ts";
import { Refusal } from "../stowage/http.ts";
import { join } from "./connection.ts";
import { getManifest, type Manifest, putManifest } from "./manifests.ts";
import { readPages } from "./pages.ts";
import { pathOf, type Repository, scopeOf } from "./repository.ts";

const ReferrerSchema = v.looseObject({
  ...DescriptorSchema.entries,
  artifactType: v.optional(v.string()),
  annotations: v.nullish(AnnotationsSchema),
});
const IndexSchema = v.looseObject({ manifests: v.nullable(v.array(ReferrerSchema)) });

/** What lists of referrers say of one. */
export type Referrer = v.InferOutput<typeof ReferrerSchema>;

/** Repositories of registries that have no API of referrers: asked once, they are not asked again. */
const withoutApi = new WeakSet<Repository>();

/** Spec end-12a: what refers to a manifest. Where the registry has no such API, what the referrers tag schema says. */
export async function listReferrers(repository: Repository, digest: Digest): Promise<readonly Referrer[]> {
  if (!withoutApi.has(repository)) {
    const listed = await askForReferrers(repository, digest);
    if (listed) return listed;
    withoutApi.add(repository);
  }
  return (await readTagged(repository, digest)).referrers;
}

async function askForReferrers(repository: Repository, digest: Digest): Promise<readonly Referrer[] | undefined> {
  const found: Referrer[] = [];
  try {
    const list = { path: pathOf(repository, `referrers/${digest}`), scope: scopeOf(repository, "pull") };
    const pages = readPages(repository.connection, { ...list, headers: { accept: MEDIA_TYPES.ociIndex } });
    for await (const { response, json } of pages) {
      const index = v.safeParse(IndexSchema, json);
      // Registries, and proxies before them, that know no such path may answer it with a page.
      if (!index.success || !join(response.headers["content-type"])?.startsWith(MEDIA_TYPES.ociIndex)) return undefined;
      found.push(...(index.output.manifests ?? []));
    }
    return found;
  } catch (error) {
    if (error instanceof Refusal && [400, 404, 405].includes(error.status)) return undefined;
    throw error;
  }
}

async function readTagged(
  repository: Repository,
  digest: Digest,
): Promise<{ index: Record<string, unknown>; referrers: readonly Referrer[] }> {
  try {
    const { bytes } = await getManifest(repository, referrersTag(digest));
    const index = v.parse(IndexSchema, JSON.parse(Buffer.from(bytes).toString()));
    return { index, referrers: index.manifests ?? [] };
  } catch (error) {
    // An image under that tag is no list.
    const isNone = error instanceof v.ValiError || (error instanceof Refusal && error.status === 404);
    if (!isNone) throw error;
    return { index: { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex }, referrers: [] };
  }
}

/**
 * Spec, "Pushing Manifests with Subject": where the registry does not list referrers itself, its clients keep the list, under
 * a tag. One at a time for each subject: the schema has no way to do it by two.
 */
export async function noteReferrer(repository: Repository, subject: Digest, manifest: Manifest): Promise<void> {
  const { index, referrers } = await readTagged(repository, subject);
  if (referrers.some(({ digest }) => digest === manifest.digest)) return;
  const { artifactType, annotations } = manifest.content;
  const referrer = {
    ...{ mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length },
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations && { annotations }),
  };
  const bytes = Buffer.from(JSON.stringify({ ...index, manifests: [...referrers, referrer] }));
  await putManifest(repository, referrersTag(subject), { mediaType: MEDIA_TYPES.ociIndex, bytes });
}
