import * as v from "valibot";
import { AnnotationsSchema, DescriptorSchema } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import { OciError } from "./error.ts";
import { isImageConfig, isIndex, isNonDistributable, MEDIA_TYPES } from "./media-type.ts";

/** What a manifest holds, as the tables name it. */
export type ReferenceRole = "config" | "layer" | "manifest";

export interface ManifestReference {
  readonly role: ReferenceRole;
  readonly digest: Digest;
  /** Bytes, as the descriptor states them. */
  readonly size: number;
  /** False for layers that clients fetch from elsewhere: they need not be here. */
  readonly distributable: boolean;
}

/** What the registry has to know of a manifest. Its bytes are kept apart, and exact. */
export interface Manifest {
  readonly mediaType: string;
  /** The type of a referrer's descriptor: `artifactType`, or the config's media type of an image that has none. */
  readonly artifactType: string | undefined;
  readonly subject: Digest | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly references: readonly ManifestReference[];
  /** The config, where it is one that may have labels. */
  readonly imageConfig: Digest | undefined;
}

const schemaVersion = v.literal(2);
/** Lists of referrers show it, and an index holds it. Far longer than any media type. */
const ARTIFACT_TYPE_MAX = 255;

/** What a transaction takes as one parameter; an image of this many layers nobody can run. */
const REFERENCES_MAX = 10_000;

/** Go's encoder writes null for an empty list. A list that is missing altogether is a mistake. */
const listOrNull = v.pipe(
  v.nullable(v.array(DescriptorSchema)),
  v.transform((list) => list ?? []),
);

const common = {
  artifactType: v.optional(
    v.pipe(v.string(), v.maxLength(ARTIFACT_TYPE_MAX, `is longer than ${ARTIFACT_TYPE_MAX} characters`)),
  ),
  subject: v.nullish(DescriptorSchema),
  annotations: v.nullish(AnnotationsSchema),
};
/** Image spec, "Image Manifest Property Descriptions", and Docker's schema 2, which is its ancestor. */
const ImageSchema = v.object({
  ...common,
  schemaVersion,
  config: DescriptorSchema,
  layers: listOrNull,
});
/** Image spec, "Image Index Property Descriptions", and Docker's manifest list. */
const IndexSchema = v.object({ ...common, schemaVersion, manifests: listOrNull });
/** The artifact manifest of the image spec's 1.1 release candidates. */
const ArtifactSchema = v.object({ ...common, blobs: v.optional(listOrNull, []) });

type Descriptor = v.InferOutput<typeof DescriptorSchema>;

function invalid(message: string, detail?: unknown): OciError {
  return new OciError("MANIFEST_INVALID", { message, detail });
}

function validate<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue) ?? "";
  throw invalid(`manifest is invalid${path === "" ? "" : ` at ${path}`}: ${issue.message}`);
}

/** Manifests are JSON, thus UTF-8. The decoder keeps a byte order mark, which JSON does not allow. */
function parseJson(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw invalid("manifest is not valid JSON in UTF-8");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid("manifest is not a JSON object");
  return value as Record<string, unknown>;
}

/** The media type of a manifest that states none, in its body or in the request, from its shape. */
function inferMediaType(json: Record<string, unknown>): string | undefined {
  if (Array.isArray(json.manifests)) return MEDIA_TYPES.ociIndex;
  if ("config" in json && (json.layers === null || Array.isArray(json.layers))) return MEDIA_TYPES.ociManifest;
  return json.manifests === null ? MEDIA_TYPES.ociIndex : undefined;
}

function determineMediaType(json: Record<string, unknown>, contentType: string | undefined): string {
  const { mediaType } = json;
  if (mediaType !== undefined && typeof mediaType !== "string") throw invalid("mediaType is not a string");
  if (mediaType !== undefined && contentType !== undefined && mediaType !== contentType) {
    // Spec, "Pushing Manifests": a client SHOULD send the mediaType as Content-Type, and what differs was mislabelled.
    throw invalid("mediaType differs from the request's Content-Type", { mediaType, contentType });
  }
  const determined = mediaType ?? contentType ?? inferMediaType(json);
  if (determined === undefined) throw invalid("manifest states no mediaType, in its body or as Content-Type");
  return determined;
}

function toReference(role: ReferenceRole, descriptor: Descriptor): ManifestReference {
  const { digest, size } = descriptor;
  return { role, digest, size, distributable: role !== "layer" || !isNonDistributable(descriptor.mediaType) };
}

function toManifest(
  mediaType: string,
  body: v.InferOutput<typeof ArtifactSchema | typeof IndexSchema | typeof ImageSchema>,
  references: readonly ManifestReference[],
  artifactType = body.artifactType,
): Omit<Manifest, "imageConfig"> {
  if (references.length > REFERENCES_MAX) throw invalid(`manifest has more than ${REFERENCES_MAX} references`);
  const { subject, annotations } = body;
  const type = isBlank(artifactType) ? undefined : artifactType;
  return { mediaType, artifactType: type, subject: subject?.digest, annotations: annotations ?? undefined, references };
}

function isBlank(text: string | undefined): boolean {
  return text === undefined || text === "";
}

/**
 * Reads a manifest of any known kind; unknown properties are the client's own.
 * @param contentType the request's Content-Type without parameters, if it had one.
 * @throws OciError MANIFEST_INVALID, saying which property is wrong.
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): Manifest {
  const json = parseJson(bytes);
  const mediaType = determineMediaType(json, contentType);
  if (isIndex(mediaType)) {
    const index = validate(IndexSchema, json);
    const references = index.manifests.map((child) => toReference("manifest", child));
    return { ...toManifest(mediaType, index, references), imageConfig: undefined };
  }
  if (mediaType === MEDIA_TYPES.ociManifest || mediaType === MEDIA_TYPES.dockerManifest) {
    const image = validate(ImageSchema, json);
    const layers = image.layers.map((layer) => toReference("layer", layer));
    // Spec, "Listing Referrers": if artifactType is empty or missing, it MUST be set to the config's mediaType.
    const artifactType = isBlank(image.artifactType) ? image.config.mediaType : image.artifactType;
    const references = [toReference("config", image.config), ...layers];
    const imageConfig = isImageConfig(image.config.mediaType) ? image.config.digest : undefined;
    return { ...toManifest(mediaType, image, references, artifactType), imageConfig };
  }
  if (mediaType === MEDIA_TYPES.ociArtifact) {
    const artifact = validate(ArtifactSchema, json);
    const references = artifact.blobs.map((blob) => toReference("layer", blob));
    return { ...toManifest(mediaType, artifact, references), imageConfig: undefined };
  }
  throw invalid("manifest has a media type that this registry does not know", {
    mediaType: mediaType.slice(0, 255),
    known: Object.values(MEDIA_TYPES).filter((known) => known !== MEDIA_TYPES.octetStream),
  });
}

/** The annotations of a manifest that was accepted before: for those too big to be kept beside it. */
export function readAnnotations(bytes: Uint8Array): Readonly<Record<string, string>> | undefined {
  return validate(v.object({ annotations: v.nullish(AnnotationsSchema) }), parseJson(bytes)).annotations ?? undefined;
}

/** A descriptor as a referrers list holds it (spec, "Listing Referrers"). */
export interface ReferrerDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}
