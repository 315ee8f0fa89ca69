import { createHash, randomBytes } from "node:crypto";
import { expect, inject } from "vitest";

// Fresh names for each file and run: the registry under test may be one that already holds things.
const PREFIX = `e2e-${randomBytes(4).toString("hex")}`;

/** Every media type that a manifest may come in. */
export const MANIFEST_TYPES = {
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
} as const;

/** The registry under test. */
export const registry = inject("registry");

/** A descriptor as manifests hold it; only what the tests read. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest or index; only what the tests read. */
export interface ManifestContent {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
  readonly subject?: Descriptor;
}

/** A manifest as the registry serves it. */
export interface ServedManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly content: ManifestContent;
}

/** A repository name that no other file or run uses. */
export function repositoryName(name: string): string {
  return `${PREFIX}/${name}`;
}

/** An image name as clients write it. `reference` is `:tag` or `@digest`, or empty. */
export function imageName(repository: string, reference = ""): string {
  return `${registry.host}/${repository}${reference}`;
}

/** A request to the registry itself, past every client, with the account's Basic credentials. */
export function requestRegistry(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: Uint8Array<ArrayBuffer>,
): Promise<Response> {
  const credentials = Buffer.from(`${registry.username}:${registry.password}`).toString("base64");
  return fetch(`${registry.url}/v2/${path}`, {
    method,
    headers: { ...headers, authorization: `Basic ${credentials}` },
    body: body ?? null,
  });
}

/** The status of a manifest in the registry: 200 while it is there, 404 when it is not. */
export async function manifestStatus(repository: string, reference: string): Promise<number> {
  const response = await requestRegistry("HEAD", `${repository}/manifests/${reference}`, acceptAllManifests());
  return response.status;
}

/** Reads a manifest from the registry and checks that its bytes have the digest that the registry states. */
export async function fetchManifest(repository: string, reference: string): Promise<ServedManifest> {
  const response = await requestRegistry("GET", `${repository}/manifests/${reference}`, acceptAllManifests());
  expect(response.status, `GET ${repository}/manifests/${reference}`).toBe(200);
  const digest = response.headers.get("docker-content-digest") ?? "";
  const bytes = new Uint8Array(await response.arrayBuffer());
  expect(digestOf(bytes, digest.split(":")[0] ?? "")).toBe(digest);
  return {
    digest,
    mediaType: response.headers.get("content-type") ?? "",
    content: JSON.parse(new TextDecoder().decode(bytes)) as ManifestContent,
  };
}

/** The tags of a repository, as the registry lists them. */
export async function listTags(repository: string): Promise<readonly string[]> {
  const response = await requestRegistry("GET", `${repository}/tags/list`);
  const { tags } = (await response.json()) as { tags?: readonly string[] | null };
  return tags ?? [];
}

/** The digest of bytes, written as the registry writes it. */
export function digestOf(bytes: Uint8Array, algorithm = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

function acceptAllManifests(): Record<string, string> {
  return { accept: Object.values(MANIFEST_TYPES).join(", ") };
}
