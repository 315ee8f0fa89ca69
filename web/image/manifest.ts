import * as v from "valibot";
import { isImageConfig, isIndex } from "../../src/oci/media-type.ts";

// Manifests as the page reads them. The registry has looked at what it must; all else is whatever somebody pushed, so that what is not
// as it should be counts as absent.

const Annotations = v.fallback(v.record(v.string(), v.string()), {});

const PlatformSchema = v.object({
  os: v.string(),
  architecture: v.string(),
  variant: v.fallback(v.optional(v.string()), undefined),
  "os.version": v.fallback(v.optional(v.string()), undefined),
});

const DescriptorSchema = v.object({
  mediaType: v.string(),
  digest: v.string(),
  size: v.number(),
  artifactType: v.fallback(v.optional(v.string()), undefined),
  annotations: Annotations,
  platform: v.fallback(v.optional(PlatformSchema), undefined),
});

/** Image spec, "Descriptor". */
export type Descriptor = v.InferOutput<typeof DescriptorSchema>;

const Descriptors = v.fallback(v.nullish(v.array(DescriptorSchema)), undefined);

const ManifestSchema = v.object({
  artifactType: v.fallback(v.optional(v.string()), undefined),
  config: v.fallback(v.optional(DescriptorSchema), undefined),
  layers: Descriptors,
  blobs: Descriptors,
  manifests: Descriptors,
  subject: v.fallback(v.nullish(DescriptorSchema), undefined),
  annotations: Annotations,
});

/** A manifest of any kind. */
export interface Manifest {
  /** An artifact is what no runtime runs: a chart, an SBOM, files. */
  readonly kind: "image" | "index" | "artifact";
  readonly mediaType: string;
  /** What an artifact is: its `artifactType`, or its config's media type. */
  readonly artifactType: string | undefined;
  readonly config: Descriptor | undefined;
  /** Layers of an image, files of an artifact. */
  readonly layers: readonly Descriptor[];
  /** Children of an index. */
  readonly manifests: readonly Descriptor[];
  readonly subject: Descriptor | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A manifest with what the registry says of it. */
export interface StoredManifest extends Manifest {
  readonly digest: string;
  /** Its own bytes, without what it names. */
  readonly size: number;
  readonly text: string;
}

/** Reads a manifest that the registry took. Throws for what is no JSON object. */
export function parseManifest(text: string, mediaType: string): Manifest {
  const { manifests, layers, blobs, config, subject, annotations, artifactType } = v.parse(
    ManifestSchema,
    JSON.parse(text),
  );
  const files = layers ?? blobs ?? [];
  return {
    kind: isIndex(mediaType) ? "index" : isRunnable(config, files, artifactType) ? "image" : "artifact",
    mediaType,
    artifactType: artifactType !== undefined && artifactType !== "" ? artifactType : config?.mediaType,
    ...{ config, layers: files, manifests: manifests ?? [], subject: subject ?? undefined, annotations },
  };
}

/** BuildKit's attestations, and artifacts of tools before OCI 1.1, have an image's config and layers that are none. */
function isRunnable(config: Descriptor | undefined, layers: readonly Descriptor[], artifactType: string | undefined) {
  if (config === undefined || !isImageConfig(config.mediaType)) return false;
  if (artifactType !== undefined && artifactType !== "" && !isImageConfig(artifactType)) return false;
  return layers.length === 0 || layers.some(({ mediaType }) => isLayer(mediaType));
}

const ARCHIVE = /[.+]tar([.+](gzip|gz|zstd))?$/;

/** True for what can be looked into. */
export const isArchive = (mediaType: string): boolean => ARCHIVE.test(mediaType);

const LAYER = /^application\/vnd\.(oci\.image\.layer\.|docker\.image\.rootfs\.)/;

/** True for the file systems that images are made of. */
export const isLayer = (mediaType: string): boolean => LAYER.test(mediaType);

/** Bytes of an image: config and layers, each once, and the manifest itself. */
export function sizeOf({ size, config, layers }: StoredManifest): number {
  const sizes = new Map([...(config ? [config] : []), ...layers].map((descriptor) => [descriptor.digest, descriptor]));
  return [...sizes.values()].reduce((sum, descriptor) => sum + descriptor.size, size);
}
