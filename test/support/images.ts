import { expect } from "vitest";
import { type Algorithm, digestOf, makeBytes, toBytes } from "./content.ts";
import { expectStatus, send } from "./registry.ts";

export { type Algorithm, digestOf } from "./content.ts";

export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
export const OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json";
export const DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
export const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
export const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
export const OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Bytes that look random, the same for the same seed. */
export function randomBytes(size: number, seed = crypto.getRandomValues(new Uint32Array(1))[0]!): Uint8Array {
  return makeBytes(size, seed);
}

/** Pushes a blob in one POST, and gives its descriptor. */
export async function pushBlob(
  repository: string,
  content: Uint8Array | string,
  { mediaType = OCI_LAYER, algorithm = "sha256" }: { mediaType?: string; algorithm?: Algorithm } = {},
): Promise<Descriptor> {
  const bytes = toBytes(content);
  const digest = await digestOf(bytes, algorithm);
  await expectStatus(await send("POST", `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: bytes }), 201);
  return { mediaType, digest, size: bytes.byteLength };
}

/** An OCI image manifest of these, as an object to change. */
export function image(config: Descriptor, layers: readonly Descriptor[] = [], more: object = {}): object {
  return { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers, ...more };
}

export function index(manifests: readonly Descriptor[], more: object = {}): object {
  return { schemaVersion: 2, mediaType: OCI_INDEX, manifests, ...more };
}

/** Sends a manifest as it is. `contentType` null sends none. */
export async function putManifest(
  repository: string,
  reference: string,
  manifest: Uint8Array | string | object,
  contentType: string | null = OCI_MANIFEST,
): Promise<Response> {
  return await send("PUT", `/v2/${repository}/manifests/${reference}`, {
    body: serialise(manifest),
    headers: contentType === null ? {} : { "Content-Type": contentType },
  });
}

/** The bytes of a manifest. */
export function serialise(manifest: Uint8Array | string | object): Uint8Array {
  if (manifest instanceof Uint8Array) return manifest;
  return toBytes(typeof manifest === "string" ? manifest : JSON.stringify(manifest));
}

/** Pushes a manifest under a tag, or its digest, and gives its descriptor. */
export async function pushManifest(
  repository: string,
  manifest: object,
  { tag, algorithm = "sha256" }: { tag?: string; algorithm?: Algorithm } = {},
): Promise<Descriptor> {
  const { mediaType = OCI_MANIFEST } = manifest as { mediaType?: string };
  const bytes = serialise(manifest);
  const digest = await digestOf(bytes, algorithm);
  const response = await expectStatus(await putManifest(repository, tag ?? digest, bytes, mediaType), 201);
  expect(response.headers.get("Docker-Content-Digest")).toBe(digest);
  return { mediaType, digest, size: bytes.byteLength };
}

/** Pushes a small image with a config of its own, so that each has a digest of its own. */
export async function pushImage(
  repository: string,
  { tag, more = {} }: { tag?: string; more?: object } = {},
): Promise<Descriptor> {
  const config = await pushBlob(repository, JSON.stringify({ id: crypto.randomUUID() }), { mediaType: OCI_CONFIG });
  return await pushManifest(repository, image(config, [], more), tag === undefined ? {} : { tag });
}

/** A descriptor of something that is nowhere. */
export async function absent(mediaType = OCI_LAYER, size = 9): Promise<Descriptor> {
  return { mediaType, digest: await digestOf(crypto.randomUUID()), size };
}
