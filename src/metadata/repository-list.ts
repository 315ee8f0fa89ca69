import type { Listing } from "../oci/listing.ts";
import { type OrderColumn, orderSql, Parameters, searchSql } from "./listing.ts";
import type { Reader } from "./reader.ts";
import {
  type RepositorySummary,
  SUMMARY,
  type SummaryRow,
  toSummary,
  type Visibility,
  visibleJson,
  type VisibleSql,
  visibleSql,
} from "./repositories.ts";

/** By what repositories can be ordered, beside their names. */
export const REPOSITORY_SORTS = ["pushed", "size", "tags", "pulls"] as const;

type RepositorySort = (typeof REPOSITORY_SORTS)[number];

export type RepositoryListing = Listing<RepositorySort>;

const VALUES: Readonly<Record<RepositoryListing["sort"], string>> = {
  ...{ name: "0", pushed: "r.pushed_at", size: "r.size", tags: "r.tag_count", pulls: "r.pulls" },
};

/** Some of the repositories, and how many there are. */
export interface RepositoryPage {
  /** One more than asked for if there are more. */
  readonly repositories: readonly RepositorySummary[];
  readonly total: number;
}

/**
 * Repositories that someone may see. One round trip. Who may see all reads a page of an index in the order of names and of pushes, and
 * all rows in any other; who searches for part of a name reads all names. Anyone else reads the rows that they may see, always.
 */
export async function listRepositories(
  db: Reader,
  visibility: Visibility,
  listing: RepositoryListing,
): Promise<RepositoryPage> {
  const [page, count] = await db.batch([selectPage(db, visibility, listing), selectTotal(db, visibility, listing)]);
  const [total] = (count?.results ?? []) as { total: number }[];
  return { repositories: ((page?.results ?? []) as SummaryRow[]).map(toSummary), total: total?.total ?? 0 };
}

/** What a repository is ordered by. */
export function valueOf(repository: RepositorySummary, sort: RepositoryListing["sort"]): number {
  switch (sort) {
    case "name":
      return 0;
    case "pushed":
      return repository.pushedAt ?? 0;
    case "size":
    case "tags":
    case "pulls":
      return repository[sort];
  }
}

/** @param name how the column is written. */
function columnsOf(sort: RepositoryListing["sort"], name: string): readonly OrderColumn[] {
  const byName: OrderColumn = [name, (after) => after.name];
  return sort === "name" ? [byName] : [[VALUES[sort], ({ value }) => value], byName];
}

function selectPage(db: Reader, visibility: Visibility, listing: RepositoryListing): D1PreparedStatement {
  const parameters = new Parameters();
  const { sort, limit } = listing;
  // With the plus, nothing is searched by it: the patterns have better bounds.
  const { after, terms } = orderSql(listing, columnsOf(sort, visibility === "all" ? "r.name" : "+r.name"), parameters);
  const where = `${after} AND ${searchSql(listing, "r.name", parameters)}`;
  const end = `ORDER BY ${terms} LIMIT ${parameters.add(limit + 1)}`;
  if (visibility === "all" && (sort === "name" || sort === "pushed")) {
    return db.prepare(`SELECT ${SUMMARY} FROM repositories r WHERE ${where} ${end}`).bind(...parameters.values);
  }
  // Which are on the page is found first: what else is shown of a repository is not asked for all that are not.
  const { patterns, repositories } = visiblePart(visibility, listing, parameters);
  const sql = `
    WITH ${patterns}
    page (id) AS (SELECT id FROM (SELECT DISTINCT r.id, r.name, ${VALUES[sort]} FROM ${repositories} WHERE ${where} ${end}))
    SELECT ${SUMMARY} FROM page CROSS JOIN repositories r ON r.id = page.id ORDER BY ${terms}`;
  return db.prepare(sql).bind(...parameters.values);
}

/** What is visible, and a comma after the patterns, if there are any. */
function visiblePart(
  visibility: Visibility,
  { sort, order, after }: RepositoryListing,
  parameters: Parameters,
): VisibleSql {
  if (visibility === "all") return { patterns: "", repositories: "repositories r" };
  const { subjects, ranges } = visibleJson(visibility);
  const isAlphabetical = sort === "name" && order === "asc";
  const { patterns, repositories } = visibleSql({
    subjects: parameters.add(subjects),
    ranges: parameters.add(ranges),
    after: parameters.add(isAlphabetical ? (after?.name ?? "") : ""),
  });
  return { patterns: `${patterns},`, repositories };
}

function selectTotal(db: Reader, visibility: Visibility, listing: RepositoryListing): D1PreparedStatement {
  if (visibility === "all" && listing.search === "") {
    return db.prepare("SELECT repositories AS total FROM usage WHERE id = 1");
  }
  const parameters = new Parameters();
  const where = searchSql(listing, "r.name", parameters);
  const { patterns, repositories } = visiblePart(visibility, { ...listing, after: undefined }, parameters);
  const sql = `
    WITH ${patterns} found (name) AS (SELECT DISTINCT r.name FROM ${repositories} WHERE ${where})
    SELECT COUNT(*) AS total FROM found`;
  return db.prepare(sql).bind(...parameters.values);
}
