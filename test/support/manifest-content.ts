import { digestOf } from "./content.ts";

const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX = "application/vnd.oci.image.index.v1+json";

export interface Descriptor {
  readonly digest: string;
  readonly size: number;
}

/** A manifest as its exact bytes. */
export interface ManifestContent extends Descriptor {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

async function toContent(mediaType: string, json: object): Promise<ManifestContent> {
  const bytes = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, mediaType, ...json }));
  return { mediaType, bytes, digest: await digestOf(bytes), size: bytes.byteLength };
}

/** An image manifest of the first blob as its config and all others as layers. */
export async function makeImage(
  [config, ...layers]: readonly Descriptor[],
  extras: Readonly<Record<string, unknown>> = {},
): Promise<ManifestContent> {
  return await toContent(OCI_MANIFEST, {
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
    layers: layers.map((layer) => ({ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...layer })),
    ...extras,
  });
}

/** An index of images. */
export async function makeIndex(children: readonly ManifestContent[]): Promise<ManifestContent> {
  return await toContent(OCI_INDEX, {
    manifests: children.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  });
}

/** What makes a manifest a referrer of another. */
export function referringTo({ mediaType, digest, size }: ManifestContent): { readonly subject: object } {
  return { subject: { mediaType, digest, size } };
}

/** What makes a manifest too big for a row: an annotation of a megabyte. */
export const TOO_BIG_FOR_A_ROW = { annotations: { "test.padding": "x".repeat(1_000_000) } };
