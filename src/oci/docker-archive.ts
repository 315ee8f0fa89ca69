import * as v from "valibot";
import type { Compression } from "./compression.ts";
import { type Digest, isDigest } from "./digest.ts";
import { OciError } from "./error.ts";
import { parseJsonIn } from "./image-layout.ts";
import { MEDIA_TYPES } from "./media-type.ts";

/** An image of a `docker save` archive, whose paths are those of files in it. */
export interface SavedImage {
  readonly config: string;
  readonly layers: readonly string[];
  /** As `docker images` showed it. */
  readonly names: readonly string[];
}

const path = v.pipe(v.string(), v.nonEmpty("is empty"));

/** Go writes null for an empty list. */
const paths = v.nullish(v.array(path));

const ManifestSchema = v.array(v.object({ Config: path, RepoTags: paths, Layers: paths }));

/** Reads `manifest.json`. Throws MANIFEST_INVALID. */
export function parseSavedImages(bytes: Uint8Array): SavedImage[] {
  return parseJsonIn("manifest.json", ManifestSchema, bytes).map(({ Config, RepoTags, Layers }) => ({
    ...{ config: Config, layers: Layers ?? [], names: RepoTags ?? [] },
  }));
}

const ConfigSchema = v.object({
  rootfs: v.object({ diff_ids: v.nullish(v.array(v.pipe(v.string(), v.guard(isDigest, "is not a digest")))) }),
});

/** Image spec, "Image Configuration": the digests of the layers as they are unpacked. Throws MANIFEST_INVALID. */
export function readDiffIds(bytes: Uint8Array): Digest[] {
  return parseJsonIn("the config", ConfigSchema, bytes).rootfs.diff_ids ?? [];
}

/** Content that a manifest is to refer to. */
interface Content {
  readonly digest: Digest;
  readonly size: number;
}

const DOCKER = {
  manifest: MEDIA_TYPES.dockerManifest,
  config: "application/vnd.docker.container.image.v1+json",
  layer: {
    none: "application/vnd.docker.image.rootfs.diff.tar",
    gzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  },
} as const;

const OCI = {
  manifest: MEDIA_TYPES.ociManifest,
  config: "application/vnd.oci.image.config.v1+json",
  layer: {
    none: "application/vnd.oci.image.layer.v1.tar",
    gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
    zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  },
} as const;

/**
 * The manifest of an image that came without one, its layers as they are: one of Docker's schema 2, as `docker push` would have made
 * it, which has no word for zstd; with such a layer, an OCI manifest.
 */
export function makeManifest(
  config: Content,
  layers: readonly (Content & { readonly compression: Compression })[],
): { readonly mediaType: string; readonly bytes: Uint8Array } {
  const types = layers.some(({ compression }) => compression === "zstd") ? OCI : DOCKER;
  const layerTypes: Partial<Record<Compression, string>> = types.layer;
  const manifest = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, size: config.size, digest: config.digest },
    layers: layers.map(({ digest, size, compression }) => ({ mediaType: layerTypes[compression], size, digest })),
  };
  return { mediaType: types.manifest, bytes: new TextEncoder().encode(JSON.stringify(manifest)) };
}

/** A name without what Docker leaves out, and with what it means by that: `hello:latest` for `docker.io/library/hello`. */
function familiar(name: string): string {
  const short = name.replace(/^docker\.io\/(?:library\/)?/, "");
  return /[:@][^/]*$/.test(short) ? short : `${short}:latest`;
}

/**
 * Of the images of an archive, the one that is wanted; or else the only one, or the only one that has a name.
 * @param wanted one of its names, or its id.
 * @throws OciError MANIFEST_INVALID with the names that there are.
 */
export function pickNamed<T extends { readonly id: string; readonly names: readonly string[] }>(
  images: readonly T[],
  wanted: string | undefined,
): T {
  const matches = (name: string) => name === wanted || familiar(name) === familiar(wanted ?? "");
  const fitting =
    wanted === undefined ? images : images.filter(({ id, names }) => id === wanted || names.some(matches));
  const named = fitting.filter(({ names }) => names.length > 0);
  for (const some of [fitting, named]) {
    const [first] = some;
    if (first && some.every(({ id }) => id === first.id)) return first;
  }
  const names = [...new Set(images.flatMap((image) => (image.names.length > 0 ? image.names : [image.id])))];
  const shown = names.slice(0, 20).join(", ");
  const message =
    wanted === undefined
      ? `the archive holds ${images.length} images: choose one with ?image=, of: ${shown}`
      : `the archive holds no image ${wanted.slice(0, 160)}, but: ${shown}`;
  throw new OciError("MANIFEST_INVALID", { message, detail: { images: names.slice(0, 100) } });
}
