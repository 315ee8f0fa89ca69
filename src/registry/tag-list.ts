import type { Context } from "../context.ts";
import * as metadata from "../metadata/tag-list.ts";
import type { ListedTag, PlatformImage, TagListing } from "../metadata/tag-list.ts";
import { formatLast, type Position } from "../oci/listing.ts";
import { toPage } from "../oci/page.ts";
import { findPlatforms } from "./platforms.ts";
import { type Asker, readFrom, unknownRepository } from "./reading.ts";

export { TAG_SORTS, type ListedTag } from "../metadata/tag-list.ts";

/** The most tags of a page: each may be an index to look into, or a config to read. */
export const TAGS_LIMIT = 100;

/** One page of a list whose entries can be counted. */
export interface CountedPage<T> {
  readonly entries: readonly T[];
  /** The `last` of the next page; undefined when this page ends the list. */
  readonly next: string | undefined;
  /** Entries of all pages together. */
  readonly total: number;
}

function positionOf({ name, updatedAt, size }: ListedTag, sort: TagListing["sort"]): Position {
  return { name, value: { name: 0, updated: updatedAt, size }[sort] };
}

/**
 * Tags with what they name, for someone who may see them or not. One D1 round trip, and one class B operation for each image whose
 * config nobody has looked at, once. Throws NAME_UNKNOWN.
 */
export async function listTags(context: Context, asker: Asker, listing: TagListing): Promise<CountedPage<ListedTag>> {
  const page = await readFrom(
    context,
    asker,
    async (db) => await metadata.listTagsInFull(db, asker, listing),
    (found) => found === undefined || found.tags.length === 0,
  );
  if (!page) throw unknownRepository(asker.repository);
  const { entries, next } = toPage(page.tags, listing.limit, (tag) =>
    formatLast(positionOf(tag, listing.sort), listing.sort),
  );
  return { entries: await withPlatforms(context, entries), next, total: page.total };
}

/** Tags of images with the platforms that their configs state. */
async function withPlatforms(context: Context, tags: readonly ListedTag[]): Promise<ListedTag[]> {
  const found = await findPlatforms(
    context,
    tags.flatMap(({ config }) => (config === undefined ? [] : [config])),
  );
  return tags.map((tag) => {
    const platform = tag.config && found.get(tag.config.digest);
    if (platform === undefined) return tag;
    const image: PlatformImage = { ...platform, digest: tag.digest, size: tag.size };
    return { ...tag, platforms: [image] };
  });
}
