import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { MANIFEST_TYPES, digestOf } from "./registry.ts";
import type { Descriptor } from "./registry.ts";
import { emptyTar, tarOf, tarOfRandom } from "./tar.ts";

const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
const TAR_TYPE = "application/vnd.oci.image.layer.v1.tar";
const REF_NAME = "org.opencontainers.image.ref.name";

/** The size of the big layer that some clients carry. */
export const GIBIBYTE = 1024 ** 3;

/** What a layer of a made-up image holds: a small file, packed with gzip or zstd; nothing; or random bytes that stay uncompressed. */
export type LayerKind = "file" | "zstd file" | "empty" | { readonly randomBytes: number };

/** A made-up image. */
export interface ImageDescription {
  readonly layers: readonly LayerKind[];
  readonly architecture?: string;
}

/** The shapes of image that a client pushes and pulls back. */
export const IMAGE_SHAPES: readonly { readonly title: string; readonly layers: readonly LayerKind[] }[] = [
  { title: "one layer", layers: ["file"] },
  { title: "40 layers", layers: Array.from({ length: 40 }, (): LayerKind => "file") },
  { title: "an empty layer", layers: ["file", "empty"] },
];

interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: string;
}

/** Makes an OCI image layout of one image under a tag, and answers the image's descriptor. */
export async function writeImageLayout(folder: string, tag: string, image: ImageDescription): Promise<Descriptor> {
  await createLayout(folder);
  const descriptor = await addImage(folder, image);
  await writeLayoutIndex(folder, tag, descriptor);
  return descriptor;
}

/** Makes an OCI image layout of an index under a tag, with one image for each architecture. */
export async function writeIndexLayout(folder: string, tag: string, architectures: readonly string[]) {
  await createLayout(folder);
  const images: Descriptor[] = [];
  for (const architecture of architectures) {
    const image = await addImage(folder, { layers: ["file"], architecture });
    images.push({ ...image, platform: { os: "linux", architecture } });
  }
  const index = { schemaVersion: 2, mediaType: MANIFEST_TYPES.ociIndex, manifests: images };
  const descriptor = await addJson(folder, MANIFEST_TYPES.ociIndex, index);
  await writeLayoutIndex(folder, tag, descriptor);
  return { index: descriptor, images };
}

async function createLayout(folder: string): Promise<void> {
  await mkdir(join(folder, "blobs/sha256"), { recursive: true });
  await writeFile(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}

async function writeLayoutIndex(folder: string, tag: string, descriptor: Descriptor): Promise<void> {
  const tagged = { ...descriptor, annotations: { [REF_NAME]: tag } };
  await writeFile(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [tagged] }));
}

async function addImage(folder: string, image: ImageDescription): Promise<Descriptor> {
  const layers: Layer[] = [];
  for (const kind of image.layers) layers.push(await addLayer(folder, kind));
  const config = await addJson(folder, CONFIG_TYPE, {
    architecture: image.architecture ?? "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
  });
  return await addJson(folder, MANIFEST_TYPES.ociManifest, {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPES.ociManifest,
    config,
    layers: layers.map((layer) => layer.descriptor),
  });
}

async function addLayer(folder: string, kind: LayerKind): Promise<Layer> {
  if (typeof kind === "object") return await addRandomLayer(folder, kind.randomBytes);
  const tar = kind === "empty" ? emptyTar() : tarOf(`file-${randomUUID()}`, randomUUID());
  const isZstd = kind === "zstd file";
  const packed = isZstd ? zstdCompressSync(tar) : gzipSync(tar);
  const descriptor = await addBytes(folder, `${TAR_TYPE}+${isZstd ? "zstd" : "gzip"}`, packed);
  return { descriptor, diffId: digestOf(tar) };
}

/** Writes and hashes piece by piece: a big layer never lies in memory. */
async function addRandomLayer(folder: string, sizeBytes: number): Promise<Layer> {
  const unfinished = join(folder, "unfinished");
  const hash = createHash("sha256");
  let size = 0;
  const file = await open(unfinished, "w");
  try {
    for (const piece of tarOfRandom("random", sizeBytes)) {
      hash.update(piece);
      size += piece.length;
      await file.appendFile(piece);
    }
  } finally {
    await file.close();
  }
  const hex = hash.digest("hex");
  await rename(unfinished, join(folder, "blobs/sha256", hex));
  const digest = `sha256:${hex}`;
  return { descriptor: { mediaType: TAR_TYPE, digest, size }, diffId: digest };
}

function addJson(folder: string, mediaType: string, value: unknown): Promise<Descriptor> {
  return addBytes(folder, mediaType, Buffer.from(JSON.stringify(value)));
}

async function addBytes(folder: string, mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
  const digest = digestOf(bytes);
  await writeFile(join(folder, "blobs/sha256", digest.slice("sha256:".length)), bytes);
  return { mediaType, digest, size: bytes.length };
}
