import type { Context } from "../context.ts";
import * as metadata from "../metadata/blobs.ts";
import type { Deletion, LinkedBlob, Lookup, StoredBlob } from "../metadata/blobs.ts";
import type { Digest } from "../oci/digest.ts";
import { type ErrorCode, OciError } from "../oci/error.ts";
import type { ByteRange } from "../oci/range.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Actor } from "../policy/actor.ts";
import { getStream } from "../storage/objects.ts";

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

/** Spec end-2, GET: where the bytes are. One D1 query. Throws BLOB_UNKNOWN, NAME_UNKNOWN. */
export async function findBlob({ db }: Context, repository: RepositoryName, digest: Digest): Promise<LinkedBlob> {
  return foundOr(await metadata.findBlob(db, repository, digest), "BLOB_UNKNOWN", { digest });
}

/**
 * Spec end-2, HEAD. Clients ask it to know whether they must upload: the answer holds for as long as the grace of collection.
 * One D1 query, and a second one for a blob that collection was about to take. Throws BLOB_UNKNOWN, NAME_UNKNOWN.
 */
export async function statBlob(context: Context, repository: RepositoryName, digest: Digest): Promise<StoredBlob> {
  const blob = await findBlob(context, repository, digest);
  const isKept = !blob.isCondemned || (await metadata.pardonLink(context.db, repository, digest, context.now()));
  if (!isKept) throw new OciError("BLOB_UNKNOWN", { detail: { digest } });
  return blob;
}

/** Spec end-2, GET: the bytes of a blob that {@link findBlob} found. One class B operation. */
export async function readBlob({ bucket }: Context, blob: StoredBlob, range?: ByteRange): Promise<ReadableStream> {
  return await getStream(bucket, blob.objectKey, range);
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
  { db, now }: Context,
  deletion: { repository: RepositoryName; digest: Digest; actor: Actor },
): Promise<void> {
  const { digest } = deletion;
  assertDeleted(await metadata.unlinkBlob(db, { ...deletion, now: now() }), "BLOB_UNKNOWN", { digest });
}
