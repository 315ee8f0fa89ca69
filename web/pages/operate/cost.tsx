import { Fragment } from "preact";
import { useMemo } from "preact/hooks";
import { type Estimate, estimateMonth, type Month, type Part } from "../../../cost/estimate.ts";
import { PRICE_SOURCES, PRICES_READ, UNIT_SIZE } from "../../../cost/prices.ts";
import { CliLine } from "../../components/operate/cli-line.tsx";
import { type Column, DataTable } from "../../components/lists/data-table.tsx";
import { MonthFields } from "../../components/forms/month-fields.tsx";
import { Problem } from "../../components/problem.tsx";
import { Skeleton } from "../../components/skeleton.tsx";
import { ViewHead } from "../../components/operate/view-head.tsx";
import { useDraft } from "../../draft.ts";
import { formatDollars } from "../../format.ts";
import { useKnownMonth } from "../../known-month.ts";
import { costCommand, draftOfMonth, type Known, monthOf } from "../../operate/month.ts";

/** What a month costs, by parts; of this registry, or of one with more to do. */
export function CostView() {
  const { data, error, reload } = useKnownMonth();
  return (
    <>
      <ViewHead title="Cost">
        A month at Cloudflare's list prices of {PRICES_READ}: what is stored now, and as many pulls and pushes as it
        looks like. Change them to see another month.
      </ViewHead>
      {error && <Problem error={error} onRetry={reload} />}
      {data && <Calculator known={data} />}
      {!data && !error && <Skeleton width={40} />}
    </>
  );
}

type Result =
  { readonly month: Month; readonly error?: undefined } | { readonly month?: undefined; readonly error: Error };

function Calculator({ known }: { readonly known: Known }) {
  const [draft, set, put] = useDraft(draftOfMonth(known));
  const { month, error } = useMemo((): Result => {
    try {
      return { month: monthOf(draft, known.usage) };
    } catch (problem) {
      return { error: problem instanceof Error ? problem : new Error(String(problem)) };
    }
  }, [draft, known]);
  return (
    <>
      <MonthFields draft={draft} set={set} error={error} onReset={() => put(draftOfMonth(known))} />
      <div class="done" role="status">
        {month && <p class="total-line">{formatDollars(estimateMonth(month).dollars)} a month</p>}
      </div>
      {month && <Bill estimate={estimateMonth(month)} />}
      <p class="quiet small">
        Prices were read on {PRICES_READ}:{" "}
        {PRICE_SOURCES.map((source, index) => (
          <Fragment key={source}>
            {index > 0 && ", "}
            <a href={source} rel="noreferrer">
              {new URL(source).pathname.split("/").find((part) => part !== "")}
            </a>
          </Fragment>
        ))}
        . Taxes, discounts and the free plan are not in it.
      </p>
      {month && <CliLine args={costCommand(month)} />}
    </>
  );
}

/** A line of the bill; what is no part has neither quantity nor price. */
type Line = Pick<Part, "name" | "dollars"> & Partial<Part>;

function Bill({ estimate: { subscription, parts, dollars } }: { readonly estimate: Estimate }) {
  const lines: Line[] = [
    { name: "Workers Paid, the subscription", dollars: subscription },
    ...parts,
    { name: TOGETHER, dollars },
  ];
  return <DataTable caption="The month by parts" columns={COLUMNS} rows={lines} keyOf={({ name }) => name} />;
}

const TOGETHER = "Together";

const COLUMNS: readonly Column<Line>[] = [
  { label: "Part", kind: "main", width: 20, cell: ({ name }) => (name === TOGETHER ? <strong>{name}</strong> : name) },
  { label: "Quantity", kind: "number", width: 8, cell: ({ unit, quantity }) => formatUnits(unit, quantity, true) },
  { label: "Included", kind: "number", width: 8, cell: ({ unit, included }) => formatUnits(unit, included, false) },
  {
    label: "Price",
    kind: "number",
    width: 16,
    cell: ({ unit, price }) => unit && (price === 0 ? "nothing" : `$${price ?? 0} a ${unit}`),
  },
  {
    label: "Dollars",
    kind: "number",
    width: 8,
    cell: ({ name, dollars }) =>
      name === TOGETHER ? <strong>{formatDollars(dollars)}</strong> : formatDollars(dollars),
  },
];

/** `1.25 M`, `50 GB`; a quantity is not in its unit yet. */
function formatUnits(unit: Part["unit"] | undefined, count: number | undefined, isQuantity: boolean): string {
  if (unit === undefined || count === undefined || (count === 0 && !isQuantity)) return "";
  const units = isQuantity ? count / UNIT_SIZE[unit] : count;
  return `${units.toLocaleString("en", { maximumSignificantDigits: 3 })} ${unit === "million" ? "M" : "GB"}`;
}
