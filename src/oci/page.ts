import { OciError } from "./error.ts";

/** Which part of a list a client asks for: at most `limit` entries, after `last`. */
export interface PageRequest {
  readonly limit: number;
  readonly last: string;
}

export interface Page<T> {
  readonly entries: readonly T[];
  /** The `last` of the next page; undefined when this page ends the list. */
  readonly next: string | undefined;
}

/** The most entries that one answer holds; who asks for more, or for all, follows the Link header. */
export const PAGE_LIMIT = 1_000;

/**
 * `n` and `last` of a list (spec, "Listing Tags"). `n=0` is an empty page. Throws PAGINATION_NUMBER_INVALID for an `n`
 * that is no whole number.
 */
export function parsePage(query: URLSearchParams, limit: number = PAGE_LIMIT): PageRequest {
  const last = query.get("last") ?? "";
  const n = query.get("n");
  if (n === null || n === "") return { limit, last };
  if (!/^\d{1,9}$/.test(n)) throw new OciError("PAGINATION_NUMBER_INVALID", { detail: { n: n.slice(0, 32) } });
  return { limit: Math.min(Number(n), limit), last };
}

/** Cuts `limit + 1` fetched entries into a page. The one too many only proves that there is a next page. */
export function toPage<T>(fetched: readonly T[], limit: number, cursor: (entry: T) => string): Page<T> {
  const entries = fetched.slice(0, limit);
  const final = entries.at(-1);
  return { entries, next: fetched.length > limit && final !== undefined ? cursor(final) : undefined };
}
