import type { Context } from "../context.ts";
import type { Reader } from "../metadata/reader.ts";
import type { Visibility } from "../metadata/repositories.ts";
import { searchRepositories, type SearchPage, type SearchResults } from "../metadata/search.ts";
import { toSearchTerm } from "../oci/search-term.ts";
import { askReplicaFor } from "./replica.ts";

/** Repositories that someone may see and that a query is found in, best first. One D1 query; two where a replica finds none. */
export async function search(
  context: Context,
  visibility: Visibility,
  query: string,
  page: SearchPage,
): Promise<SearchResults> {
  const term = toSearchTerm(query);
  const ask = async (db: Reader) => await searchRepositories(db, visibility, term, page);
  return await askReplicaFor(context, visibility, ask, ({ results }) => results.length === 0);
}
