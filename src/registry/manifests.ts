import type { SparseManifests } from "../config.ts";
import type { Context } from "../context.ts";
import { discardUnneeded } from "../metadata/discarded-objects.ts";
import { findHeldTag, findHeldTagOf, type HeldTag, isTagHeld } from "../metadata/immutable-tags.ts";
import * as metadata from "../metadata/manifests.ts";
import type { CheckedReference, Objection, StoredManifest } from "../metadata/manifests.ts";
import { deleteTag } from "../metadata/tags.ts";
import { CANONICAL_ALGORITHM, computeDigest, type Digest, digestAlgorithm } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import { type Manifest, parseManifest } from "../oci/manifest.ts";
import { isIndex } from "../oci/media-type.ts";
import type { Reference, Tag } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Actor } from "../policy/actor.ts";
import { newManifestKey } from "../storage/keys.ts";
import { putBytes } from "../storage/objects.ts";
import { assertDeleted, foundOr } from "./blobs.ts";
import { indexRepository, indexWhereDue } from "./image-words.ts";
import { readObject } from "./object-bytes.ts";
import { changing } from "./recent.ts";
import { applyLabel, lifeOf } from "./tag-life.ts";

export type { StoredManifest } from "../metadata/manifests.ts";

/** Spec, "Pushing Manifests": at least 4 megabytes are accepted. containerd reads no more than this either. */
export const MANIFEST_MAX_BYTES = 4 * 1024 * 1024;

/** Larger manifests lie in R2: a row holds 2 MB, the annotations of a referrer beside its bytes. */
const INLINE_MAX_BYTES = 900_000;

/** Spec end-3: what a tag or digest names. One D1 query. Throws MANIFEST_UNKNOWN, NAME_UNKNOWN. */
export async function findManifest(
  { db }: Context,
  repository: RepositoryName,
  reference: Reference,
  withText: boolean,
): Promise<StoredManifest> {
  const detail = reference.kind === "tag" ? { tag: reference.tag } : { digest: reference.digest };
  return foundOr(await metadata.findManifest(db, repository, reference, withText), "MANIFEST_UNKNOWN", detail);
}

/** The exact bytes of a manifest that was found with its text; those of a large one at the cost of {@link readObject}. */
export async function readManifest(context: Context, manifest: StoredManifest): Promise<ReadableStream | string> {
  const { objectKey, size } = manifest;
  if (objectKey !== undefined) return await readObject(context, { key: objectKey, size });
  return manifest.text ?? "";
}

export interface ManifestPush {
  readonly repository: RepositoryName;
  readonly reference: Reference;
  /** Tags beside the one of the reference. */
  readonly tags: readonly Tag[];
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
  readonly actor: Actor;
  /** What this is in the records; a push, if nothing else. */
  readonly action?: "tag.restore";
  /** Which references may be missing; as the settings have it, if nothing else. */
  readonly sparse?: SparseManifests;
}

/**
 * Spec end-7: stores a manifest with all that it refers to in sight, and moves its tags. Two D1 round trips at most, one
 * when it is accepted; one class A operation for a manifest too large for a row. Where tags may end by themselves, one class B
 * operation for the labels of an image, and one D1 round trip if they matter.
 * @throws OciError MANIFEST_INVALID, DIGEST_INVALID, MANIFEST_BLOB_UNKNOWN with each missing digest, SIZE_INVALID; DENIED for
 * a tag that is immutable and names another manifest.
 */
export async function pushManifest(
  context: Context,
  push: ManifestPush,
): Promise<{ digest: Digest; subject: Digest | undefined }> {
  const { db, config, now } = context;
  const { repository, reference, bytes, actor } = push;
  const algorithm = reference.kind === "digest" ? digestAlgorithm(reference.digest) : CANONICAL_ALGORITHM;
  const digest = await computeDigest(algorithm, bytes);
  if (reference.kind === "digest" && reference.digest !== digest)
    throw new OciError("DIGEST_INVALID", { detail: { digest } });
  const manifest = parseManifest(bytes, push.contentType);
  const references = checkReferences(manifest, push.sparse ?? config.sparseManifests);

  const isInline = bytes.byteLength <= INLINE_MAX_BYTES;
  const objectKey = isInline ? undefined : newManifestKey();
  const tags = [...new Set(reference.kind === "tag" ? [reference.tag, ...push.tags] : push.tags)];
  const entry = {
    ...{ repository, digest, manifest, objectKey, actor, now: now(), size: bytes.byteLength, tags },
    ...lifeOf(manifest, tags),
    action: push.action ?? ("manifest.push" as const),
    text: isInline ? new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) : undefined,
  };
  const inserted = await unlessHeld(
    changing(context, [repository], storeManifest(context, entry, bytes, references)),
    async () => await findHeldTag(db, repository, entry.tags, digest),
  );
  if (!inserted) throw refusal(await metadata.findObjections(db, repository, references));
  if (inserted.unread) context.defer(indexRepository(context, repository, inserted.unread));
  if (inserted.configKey !== undefined) await applyLabel(context, entry, inserted.configKey);
  return { digest, subject: manifest.subject };
}

/** Bytes and rows. Undefined when a reference objects; nothing is kept then, nor when either fails. */
async function storeManifest(
  { db, bucket, now }: Context,
  entry: metadata.NewManifest,
  bytes: Uint8Array,
  references: readonly CheckedReference[],
): Promise<metadata.InsertedManifest | undefined> {
  const { objectKey } = entry;
  if (objectKey === undefined) return await metadata.insertManifest(db, entry, references);
  try {
    await putBytes(bucket, objectKey, bytes);
    return await metadata.insertManifest(db, entry, references);
  } catch (error) {
    // The object may be there, or even be the manifest's.
    await discardUnneeded(db, [{ key: objectKey, multipartId: undefined }], now()).run();
    throw error;
  }
}

/** Which references the repository must hold, as the operator's setting has it. */
function checkReferences(manifest: Manifest, sparse: SparseManifests): CheckedReference[] {
  const isSparse = sparse === "all" || (sparse === "index" && isIndex(manifest.mediaType));
  return manifest.references.map((reference) => ({ ...reference, required: reference.distributable && !isSparse }));
}

function refusal(objections: readonly Objection[]): OciError {
  const missing = [...new Set(objections.filter(({ storedSize }) => storedSize === null).map(({ digest }) => digest))];
  if (missing.length > 0) {
    return new OciError("MANIFEST_BLOB_UNKNOWN", {
      message: `the repository does not hold ${missing.length === 1 ? (missing[0] ?? "") : `${missing.length} of the references`}`,
      detail: missing.map((digest) => ({ digest })),
    });
  }
  if (objections.length === 0) {
    // What was missing a moment ago is here now: the client's next try will find it.
    return new OciError("UNAVAILABLE", {
      message: "the repository changed meanwhile; try again",
      headers: { "Retry-After": "1" },
    });
  }
  return new OciError("SIZE_INVALID", {
    message: "descriptors state other sizes than the content has",
    detail: objections,
  });
}

/** A transaction's result; DENIED where it failed because of an immutable tag, which `find` looks up. */
async function unlessHeld<T>(transaction: Promise<T>, find: () => Promise<HeldTag | undefined>): Promise<T> {
  try {
    return await transaction;
  } catch (error) {
    if (!isTagHeld(error)) throw error;
    const held = await find();
    throw new OciError("DENIED", {
      message: held
        ? `tag ${held.tag} is immutable, by the rule for ${held.rule}: it stays ${held.digest}`
        : "the tag is immutable",
      ...(held && { detail: held }),
    });
  }
}

/** Spec end-9: deletes a tag, or a manifest with all its tags. One D1 round trip. Throws DENIED for an immutable tag. */
export async function deleteManifest(
  context: Context,
  deletion: { repository: RepositoryName; reference: Reference; actor: Actor },
): Promise<void> {
  const { db, now } = context;
  const { repository, reference, actor } = deletion;
  if (reference.kind === "tag") {
    const { tag } = reference;
    const kind = await unlessHeld(
      changing(context, [repository], deleteTag(db, { repository, tag, actor, now: now() })),
      async () => await findHeldTag(db, repository, [tag], undefined),
    );
    assertDeleted({ kind }, "MANIFEST_UNKNOWN", { tag });
    context.defer(indexWhereDue(context, repository));
    return;
  }
  const { digest } = reference;
  const result = await unlessHeld(
    changing(context, [repository], metadata.deleteManifest(db, { repository, digest, actor, now: now() })),
    async () => await findHeldTagOf(db, repository, digest),
  );
  assertDeleted(result, "MANIFEST_UNKNOWN", { digest });
  context.defer(indexWhereDue(context, repository));
}
