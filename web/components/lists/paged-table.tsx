import type { ComponentChildren } from "preact";
import type { PagedList } from "../../paged-list.ts";
import { type Column, DataTable } from "./data-table.tsx";
import { Pager } from "./pager.tsx";
import { Problem } from "../problem.tsx";

interface Props<T> {
  readonly list: PagedList<T>;
  readonly caption: string;
  /** What is listed, in the singular. */
  readonly noun: string;
  readonly columns: readonly Column<T>[];
  readonly keyOf: (row: T) => string | number;
  /** In place of a table without rows. */
  readonly empty: ComponentChildren;
}

/** A page of a list of the registry's. */
export function PagedTable<T>({ list, caption, noun, columns, keyOf, empty }: Props<T>) {
  const { entries, error, isLoading, reload, first, next } = list;
  if (error) return <Problem error={error} onRetry={reload} />;
  if (entries?.length === 0 && first === undefined && !isLoading) return <>{empty}</>;
  const rows = entries?.length === 0 && isLoading ? undefined : entries;
  return (
    <>
      <DataTable caption={caption} columns={columns} rows={rows} keyOf={keyOf} />
      {(first !== undefined || next !== undefined) && <Pager noun={noun} total={undefined} first={first} next={next} />}
    </>
  );
}
