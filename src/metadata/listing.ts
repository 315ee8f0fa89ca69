import type { Listing, Position } from "../oci/listing.ts";

/** Collects the parameters of a statement, and gives each its name in it. */
export class Parameters {
  readonly values: unknown[] = [];

  add(value: unknown): string {
    this.values.push(value);
    return `?${this.values.length}`;
  }
}

/** A column that a list is ordered by, and its value in the position that the list goes on from. */
export type OrderColumn = readonly [sql: string, value: (after: Position) => unknown];

/** An order in words of SQL. */
export interface OrderSql {
  /** Holds for what comes after the position that the listing goes on from. */
  readonly after: string;
  /** After ORDER BY. */
  readonly terms: string;
}

/** The order of a listing by columns, the first one first, all in its direction. */
export function orderSql(
  { order, after }: Listing<string>,
  columns: readonly OrderColumn[],
  parameters: Parameters,
): OrderSql {
  const terms = columns.map(([sql]) => `${sql} ${order.toUpperCase()}`).join(", ");
  if (after === undefined) return { after: "TRUE", terms };
  const names = columns.map(([sql]) => sql).join(", ");
  const position = columns.map(([, valueIn]) => parameters.add(valueIn(after))).join(", ");
  return { after: `(${names}) ${order === "asc" ? ">" : "<"} (${position})`, terms };
}

/** A condition that holds for the names that a listing looks for. */
export function searchSql({ search }: Listing<string>, name: string, parameters: Parameters): string {
  return search === "" ? "TRUE" : `INSTR(LOWER(${name}), ${parameters.add(search)}) > 0`;
}
