import { digestOf, makeBytes, toBytes } from "./content.ts";
import { type Descriptor, image, OCI_CONFIG, pushBlob, pushManifest, randomBytes } from "./images.ts";
import { makeTar, type TarContent } from "./tars.ts";

/** An image as an archive may hold it. */
export interface SavedImage {
  readonly config: string;
  readonly configDigest: string;
  readonly layers: readonly { readonly bytes: Uint8Array; readonly digest: string }[];
}

export const hexOf = (digest: string): string => digest.slice(digest.indexOf(":") + 1);
export const blobName = (digest: string): string => `blobs/${digest.replace(":", "/")}`;

let seed = 70_000;

/** A layer's tar, like no other, of about so many bytes. */
export function makeLayer(size: number): Uint8Array {
  return makeTar({ file: makeBytes(size, (seed += 1)) });
}

/** An image of layers of these sizes, like no other. */
export async function makeSavedImage(
  sizes: readonly number[] = [100, 70_000],
  architecture = "amd64",
): Promise<SavedImage> {
  const layers = await Promise.all(
    sizes.map(async (size) => {
      const bytes = makeLayer(size);
      return { bytes, digest: await digestOf(bytes) };
    }),
  );
  const rootfs = { type: "layers", diff_ids: layers.map(({ digest }) => digest) };
  const config = JSON.stringify({ architecture, os: "linux", config: {}, rootfs });
  return { config, configDigest: await digestOf(config), layers };
}

/** The files of `docker save` before version 25, of images by their names: a folder for each layer, equal ones as links. */
export function oldStyle(images: Readonly<Record<string, SavedImage>>): Record<string, TarContent> {
  const files: Record<string, TarContent> = {};
  const places = new Map<string, string>();
  const list = Object.entries(images).map(([name, { config, configDigest, layers }], i) => {
    const paths = layers.map(({ bytes, digest }, layer) => {
      const folder = `${i}-${layer}-${hexOf(digest)}`;
      const known = places.get(digest);
      files[`${folder}/VERSION`] = "1.0";
      files[`${folder}/json`] = JSON.stringify({ id: folder });
      files[`${folder}/layer.tar`] = known === undefined ? bytes : { link: `../${known}` };
      places.set(digest, known ?? `${folder}/layer.tar`);
      return `${folder}/layer.tar`;
    });
    files[`${hexOf(configDigest)}.json`] = config;
    return { Config: `${hexOf(configDigest)}.json`, RepoTags: [name], Layers: paths };
  });
  return { ...files, "manifest.json": JSON.stringify(list), repositories: "{}" };
}

const OCI = "application/vnd.oci.image";

/** The manifest of an image as `docker save` writes it from version 25 on. */
export async function manifestOf({ config, configDigest, layers }: SavedImage) {
  const content = JSON.stringify({
    ...{ schemaVersion: 2, mediaType: `${OCI}.manifest.v1+json` },
    config: { mediaType: `${OCI}.config.v1+json`, digest: configDigest, size: toBytes(config).byteLength },
    layers: layers.map(({ bytes, digest }) => ({ mediaType: `${OCI}.layer.v1.tar`, digest, size: bytes.byteLength })),
  });
  const digest = await digestOf(content);
  return {
    content,
    digest,
    descriptor: { mediaType: `${OCI}.manifest.v1+json`, digest, size: toBytes(content).byteLength },
  };
}

/** The blobs of an image in a layout, its manifest among them. */
export async function layoutBlobs(image: SavedImage): Promise<Record<string, TarContent>> {
  const manifest = await manifestOf(image);
  return {
    ...Object.fromEntries(image.layers.map(({ bytes, digest }) => [blobName(digest), bytes])),
    [blobName(image.configDigest)]: image.config,
    [blobName(manifest.digest)]: manifest.content,
  };
}

export const indexJson = (manifests: readonly object[]): string => JSON.stringify({ schemaVersion: 2, manifests });

export const LAYOUT = { "oci-layout": JSON.stringify({ imageLayoutVersion: "1.0.0" }) };

/** The files of `docker save` from version 25 on: an image layout as well as what there was before. */
export async function newStyle(image: SavedImage, name: string): Promise<Record<string, TarContent>> {
  const { descriptor } = await manifestOf(image);
  const annotations = {
    "io.containerd.image.name": `docker.io/library/${name}`,
    "org.opencontainers.image.ref.name": name.split(":").at(-1),
  };
  const list = {
    Config: blobName(image.configDigest),
    RepoTags: [name],
    Layers: image.layers.map(({ digest }) => blobName(digest)),
  };
  return {
    ...(await layoutBlobs(image)),
    "index.json": indexJson([{ ...descriptor, annotations }]),
    "manifest.json": JSON.stringify([list]),
    ...LAYOUT,
  };
}

/** Pushes the config of an image that runs on an architecture, like no other. */
export async function pushConfig(repository: string, architecture: string): Promise<Descriptor> {
  const config = JSON.stringify({ architecture, os: "linux", id: crypto.randomUUID() });
  return await pushBlob(repository, config, { mediaType: OCI_CONFIG });
}

/** Pushes an image of two layers that runs on an architecture. */
export async function pushRunnable(repository: string, architecture: string, tag?: string) {
  const config = await pushConfig(repository, architecture);
  const layers = [await pushBlob(repository, randomBytes(1_000)), await pushBlob(repository, randomBytes(700))];
  return { config, layers, manifest: await pushManifest(repository, image(config, layers), tag ? { tag } : {}) };
}
