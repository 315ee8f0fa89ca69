import * as v from "valibot";
import { type Digest, digestAlgorithm, digestHex, isDigest } from "./digest.ts";
import { OciError } from "./error.ts";
import { MEDIA_TYPES } from "./media-type.ts";
import type { Platform } from "./platform.ts";

/** Image spec, "Image Layout Specification". */
export const LAYOUT_FILE = "oci-layout";
export const INDEX_FILE = "index.json";
/** What `docker save` writes beside it, or instead of it. */
export const DOCKER_MANIFEST_FILE = "manifest.json";

/** By these an index names an image: with its tag, and, as containerd and Docker have it, in full. */
export const REF_NAME = "org.opencontainers.image.ref.name";
export const IMAGE_NAME = "io.containerd.image.name";

/** Where content lies in a layout: `blobs/<algorithm>/<hex>`. */
export function blobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

/** An image as an archive's index lists it. */
export interface LayoutEntry {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: Platform | undefined;
  /** Undefined for an image that has no tag. */
  readonly names?: { readonly ref: string; readonly full: string } | undefined;
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** The content of {@link LAYOUT_FILE}. */
export function layoutFile(): Uint8Array {
  return json({ imageLayoutVersion: "1.0.0" });
}

/** The content of {@link INDEX_FILE}. */
export function indexFile(entries: readonly LayoutEntry[]): Uint8Array {
  const manifests = entries.map(({ mediaType, digest, size, platform, names }) => ({
    ...{ mediaType, digest, size, platform },
    annotations: names && { [IMAGE_NAME]: names.full, [REF_NAME]: names.ref },
  }));
  return json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests });
}

/** An image as {@link DOCKER_MANIFEST_FILE} lists it. */
export interface DockerEntry {
  readonly config: Digest;
  readonly layers: readonly Digest[];
  /** As `docker images` shows it; undefined for an image that has no tag. */
  readonly name: string | undefined;
}

/** The content of {@link DOCKER_MANIFEST_FILE}. */
export function dockerManifestFile(entries: readonly DockerEntry[]): Uint8Array {
  return json(
    entries.map(({ config, layers, name }) => ({
      Config: blobPath(config),
      RepoTags: name === undefined ? null : [name],
      Layers: layers.map(blobPath),
    })),
  );
}

/** A file of an archive as JSON of this shape. Throws MANIFEST_INVALID, which names the file. */
export function parseJsonIn<S extends v.GenericSchema>(file: string, schema: S, bytes: Uint8Array): v.InferOutput<S> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw new OciError("MANIFEST_INVALID", { message: `${file} of the archive is not valid JSON` });
  }
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new OciError("MANIFEST_INVALID", {
    message: `${file} of the archive is invalid at ${v.getDotPath(issue) ?? "its top"}: ${issue.message}`,
  });
}

/** A manifest that an index lists, in an archive that came in. */
export interface ListedManifest {
  readonly id: Digest;
  readonly mediaType: string | undefined;
  readonly names: readonly string[];
}

const ListSchema = v.object({
  manifests: v.nullish(
    v.array(
      v.object({
        digest: v.pipe(v.string(), v.guard(isDigest, "is not a sha256 or sha512 digest")),
        mediaType: v.optional(v.string()),
        annotations: v.nullish(v.record(v.string(), v.string())),
      }),
    ),
  ),
});

/** What an index lists, be it the archive's own, with the names that it gives it. Throws MANIFEST_INVALID, which names the file. */
export function parseListed(file: string, bytes: Uint8Array): ListedManifest[] {
  return (parseJsonIn(file, ListSchema, bytes).manifests ?? []).map(({ digest, mediaType, annotations }) => {
    const names = [annotations?.[IMAGE_NAME], annotations?.[REF_NAME]];
    return { id: digest, mediaType, names: names.filter((name) => name !== undefined) };
  });
}
