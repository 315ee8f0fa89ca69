import { ask, inPath, nextPage } from "../api.ts";
import { MEDIA_TYPES } from "../../src/oci/media-type.ts";
import { type ImageConfig, parseImageConfig } from "./config.ts";
import { type Descriptor, parseManifest, type StoredManifest } from "./manifest.ts";

const { octetStream, ...MANIFESTS } = MEDIA_TYPES;
const ACCEPT = Object.values(MANIFESTS).join(", ");

/** Configs are small; what is larger is somebody's data, and is not looked into. */
const CONFIG_MAX_BYTES = 4_000_000;

/** Pages of referrers that are read, of up to 1,000 each. */
const REFERRER_PAGES_MAX = 10;

/** The scope in which a repository is read. */
export const pullScope = (name: string): string => `repository:${name}:pull`;

/** The address of a blob. */
export const blobPath = (name: string, digest: string): string => `/v2/${inPath(name)}/blobs/${digest}`;

/** GET of a manifest by its tag or digest. The registry's answer is what was pushed, byte by byte. */
export async function readManifest(name: string, reference: string, signal: AbortSignal): Promise<StoredManifest> {
  const path = `/v2/${inPath(name)}/manifests/${encodeURIComponent(reference)}`;
  const response = await ask(path, { scope: pullScope(name), headers: { Accept: ACCEPT }, signal });
  const bytes = await response.arrayBuffer();
  const text = new TextDecoder().decode(bytes);
  const mediaType = response.headers.get("Content-Type") ?? octetStream;
  const digest = response.headers.get("Docker-Content-Digest") ?? reference;
  return { ...parseManifest(text, mediaType), digest, size: bytes.byteLength, text };
}

/** A config as text, and what an image's says. */
export interface StoredConfig {
  readonly text: string;
  readonly image: ImageConfig | undefined;
}

/** GET of a config; undefined for one that is too large to be one. */
export async function readConfig(
  name: string,
  { digest, size }: Descriptor,
  signal: AbortSignal,
): Promise<StoredConfig | undefined> {
  if (size > CONFIG_MAX_BYTES) return undefined;
  const response = await ask(blobPath(name, digest), { scope: pullScope(name), signal });
  const text = await response.text();
  return { text, image: parseImageConfig(text) };
}

/** All that refers to a digest, over the pages of the list. */
export async function readReferrers(name: string, digest: string, signal: AbortSignal): Promise<readonly Descriptor[]> {
  let path: string | undefined = `/v2/${inPath(name)}/referrers/${digest}`;
  const referrers: Descriptor[] = [];
  for (let page = 0; path !== undefined && page < REFERRER_PAGES_MAX; page += 1) {
    const response: Response = await ask(path, { scope: pullScope(name), signal });
    referrers.push(...parseManifest(await response.text(), MEDIA_TYPES.ociIndex).manifests);
    const next = nextPage(response);
    path = next && next.pathname + next.search;
  }
  return referrers;
}

/** Fetches a blob and gives it to the browser to keep as a file: a plain link would come without the session. */
export async function downloadBlob(name: string, { digest }: Descriptor, filename: string): Promise<void> {
  const response = await ask(blobPath(name, digest), { scope: pullScope(name) });
  // Of no type that a browser would show: somebody's HTML must not become a page of this origin.
  const file = new Blob([await response.blob()], { type: octetStream });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = filename;
  link.click();
  // Some browsers begin a little later.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
