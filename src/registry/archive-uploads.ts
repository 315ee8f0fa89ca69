import type { Context } from "../context.ts";
import { unlessItFails } from "../log.ts";
import { commitBlobs } from "../metadata/blobs.ts";
import { discardUnneeded } from "../metadata/discarded-objects.ts";
import type { Digest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import type { Tag } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Actor } from "../policy/actor.ts";
import { BodyError } from "../storage/body-reader.ts";
import { type ArchiveContents, type ArchivedManifest, readContents } from "./archive-contents.ts";
import { pushManifest } from "./manifests.ts";
import { ReceivedArchive } from "./received-archive.ts";

export interface ArchiveUpload {
  readonly repository: RepositoryName;
  readonly tag: Tag;
  /** Which image of the archive; undefined where there is but one. */
  readonly image: string | undefined;
  readonly body: ReadableStream | null;
  readonly actor: Actor;
}

/** What an archive brought. */
export interface LoadedArchive {
  /** Of what the tag names now. */
  readonly digest: Digest;
  readonly mediaType: string | undefined;
  /** All manifests, each after those that it lists. */
  readonly manifests: readonly Digest[];
  readonly blobs: readonly { readonly digest: Digest; readonly size: number }[];
}

/**
 * Takes an archive apart into blobs and manifests, and tags one of its images. Nothing of it is to be seen before all of it is here and
 * has been looked at. One class A operation for each blob and for each other file of more than 64 KiB; one D1 round trip, and one for
 * each manifest.
 * @throws OciError BLOB_UPLOAD_INVALID, SIZE_INVALID, DIGEST_INVALID, MANIFEST_INVALID: nothing is kept then; and what
 * {@link pushManifest} throws.
 */
export async function loadArchive(context: Context, upload: ArchiveUpload): Promise<LoadedArchive> {
  const archive = new ReceivedArchive(context);
  try {
    if (upload.body) await archive.receive(upload.body);
    const contents = await readContents(archive, upload.image);
    const blobs = await commit(context, upload.repository, archive, contents);
    await pushAll(context, upload, contents);
    const { digest, mediaType } = contents.root;
    return { digest, mediaType, manifests: contents.manifests.map((manifest) => manifest.digest), blobs };
  } catch (error) {
    // Whatever became of the last transaction: what it made a blob stays.
    const discarded = discardUnneeded(context.db, archive.created, context.now());
    if (archive.created.length > 0) await unlessItFails("objects of an archive were not discarded", discarded.run());
    throw error instanceof BodyError ? brokenOff() : error;
  } finally {
    archive.dispose();
  }
}

function brokenOff(): OciError {
  return new OciError("BLOB_UPLOAD_INVALID", { message: "the request's body broke off; nothing of it is kept" });
}

/** Makes the files that manifests refer to blobs of the repository, and discards all others, in one transaction. */
async function commit(
  { db, now }: Context,
  repository: RepositoryName,
  archive: ReceivedArchive,
  contents: ArchiveContents,
): Promise<LoadedArchive["blobs"]> {
  const blobs = await archive.store(contents.blobs);
  const keys = new Set(blobs.map(({ objectKey }) => objectKey));
  const unneeded = archive.created.filter(({ key }) => !keys.has(key));
  await commitBlobs(db, { repository, blobs, now: now() }, unneeded);
  return blobs.map(({ digest, size }) => ({ digest, size }));
}

/** Pushes manifests in their order. What lists the root, as a signature may, comes before the tag moves all the same. */
async function pushAll(context: Context, upload: ArchiveUpload, { root, manifests }: ArchiveContents): Promise<void> {
  const { repository, actor, tag } = upload;
  const push = async ({ digest, bytes, mediaType }: ArchivedManifest, tags: readonly Tag[]) =>
    await pushManifest(context, {
      ...{ repository, bytes, actor, tags, contentType: mediaType },
      reference: { kind: "digest", digest },
    });
  const isLast = manifests.at(-1) === root;
  for (const manifest of isLast ? manifests.slice(0, -1) : manifests) await push(manifest, []);
  await push(root, [tag]);
}
