import type { Context } from "../context.ts";
import { listDescendants } from "../metadata/image-trees.ts";
import type { StoredManifest } from "../metadata/manifests.ts";
import type { Digest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import type { ImageName } from "../oci/image-name.ts";
import { type Manifest, parseManifest } from "../oci/manifest.ts";
import { isIndex } from "../oci/media-type.ts";
import type { ManifestMemory } from "./manifest-memory.ts";
import { findManifest, readManifest } from "./manifests.ts";

/** An index of all platforms that there are, with an attestation and a signature for each, has less than a hundred. */
const LISTED_MAX = 500;

/** A manifest with its exact bytes, and what they say. */
export interface LoadedManifest {
  readonly stored: StoredManifest;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
}

/** What an image name stands for: a manifest, and all that it lists, if it is an index. */
export interface ImageTree {
  readonly name: ImageName;
  readonly root: LoadedManifest;
  /** The root and what it lists, and what that lists, as far as the repository holds it; each once. */
  readonly manifests: ReadonlyMap<Digest, LoadedManifest>;
}

function tooMuch(message: string): OciError {
  return new OciError("REQUEST_INVALID", { message });
}

async function load(context: Context, stored: StoredManifest): Promise<LoadedManifest> {
  const bytes = new Uint8Array(await new Response(await readManifest(context, stored)).arrayBuffer());
  return { stored, bytes, manifest: parseManifest(bytes, stored.mediaType) };
}

/**
 * Loads what an image name stands for. One D1 query, and another one for an index; one class B operation for each manifest too large
 * for a row.
 * @param memory what all trees of the request may take together.
 * @throws OciError MANIFEST_UNKNOWN, NAME_UNKNOWN; REQUEST_INVALID for more than fits into memory.
 */
export async function loadImageTree(context: Context, name: ImageName, memory: ManifestMemory): Promise<ImageTree> {
  const { repository, reference } = name;
  const found = await findManifest(context, repository, reference, true);
  if (!memory.take(found.size)) throw tooMuch("the images come to too much for one archive: ask for fewer at once");
  const root = await load(context, found);
  const manifests = new Map([[root.stored.digest, root]]);
  if (!isIndex(root.manifest.mediaType)) return { name, root, manifests };
  const limits = { manifests: LISTED_MAX, bytes: memory.leftBytes };
  const listed = await listDescendants(context.db, repository, root.stored.digest, limits);
  const bytes = listed.reduce((sum, { size }) => sum + size, 0);
  if (listed.length > LISTED_MAX || !memory.take(bytes)) {
    throw tooMuch("the index lists too much for one archive: ask for its images");
  }
  for (const stored of listed) manifests.set(stored.digest, await load(context, stored));
  return { name, root, manifests };
}
