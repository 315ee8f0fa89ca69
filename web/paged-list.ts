import { useLocation } from "preact-iso";
import { list, type Query, toQuery } from "./api.ts";
import { useResource } from "./resource.ts";

/** A page of a list, whose place is in the address. */
export interface PagedList<T> {
  /** Undefined: they are on their way. */
  readonly entries: readonly T[] | undefined;
  readonly error: Error | undefined;
  readonly isLoading: boolean;
  readonly reload: () => void;
  /** Addresses of other pages; undefined: there are none. */
  readonly first: string | undefined;
  readonly next: string | undefined;
}

const PAGE = 50;

/** The page of a list that the address names, under `member` of the answer. */
export function usePagedList<T>(path: string, member: string, query: Query = {}): PagedList<T> {
  const { path: page, query: address } = useLocation();
  const { last, ...rest } = address;
  const asked = { n: PAGE, ...query, last };
  const { data, error, isLoading, reload } = useResource(
    path + toQuery(asked),
    async (signal) => await list<Readonly<Record<string, readonly T[]>>>(path, asked, signal),
    true,
  );
  return {
    ...{ entries: data && (data.body[member] ?? []), error, isLoading, reload },
    first: last === undefined ? undefined : page + toQuery(rest),
    next: data?.next === undefined ? undefined : page + toQuery({ ...rest, last: data.next }),
  };
}
