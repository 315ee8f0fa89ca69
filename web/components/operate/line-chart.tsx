import { useId } from "preact/hooks";
import { lineOf, type Point } from "../../operate/chart.ts";
import { DataTable } from "../lists/data-table.tsx";

interface Props {
  readonly title: string;
  /** In their order. */
  readonly points: readonly Point[];
  readonly format: (value: number) => string;
}

const day = (time: number): string => new Date(time).toLocaleDateString("en", { dateStyle: "medium", timeZone: "UTC" });

/** Days as a line, and as a table for who wants the numbers or sees no line. */
export function LineChart({ title, points, format }: Props) {
  const titleId = useId();
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return null;
  const { path, area, top } = lineOf(points);
  const summary = `From ${format(first.value)} on ${day(first.time)} to ${format(last.value)} on ${day(last.time)}.`;
  return (
    <figure class="chart" aria-labelledby={titleId}>
      <figcaption id={titleId} class="row spread">
        <span>{title}</span>
        <span class="quiet small">{format(last.value)} now</span>
      </figcaption>
      <div class="plot">
        <span class="quiet small">{format(top)}</span>
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label={summary}>
          <path class="area" d={area} />
          <path class="line" d={path} vector-effect="non-scaling-stroke" />
        </svg>
        <span class="row spread quiet small">
          <time dateTime={new Date(first.time).toISOString()}>{day(first.time)}</time>
          <time dateTime={new Date(last.time).toISOString()}>{day(last.time)}</time>
        </span>
      </div>
      <details>
        <summary>As a table</summary>
        <DataTable
          caption={title}
          columns={[
            { label: "Day", width: 12, cell: ({ time }) => day(time) },
            { label: "Value", kind: "number", width: 8, cell: ({ value }) => format(value) },
          ]}
          rows={points.toReversed()}
          keyOf={({ time }) => time}
        />
      </details>
    </figure>
  );
}
