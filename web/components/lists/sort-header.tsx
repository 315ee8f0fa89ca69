/** An order of a list. */
export interface Order<S extends string> {
  readonly sort: S;
  readonly order: "asc" | "desc";
}

interface Props<S extends string> {
  readonly label: string;
  readonly sort: S;
  readonly current: Order<S>;
  /** The order that a first click asks for. */
  readonly first?: "asc" | "desc";
  readonly onOrder: (order: Order<S>) => void;
  readonly class?: string;
}

/** The head of a column that the list can be ordered by. */
export function SortHeader<S extends string>({ label, sort, current, first = "desc", onOrder, class: name }: Props<S>) {
  const isCurrent = current.sort === sort;
  const next = isCurrent ? (current.order === "asc" ? "desc" : "asc") : first;
  const state = !isCurrent ? undefined : current.order === "asc" ? "ascending" : "descending";
  return (
    <th scope="col" class={name} aria-sort={state}>
      <button type="button" onClick={() => onOrder({ sort, order: next })}>
        {label}
      </button>
    </th>
  );
}
