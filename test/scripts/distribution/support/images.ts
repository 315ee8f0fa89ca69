import { digestOf, type MemoryRegistry } from "./memory-registry.ts";

export const TYPES = {
  image: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
} as const;

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** What a manifest may have beside its content. */
interface ImageOptions {
  readonly tag?: string;
  readonly architecture?: string;
  readonly subject?: Descriptor;
}

/** Puts content into a repository, so that a test has something to copy. */
export class Images {
  readonly #registry: MemoryRegistry;
  readonly #name: string;

  constructor(registry: MemoryRegistry, name: string) {
    this.#registry = registry;
    this.#name = name;
  }

  blob(content: string, mediaType: string = TYPES.layer): Descriptor {
    const bytes = Buffer.from(content);
    const digest = digestOf(bytes);
    this.#registry.repository(this.#name).blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  image(layers: readonly string[], { tag, architecture = "amd64", subject }: ImageOptions = {}): Descriptor {
    const config = this.blob(JSON.stringify({ os: "linux", architecture, layers }), TYPES.config);
    const content = { config, layers: layers.map((layer) => this.blob(layer)), ...(subject && { subject }) };
    return this.manifest({ mediaType: TYPES.image, ...content }, tag);
  }

  index(manifests: readonly object[], tag?: string): Descriptor {
    return this.manifest({ mediaType: TYPES.index, manifests }, tag);
  }

  manifest(content: { readonly mediaType: string; readonly [property: string]: unknown }, tag?: string): Descriptor {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, ...content }));
    const digest = digestOf(bytes);
    const { manifests, tags } = this.#registry.repository(this.#name);
    manifests.set(digest, { type: content.mediaType, bytes });
    if (tag !== undefined) tags.set(tag, digest);
    return { mediaType: content.mediaType, digest, size: bytes.length };
  }
}

/** An index of two images, signed, with an SBOM of the signature. What came to be. */
export function addSignedIndex(registry: MemoryRegistry, name: string, tag: string) {
  const images = new Images(registry, name);
  const amd64 = images.image(["base", `${tag} amd64`]);
  const arm64 = images.image(["base", `${tag} arm64`], { architecture: "arm64" });
  const of = (image: Descriptor, architecture: string) => ({ ...image, platform: { os: "linux", architecture } });
  const index = images.index([of(amd64, "amd64"), of(arm64, "arm64")], tag);
  const signature = images.image([`signature of ${index.digest}`], { subject: index });
  const sbom = images.image([`what ${signature.digest} consists of`], { subject: signature });
  return { index, amd64, arm64, signature, sbom };
}
