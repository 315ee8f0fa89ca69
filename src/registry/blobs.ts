import type { Context } from "../context.ts";
import * as metadata from "../metadata/blobs.ts";
import type { Deletion, Lookup, StoredBlob } from "../metadata/blobs.ts";
import type { Digest } from "../oci/digest.ts";
import { type ErrorCode, OciError } from "../oci/error.ts";
import type { ByteRange } from "../oci/range.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Actor } from "../policy/actor.ts";
import { readObject } from "./object-bytes.ts";
import { changing } from "./recent.ts";
import { findInReplica } from "./replica.ts";

export type { StoredBlob } from "../metadata/blobs.ts";

/** What was looked for, or the right 404: NAME_UNKNOWN where not even the repository exists. */
export function foundOr<T>(lookup: Lookup<T>, code: ErrorCode, detail: unknown): T {
  if (lookup.found !== undefined) return lookup.found;
  throw new OciError(lookup.repositoryExists ? code : "NAME_UNKNOWN", { detail });
}

/** Turns what became of a deletion into its error, if it is one. */
export function assertDeleted(deletion: Deletion, code: ErrorCode, detail: unknown): void {
  switch (deletion.kind) {
    case "deleted":
      return;
    case "unknown":
      throw new OciError(code, { detail });
    case "repository-unknown":
      throw new OciError("NAME_UNKNOWN", { detail });
    case "held":
      throw new OciError("UNSUPPORTED", {
        message: `the content is part of ${deletion.by}; delete that manifest first`,
        detail: { manifest: deletion.by },
      });
  }
}

/**
 * Spec end-2, GET: where the bytes are, or were a moment ago, as the settings have it. No D1 query where this isolate was told it
 * a moment ago, else one; two where a replica does not know it. Throws BLOB_UNKNOWN, NAME_UNKNOWN.
 */
export async function findBlob(context: Context, repository: RepositoryName, digest: Digest): Promise<StoredBlob> {
  const { recent, config, now } = context;
  const askedAt = now();
  const known = recent?.findBlob(repository, digest, askedAt - config.contentCacheTtlMs);
  if (known) return known;
  const keeper = config.contentCacheTtlMs > 0 ? recent?.keeper(askedAt) : undefined;
  const lookup = await findInReplica(context, async (db) => await metadata.findBlob(db, repository, digest));
  const blob = foundOr(lookup, "BLOB_UNKNOWN", { digest });
  keeper?.blob(repository, blob);
  return blob;
}

/**
 * Spec end-2, HEAD. Clients ask it to know whether they must upload: the answer holds for as long as the grace of collection.
 * One D1 query, and a second one for a blob that collection was about to take. Throws BLOB_UNKNOWN, NAME_UNKNOWN.
 */
export async function statBlob(context: Context, repository: RepositoryName, digest: Digest): Promise<StoredBlob> {
  const { db, now } = context;
  const blob = foundOr(await metadata.findBlob(db, repository, digest), "BLOB_UNKNOWN", { digest });
  const isKept = !blob.isCondemned || (await metadata.pardonLink(db, repository, digest, now()));
  if (!isKept) throw new OciError("BLOB_UNKNOWN", { detail: { digest } });
  return blob;
}

/** Spec end-2, GET: the bytes of a blob that {@link findBlob} found, at the cost of {@link readObject}. */
export async function readBlob(context: Context, blob: StoredBlob, range?: ByteRange): Promise<ReadableStream> {
  return await readObject(context, { key: blob.objectKey, size: blob.size }, range);
}

/**
 * Spec end-11: makes a blob of another repository visible in this one. One D1 round trip.
 * @param from undefined: any repository. The caller has made sure that whoever asks may pull there.
 * @returns whether it is there now.
 */
export async function mountBlob(
  { db, now }: Context,
  mount: { repository: RepositoryName; digest: Digest; from: RepositoryName | undefined },
): Promise<boolean> {
  return await metadata.mountBlob(db, { ...mount, now: now() });
}

/**
 * Spec end-10: takes the blob out of this repository. One D1 round trip.
 * @throws OciError BLOB_UNKNOWN, NAME_UNKNOWN; UNSUPPORTED while a manifest refers to it.
 */
export async function deleteBlob(
  context: Context,
  deletion: { repository: RepositoryName; digest: Digest; actor: Actor },
): Promise<void> {
  const { db, now } = context;
  const { repository, digest } = deletion;
  const result = await changing(context, [repository], metadata.unlinkBlob(db, { ...deletion, now: now() }));
  assertDeleted(result, "BLOB_UNKNOWN", { digest });
}
