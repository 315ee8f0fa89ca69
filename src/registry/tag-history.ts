import type { Context } from "../context.ts";
import { findHeldTag, isTagHeld } from "../metadata/immutable-tags.ts";
import { findManifest, findStoredManifest, listDeletedChildren, type StoredManifest } from "../metadata/manifests.ts";
import * as expiry from "../metadata/tag-expiry.ts";
import * as metadata from "../metadata/tag-history.ts";
import type { Release, TagAddress, TagEvent } from "../metadata/tag-history.ts";
import type { Digest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import { type Page, toPage } from "../oci/page.ts";
import type { Reference, Tag } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Actor } from "../policy/actor.ts";
import { pushManifest, readManifest } from "./manifests.ts";
import { type Asker, readFrom, seen } from "./reading.ts";
import { changing } from "./recent.ts";

export type { Release, TagAddress, TagEvent } from "../metadata/tag-history.ts";

/** Indexes list indexes, but nobody has needed more of them than this one in another. */
const DEPTH_MAX = 8;

function unknownTag({ repository, tag }: TagAddress, what: string): OciError {
  return new OciError("MANIFEST_UNKNOWN", { message: `${what} tag ${tag} of ${repository}`, detail: { tag } });
}

/** The moves of a tag, newest first, for someone who may see them or not. One D1 round trip. Throws NAME_UNKNOWN. */
export async function listTagEvents(
  context: Context,
  asker: Asker,
  tag: Tag,
  page: { readonly before: number | undefined; readonly limit: number },
): Promise<Page<TagEvent>> {
  const events = await readFrom(
    context,
    asker,
    async (db) => await metadata.readTagEvents(db, asker, tag, page),
    ({ length }) => length === 0,
  );
  return toPage(events, page.limit, ({ id }) => String(id));
}

/**
 * Where a tag pointed at a time, for someone who may see it or not; null: nowhere. One D1 round trip. Throws NAME_UNKNOWN; MANIFEST_UNKNOWN
 * for a tag that was not known then.
 */
export async function findTagAt({ db }: Context, asker: Asker, tag: Tag, at: number): Promise<Digest | null> {
  const digest = seen(asker, await metadata.findTagAt(db, asker, tag, at));
  const { repository } = asker;
  if (digest === undefined) throw unknownTag({ repository, tag }, "at that time, nothing was known of");
  return digest;
}

/**
 * Makes a tag name again what it named before its last move or deletion, or any manifest that is still stored, deleted ones
 * included. It is pushed anew, in a transaction that looks at all that it refers to, its children before it; so it can be
 * repeated when it dies in between. A few D1 round trips.
 * @throws OciError MANIFEST_UNKNOWN where nothing is known to go back to, or it was collected; MANIFEST_BLOB_UNKNOWN where
 * something that it refers to was; DENIED for an immutable tag.
 */
export async function restoreTag(
  context: Context,
  address: TagAddress,
  digest: Digest | undefined,
  actor: Actor,
): Promise<Digest> {
  const wanted = digest ?? (await findPrevious(context, address));
  const manifest = await findForRestore(context, address, wanted);
  await restoreChildren(context, address, wanted, actor, DEPTH_MAX);
  await pushAgain(context, address.repository, manifest, { kind: "tag", tag: address.tag }, actor);
  return wanted;
}

async function findPrevious({ db }: Context, address: TagAddress): Promise<Digest> {
  const [last] = await metadata.listTagEvents(db, address, { before: undefined, limit: 1 });
  if (!last?.previousDigest) throw unknownTag(address, "nothing is known to go back to for");
  return last.previousDigest;
}

async function findForRestore({ db }: Context, address: TagAddress, digest: Digest): Promise<StoredManifest> {
  const manifest = await findStoredManifest(db, address.repository, digest);
  if (manifest) return manifest;
  const message = `${digest} is stored no more in ${address.repository}: it cannot be restored`;
  throw new OciError("MANIFEST_UNKNOWN", { message, detail: { digest } });
}

/** Brings back what an index lists and was deleted with it. */
async function restoreChildren(
  context: Context,
  address: TagAddress,
  digest: Digest,
  actor: Actor,
  depth: number,
): Promise<void> {
  if (depth === 0) return;
  const { repository } = address;
  for (const child of await listDeletedChildren(context.db, repository, digest)) {
    await restoreChildren(context, address, child, actor, depth - 1);
    const manifest = await findForRestore(context, address, child);
    await pushAgain(context, repository, manifest, { kind: "digest", digest: child }, actor);
  }
}

async function pushAgain(
  context: Context,
  repository: RepositoryName,
  manifest: StoredManifest,
  reference: Reference,
  actor: Actor,
): Promise<void> {
  const bytes = new Uint8Array(await new Response(await readManifest(context, manifest)).arrayBuffer());
  await pushManifest(context, {
    ...{ repository, reference, tags: [], bytes, actor },
    contentType: manifest.mediaType,
    action: "tag.restore",
  });
}

/** What a tag names now. One D1 query. Throws MANIFEST_UNKNOWN, which names the tag: others may be released with it. */
export async function findReleased({ db }: Context, { repository, tag }: TagAddress): Promise<Digest> {
  const { found } = await findManifest(db, repository, { kind: "tag", tag }, false);
  if (found) return found.digest;
  const message = `there is no tag ${tag} of ${repository}: no tag was moved`;
  throw new OciError("MANIFEST_UNKNOWN", { message, detail: { repository, tag } });
}

/**
 * Moves tags of any repositories at once: who pulls sees all of them moved, or none. One D1 round trip.
 * @throws OciError MANIFEST_UNKNOWN naming each manifest that is not there, DENIED for an immutable tag; nothing moves then.
 */
export async function releaseTags(context: Context, releases: readonly Release[], actor: Actor): Promise<void> {
  const repositories = releases.map(({ repository }) => repository);
  await changing(context, repositories, moveTags(context, releases, actor));
}

async function moveTags({ db, now }: Context, releases: readonly Release[], actor: Actor): Promise<void> {
  try {
    if (await metadata.releaseTags(db, releases, actor, now())) return;
  } catch (error) {
    if (!isTagHeld(error)) throw error;
    throw new OciError("DENIED", { message: await describeHeld(db, releases), detail: releases });
  }
  const absent = await metadata.findAbsentReleases(db, releases);
  const [first] = absent;
  const message = first ? `${first.repository} has no manifest ${first.digest}` : "the repositories changed meanwhile";
  throw new OciError("MANIFEST_UNKNOWN", { message: `${message}: no tag was moved`, detail: absent });
}

async function describeHeld(db: D1Database, releases: readonly Release[]): Promise<string> {
  const held = await Promise.all(
    releases.map(async ({ repository, tag, digest }) => await findHeldTag(db, repository, [tag], digest)),
  );
  const index = held.findIndex((one) => one !== undefined);
  const [release, one] = [releases[index], held[index]];
  if (!release || !one) return "a tag is immutable: no tag was moved";
  return `tag ${one.tag} of ${release.repository} is immutable, by the rule for ${one.rule}: no tag was moved`;
}

/** Says when a tag ends; undefined: not by itself. One D1 round trip. Throws MANIFEST_UNKNOWN. */
export async function setTagLife(
  { db, now }: Context,
  address: TagAddress,
  lifeMs: number | undefined,
  actor: Actor,
): Promise<number | null> {
  const expiresAt = lifeMs === undefined ? null : now() + lifeMs;
  const isSet = await expiry.setTagExpiry(db, address, expiresAt, actor, now());
  if (!isSet) throw unknownTag(address, "there is no");
  return expiresAt;
}
