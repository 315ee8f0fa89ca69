import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { formatCount } from "../../format.ts";

interface Props<T> {
  readonly rows: readonly T[];
  /** What is listed, in the plural. */
  readonly noun: string;
  readonly most?: number;
  readonly children: (rows: readonly T[]) => ComponentChildren;
}

/** The first of many rows, and the rest when it is asked for. */
export function ShownRows<T>({ rows, noun, most = 10, children }: Props<T>) {
  const [isWhole, setWhole] = useState(false);
  return (
    <>
      {children(isWhole ? rows : rows.slice(0, most))}
      {!isWhole && rows.length > most && (
        <div>
          <button type="button" class="button" onClick={() => setWhole(true)}>
            Show all {formatCount(rows.length)} {noun}
          </button>
        </div>
      )}
    </>
  );
}
