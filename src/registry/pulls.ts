import type { Context } from "../context.ts";
import * as metadata from "../metadata/manifests.ts";
import type { StoredManifest } from "../metadata/manifests.ts";
import type { Reference } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { foundOr } from "./blobs.ts";
import { findManifest } from "./manifests.ts";
import { findInReplica } from "./replica.ts";

/**
 * Spec end-3, for who can only pull: what a tag or digest names, or did so a moment ago, as the settings have it; with its text.
 * No D1 query where this isolate was told it a moment ago, else one; two where a replica does not know it. Throws
 * MANIFEST_UNKNOWN, NAME_UNKNOWN.
 *
 * Who may push is told by {@link findManifest}, which is never old: what one sees, one may be about to rely on.
 */
export async function pullManifest(
  context: Context,
  repository: RepositoryName,
  reference: Reference,
): Promise<StoredManifest> {
  const { recent, config, now } = context;
  const askedAt = now();
  const ageMs = reference.kind === "tag" ? config.tagCacheTtlMs : config.contentCacheTtlMs;
  const known = recent?.findManifest(repository, reference, askedAt - ageMs);
  if (known) return known;
  // Of a tag, what it names is kept for who pulls that by its digest.
  const isKept = ageMs > 0 || config.contentCacheTtlMs > 0;
  const keeper = isKept ? recent?.keeper(askedAt) : undefined;
  const manifest = await ask(context, repository, reference);
  keeper?.manifest(repository, reference, manifest);
  return manifest;
}

/** A tag is told by the database itself: how old it may be is a promise, and a replica makes none. */
async function ask(context: Context, repository: RepositoryName, reference: Reference): Promise<StoredManifest> {
  if (reference.kind === "tag") return await findManifest(context, repository, reference, true);
  const { digest } = reference;
  const lookup = await findInReplica(
    context,
    async (db) => await metadata.findManifest(db, repository, reference, true),
  );
  return foundOr(lookup, "MANIFEST_UNKNOWN", { digest });
}
