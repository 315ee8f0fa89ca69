import { useLocation } from "preact-iso";
import { useCallback } from "preact/hooks";
import { toQuery } from "./api.ts";
import type { Order } from "./components/lists/sort-header.tsx";

/** A list's search, order and place, as the address of the page has them. */
export interface ListState<S extends string> {
  readonly q: string;
  readonly order: Order<S>;
  /** The end of the page before; undefined for the first page. */
  readonly last: string | undefined;
  readonly setSearch: (q: string) => void;
  readonly setOrder: (order: Order<S>) => void;
  /** The address of another page of the list. */
  readonly hrefOf: (last: string | undefined) => string;
}

/** The state of a list, kept in the address, so that a link shows the same. What is as at first is left out of it. */
export function useListState<S extends string>(initial: Order<S>, sorts: readonly S[]): ListState<S> {
  const { path, query, route } = useLocation();
  const q = query.q ?? "";
  const sort = sorts.find((known) => known === query.sort) ?? initial.sort;
  const direction = query.order === "asc" || query.order === "desc" ? query.order : initial.order;
  const order: Order<S> = { sort, order: direction };

  const hrefOf = useCallback(
    (state: { q?: string; order?: Order<S>; last?: string | undefined }) => {
      const next = state.order ?? { sort, order: direction };
      const isInitial = next.sort === initial.sort && next.order === initial.order;
      const others = Object.fromEntries(
        Object.entries(query).filter(([name]) => !["q", "sort", "order", "last"].includes(name)),
      );
      return (
        path +
        toQuery({
          ...others,
          q: state.q ?? q,
          sort: isInitial ? undefined : next.sort,
          order: isInitial ? undefined : next.order,
          last: state.last,
        })
      );
    },
    [path, query, q, sort, direction, initial.sort, initial.order],
  );
  return {
    q,
    order,
    last: query.last,
    setSearch: (text) => route(hrefOf({ q: text }), true),
    setOrder: (next) => route(hrefOf({ order: next }), true),
    hrefOf: (last) => hrefOf({ last }),
  };
}
