import { challengeForSearch } from "../auth/authenticate.ts";
import { OciError } from "../oci/error.ts";
import * as registry from "../registry/search.ts";
import type { Call } from "./call.ts";

const LIMIT_DEFAULT = 25;
const LIMIT_MAX = 100;

/** Docker asks no further; whoever does sees how deep a list is that nobody reads to its end. */
const PAGE_MAX = 1_000;

/** A number of the query; what is none, or out of range, is an error as in other lists. */
function parseNumber(query: URLSearchParams, name: string, fallback: number, max: number): number {
  const text = query.get(name) ?? "";
  if (text === "") return fallback;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  throw new OciError("PAGINATION_NUMBER_INVALID", { message: `use a number from 1 to ${max} for ${name}` });
}

/** Docker's `GET /v1/_ping`: asked before a search. "Standalone" means that a log-in, if there is one, comes with each request. */
// eslint-disable-next-line @typescript-eslint/require-await -- a handler
export async function ping(): Promise<Response> {
  return Response.json(true, { headers: { "X-Docker-Registry-Standalone": "true" } });
}

/**
 * Docker's `GET /v1/search`: repositories that the caller may pull. Podman asks without the credentials that it has, and takes
 * any list for the whole truth; told that it needs them, it reads `_catalog` instead. So whoever sends none, and is not Docker, is
 * told so where there is nothing that anyone may pull.
 */
export async function search({ request, url, context, caller }: Call): Promise<Response> {
  const { searchParams } = url;
  const query = searchParams.get("q") ?? "";
  const limit = parseNumber(searchParams, "n", LIMIT_DEFAULT, LIMIT_MAX);
  const page = parseNumber(searchParams, "page", 1, PAGE_MAX);
  const found = await registry.search(context, caller.visibility, query, { limit, offset: (page - 1) * limit });
  const { results, total } = found;
  const isDocker = request.headers.has("X-Docker-Token");
  if (total === 0 && page === 1 && !isDocker && !request.headers.has("Authorization")) throw challengeForSearch(url);
  return Response.json({
    ...{ query, num_results: total, num_pages: Math.ceil(total / limit), page, page_size: limit },
    results: results.map(({ name, description, stars, isOfficial }) => ({
      ...{ name, description, star_count: stars, is_official: isOfficial, is_automated: false },
    })),
  });
}
