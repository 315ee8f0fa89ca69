import type { Digest } from "../oci/digest.ts";
import type { Listing } from "../oci/listing.ts";
import { INDEX_TYPES, kindOf, type ManifestKind } from "../oci/media-type.ts";
import { type Platform, toPlatform } from "../oci/platform.ts";
import type { Tag } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { StoredConfig } from "./image-configs.ts";
import { type OrderColumn, orderSql, Parameters, searchSql } from "./listing.ts";
import type { Reader } from "./reader.ts";
import { type Asker, askWithRules, type Ruled } from "./ruled.ts";

/** By what tags can be ordered, beside their names. */
export const TAG_SORTS = ["updated", "size"] as const;

type TagSort = (typeof TAG_SORTS)[number];

export type TagListing = Listing<TagSort>;

/** An image of one platform. */
export interface PlatformImage extends Platform {
  readonly digest: Digest;
  /** Bytes of what is pulled with it; of a child that is not here, of its manifest alone. */
  readonly size: number;
}

/** The config of an image, as far as its platform goes. */
export interface ImageConfig extends StoredConfig {
  /** Undefined: nobody has looked yet. Null: it states none. */
  readonly platform: Platform | null | undefined;
}

/** A tag in a list, and what it names. Times are milliseconds since the epoch. */
export interface ListedTag {
  readonly name: Tag;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly kind: ManifestKind;
  /** Undefined for what is no artifact. */
  readonly artifactType: string | undefined;
  /** Those that an index names. */
  readonly platforms: readonly PlatformImage[];
  /** Of an image that stands alone. */
  readonly config: ImageConfig | undefined;
  /** Bytes of what is pulled with it. */
  readonly size: number;
  readonly updatedAt: number;
  readonly pushedAt: number;
  readonly pushedBy: string;
  readonly pulledAt: number | null;
  readonly expiresAt: number | null;
  readonly isImmutable: boolean;
}

interface TagRow extends Omit<ListedTag, "kind" | "artifactType" | "platforms" | "config" | "isImmutable"> {
  readonly artifact_type: string | null;
  readonly platforms: string | null;
  readonly config: Digest | null;
  readonly config_key: string | null;
  readonly config_size: number | null;
  readonly platform: string | null;
  readonly is_immutable: 0 | 1;
}

/** Some of the tags of a repository, and how many there are. */
export interface TagPage {
  /** One more than asked for if there are more. */
  readonly tags: readonly ListedTag[];
  readonly total: number;
}

/** Platforms that are shown of one index; more are on no page. */
const PLATFORMS_MAX = 64;

const NAME: OrderColumn = ["t.name", ({ name }) => name];

/** The order of tags (t) in the specification: case does not count, but for ties. */
const NOCASE = "t.name COLLATE NOCASE";

const COLUMNS_OF: Readonly<Record<TagListing["sort"], readonly OrderColumn[]>> = {
  name: [[NOCASE, ({ name }) => name], NAME],
  updated: [["t.updated_at", ({ value }) => value], NAME],
  size: [["m.content_size", ({ value }) => value], NAME],
};

/** The platforms of an index (m), with the sizes of the children that are here, as JSON; of one whose bytes lie in the row. */
const PLATFORMS = `
  SELECT json_group_array(json_object('os', d.os, 'architecture', d.architecture, 'variant', d.variant,
                                      'digest', d.digest, 'size', COALESCE(child.content_size, d.size)))
  FROM (SELECT value ->> '$.platform.os' AS os, value ->> '$.platform.architecture' AS architecture,
               value ->> '$.platform.variant' AS variant, value ->> '$.digest' AS digest, value ->> '$.size' AS size
        FROM json_each(IIF(json_valid(m.bytes), m.bytes, NULL), '$.manifests')
        WHERE value ->> '$.platform.os' <> 'unknown' LIMIT ${PLATFORMS_MAX}) d
  LEFT JOIN manifests child ON child.repository_id = m.repository_id AND child.digest = d.digest AND child.deleted_at IS NULL`;

const COLUMNS = `
  t.name, t.digest, t.updated_at AS updatedAt, t.expires_at AS expiresAt, m.media_type AS mediaType, m.artifact_type,
  m.content_size AS size, m.pushed_at AS pushedAt, m.pushed_by AS pushedBy, m.pulled_at AS pulledAt,
  EXISTS (SELECT 1 FROM tags_that_stay s WHERE s.repository_id = t.repository_id AND s.name = t.name) AS is_immutable,
  CASE WHEN m.media_type IN (${INDEX_TYPES.map((type) => `'${type}'`).join(", ")}) THEN (${PLATFORMS}) END AS platforms,
  b.digest AS config, b.object_key AS config_key, b.size AS config_size, b.platform`;

/**
 * The tags of a repository, for someone who may see them or not; undefined if there is none of its name. One round trip, which reads
 * a page in the order of names, and all tags of the repository in any other, or where part of a name is looked for.
 */
export async function listTagsInFull(
  db: Reader,
  asker: Asker,
  listing: TagListing,
): Promise<Ruled<TagPage | undefined>> {
  const { repository } = asker;
  const { rules, results } = await askWithRules(db, asker, [
    selectTotal(db, repository, listing),
    selectPage(db, repository, listing),
  ]);
  const [count] = (results[0]?.results ?? []) as { total: number }[];
  const rows = (results[1]?.results ?? []) as TagRow[];
  return { rules, found: count && { tags: rows.map(toListedTag), total: count.total } };
}

function selectTotal(db: Reader, repository: RepositoryName, listing: TagListing): D1PreparedStatement {
  const parameters = new Parameters();
  const where = `r.name = ${parameters.add(repository)}`;
  const found = `(SELECT COUNT(*) FROM tags t INDEXED BY tags_in_order
                  WHERE t.repository_id = r.id AND ${searchSql(listing, "t.name", parameters)})`;
  const total = listing.search === "" ? "r.tag_count" : found;
  return db.prepare(`SELECT ${total} AS total FROM repositories r WHERE ${where}`).bind(...parameters.values);
}

function selectPage(db: Reader, repository: RepositoryName, listing: TagListing): D1PreparedStatement {
  const parameters = new Parameters();
  const { sort, order, after } = listing;
  const { after: isAfter, terms } = orderSql(listing, COLUMNS_OF[sort], parameters);
  // SQLite searches the index by the single comparison; it cannot do that by the comparison of pairs.
  const begin =
    sort === "name" && after ? `AND ${NOCASE} ${order === "asc" ? ">=" : "<="} ${parameters.add(after.name)}` : "";
  const where = `r.name = ${parameters.add(repository)} AND ${isAfter} AND ${searchSql(listing, "t.name", parameters)}`;
  const sql = `
    WITH page (repository_id, name) AS (
      SELECT t.repository_id, t.name
      FROM repositories r CROSS JOIN tags t INDEXED BY tags_in_order ON t.repository_id = r.id ${begin}
      ${sort === "size" ? "CROSS JOIN manifests m ON m.repository_id = t.repository_id AND m.digest = t.digest" : ""}
      WHERE ${where}
      ORDER BY ${terms} LIMIT ${parameters.add(listing.limit + 1)})
    SELECT ${COLUMNS}
    FROM page CROSS JOIN tags t ON t.name = page.name AND t.repository_id = page.repository_id
    CROSS JOIN manifests m ON m.repository_id = t.repository_id AND m.digest = t.digest
    LEFT JOIN manifest_references mr
     ON mr.repository_id = m.repository_id AND mr.manifest_digest = m.digest AND mr.position = 0 AND mr.role = 'config'
    LEFT JOIN repository_blobs rb ON rb.repository_id = mr.repository_id AND rb.digest = mr.digest
    LEFT JOIN blobs b ON b.digest = rb.digest
    ORDER BY ${terms}`;
  return db.prepare(sql).bind(...parameters.values);
}

function toListedTag(row: TagRow): ListedTag {
  const { artifact_type, platforms, config, config_key, config_size, platform, is_immutable, ...rest } = row;
  const kind = kindOf(rest.mediaType, artifact_type);
  return {
    ...{ ...rest, kind, isImmutable: is_immutable === 1 },
    // That of an image is the type of its config, which says nothing more.
    artifactType: kind === "image" ? undefined : (artifact_type ?? undefined),
    platforms: platforms === null ? [] : toPlatforms(platforms),
    config:
      kind === "image" && config !== null && config_key !== null && config_size !== null
        ? { digest: config, objectKey: config_key, size: config_size, platform: readNote(platform) }
        : undefined,
  };
}

interface PlatformRow extends Record<string, unknown> {
  readonly digest: Digest;
  readonly size: number;
}

function toPlatforms(json: string): PlatformImage[] {
  return (JSON.parse(json) as PlatformRow[]).flatMap(({ digest, size, ...properties }) => {
    const platform = toPlatform(properties);
    return platform === undefined ? [] : [{ ...platform, digest, size }];
  });
}

function readNote(note: string | null): ImageConfig["platform"] {
  return note === null ? undefined : (toPlatform(JSON.parse(note) as Record<string, unknown>) ?? null);
}
