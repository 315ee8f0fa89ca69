import type { ComponentChildren } from "preact";
import { Skeleton } from "../skeleton.tsx";

/** A column of a table. */
export interface Column<T> {
  /** Empty for a column of buttons. */
  readonly label: string;
  readonly kind?: "main" | "number" | "actions";
  /** In characters, while it is on its way. */
  readonly width: number;
  readonly cell: (row: T) => ComponentChildren;
}

interface Props<T> {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  /** Undefined: they are on their way. */
  readonly rows: readonly T[] | undefined;
  readonly keyOf: (row: T) => string | number;
  /** How many are likely to come. */
  readonly expected?: number;
}

/** A table; on narrow screens, a card for each row. */
export function DataTable<T>({ caption, columns, rows, keyOf, expected = 4 }: Props<T>) {
  return (
    <table class="table cards data" aria-busy={rows === undefined}>
      <caption class="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ label, kind }) => (
            <th key={label} scope="col" class={kind}>
              {label === "" ? <span class="visually-hidden">Actions</span> : label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows
          ? rows.map((row) => <Row key={keyOf(row)} columns={columns} cellOf={({ cell }) => cell(row)} />)
          : Array.from({ length: expected }, (_, index) => (
              <Row key={index} columns={columns} cellOf={({ width }) => <Skeleton width={width} />} />
            ))}
      </tbody>
    </table>
  );
}

interface RowProps<T> {
  readonly columns: readonly Column<T>[];
  readonly cellOf: (column: Column<T>) => ComponentChildren;
}

function Row<T>({ columns, cellOf }: RowProps<T>) {
  return (
    <tr>
      {columns.map((column) => (
        <td
          key={column.label}
          class={column.kind}
          data-label={column.kind === "main" || column.label === "" ? undefined : column.label}
        >
          {cellOf(column)}
        </td>
      ))}
    </tr>
  );
}
