import { base64url } from "jose";
import { OciError } from "./error.ts";
import type { PageRequest } from "./page.ts";

export type Order = "asc" | "desc";

/** A place in a list: what its entries are ordered by there, which counts for nothing in the order of names, and the name. */
export interface Position {
  readonly value: number;
  readonly name: string;
}

/** Which part of a list, in which order. Entries of one value come in the order of their names. */
export interface Listing<S extends string> {
  readonly sort: S | "name";
  readonly order: Order;
  readonly after: Position | undefined;
  readonly limit: number;
  /** Part of the names that are wanted, in small letters; all, where it is empty. */
  readonly search: string;
}

/** What a client may say of a list beside its page. */
export interface ListingOptions<S extends string> {
  readonly sort?: S | "name" | undefined;
  /** Names begin with the first, and all else with the most. */
  readonly order?: Order | undefined;
  readonly q?: string | undefined;
}

/** The part of a list that a client asks for. Throws PAGINATION_NUMBER_INVALID for a `last` that is of no page of it. */
export function toListing<S extends string>(
  { limit, last }: PageRequest,
  { sort = "name", order = sort === "name" ? "asc" : "desc", q = "" }: ListingOptions<S>,
): Listing<S> {
  return { sort, order, limit, after: last === "" ? undefined : parseLast(last, sort), search: q.toLowerCase() };
}

/** The `last` of a page that ends here: a name in the order of names, and else no client's business. */
export function formatLast({ value, name }: Position, sort: string): string {
  return sort === "name" ? name : base64url.encode(`${value} ${name}`);
}

function parseLast(last: string, sort: string): Position {
  if (sort === "name") return { value: 0, name: last };
  const [, value, name] = /^(\d{1,15}) ([\w./-]{1,255})$/.exec(decode(last)) ?? [];
  const position = { value: Number(value), name: name ?? "" };
  if (name !== undefined && formatLast(position, sort) === last) return position;
  throw new OciError("PAGINATION_NUMBER_INVALID", { message: "last is not from a Link of this list" });
}

/** The text that this is in base64url; an empty one where it is none. */
function decode(text: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(base64url.decode(text));
  } catch {
    return "";
  }
}
