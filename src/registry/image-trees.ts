import type { Context } from "../context.ts";
import { listDescendants, type TreeLimits } from "../metadata/image-trees.ts";
import type { StoredManifest } from "../metadata/manifests.ts";
import type { Digest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import type { ImageName } from "../oci/image-name.ts";
import { type Manifest, parseManifest } from "../oci/manifest.ts";
import { isIndex } from "../oci/media-type.ts";
import { findManifest, readManifest } from "./manifests.ts";

/** An index of all platforms that there are, with an attestation and a signature for each, has less than a hundred. */
const LIMITS: TreeLimits = { manifests: 500, bytes: 8 * 1024 * 1024 };

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

async function load(context: Context, stored: StoredManifest): Promise<LoadedManifest> {
  const bytes = new Uint8Array(await new Response(await readManifest(context, stored)).arrayBuffer());
  return { stored, bytes, manifest: parseManifest(bytes, stored.mediaType) };
}

/**
 * Loads what an image name stands for. One D1 query, and another one for an index; one class B operation for each manifest too large
 * for a row.
 * @throws OciError MANIFEST_UNKNOWN, NAME_UNKNOWN; REQUEST_INVALID for an index of more than fits into memory.
 */
export async function loadImageTree(context: Context, name: ImageName): Promise<ImageTree> {
  const { repository, reference } = name;
  const root = await load(context, await findManifest(context, repository, reference, true));
  const manifests = new Map([[root.stored.digest, root]]);
  if (!isIndex(root.manifest.mediaType)) return { name, root, manifests };
  const listed = await listDescendants(context.db, repository, root.stored.digest, LIMITS);
  const bytes = listed.reduce((sum, { size }) => sum + size, 0);
  if (listed.length > LIMITS.manifests || bytes > LIMITS.bytes) {
    throw new OciError("REQUEST_INVALID", { message: "the index lists too much for one archive: ask for its images" });
  }
  for (const stored of listed) manifests.set(stored.digest, await load(context, stored));
  return { name, root, manifests };
}
