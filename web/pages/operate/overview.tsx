import type { ComponentChildren } from "preact";
import { get } from "../../api.ts";
import { Age } from "../../components/age.tsx";
import { LineChart } from "../../components/operate/line-chart.tsx";
import { Problem } from "../../components/problem.tsx";
import { Skeleton } from "../../components/skeleton.tsx";
import { formatBytes, formatCount, formatDollars, plural } from "../../format.ts";
import { useKnownMonth } from "../../known-month.ts";
import type { Collection, Usage, UsageDay } from "../../operate/answers.ts";
import type { Point } from "../../operate/chart.ts";
import { describeOutcome } from "../../operate/collection-words.ts";
import { estimateOf } from "../../operate/month.ts";
import { useResource } from "../../resource.ts";

const DAYS = 90;

/** How much is stored, how it grew, what waits, and what it costs. */
export function OverviewView() {
  const usage = useResource("usage", async (signal) => await get<Usage>("/api/usage", {}, { signal }));
  const collection = useResource(
    "collection",
    async (signal) => await get<Collection>("/api/collection", {}, { signal }),
  );
  const missing = collection.data?.missing.length ?? 0;
  return (
    <>
      <h2 class="visually-hidden">Overview</h2>
      {missing > 0 && (
        <p class="notice danger" role="alert">
          <strong>{plural(missing, "object is", "objects are")} missing from the bucket.</strong> Who pulls them gets an
          error. <a href="/operate/collection">Which ones</a>
        </p>
      )}
      {usage.error ? <Problem error={usage.error} onRetry={usage.reload} /> : <Figures usage={usage.data} />}
      <Growth usage={usage.data} />
      <div class="columns">
        <Panel title="Collection" href="/operate/collection" error={collection.error} onRetry={collection.reload}>
          {collection.data ? <Waiting {...collection.data} /> : <SkeletonLines />}
        </Panel>
        <CostPanel />
      </div>
    </>
  );
}

function Figures({ usage }: { readonly usage: Usage | undefined }) {
  const mirrored = usage?.mirroredBytes ?? 0;
  const figures = [
    { label: "Stored", width: 7, value: usage && formatBytes(usage.bytes) },
    ...(usage && mirrored > 0
      ? [
          { label: "Our own", width: 7, value: formatBytes(usage.bytes - mirrored) },
          { label: "Mirrored", width: 7, value: formatBytes(mirrored) },
        ]
      : []),
    { label: "Objects", width: 6, value: usage && formatCount(usage.objects) },
    { label: "Repositories", width: 4, value: usage && formatCount(usage.repositories) },
    { label: "Database", width: 7, value: usage && formatBytes(usage.databaseBytes) },
  ];
  return (
    <dl class="facts panel">
      {figures.map(({ label, width, value }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value ?? <Skeleton width={width} />}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What was stored by day, and what is now. */
function Growth({ usage }: { readonly usage: Usage | undefined }) {
  const { data, error, reload } = useResource(
    "usage history",
    async (signal) => await get<{ days: UsageDay[] }>("/api/usage/history", { days: DAYS }, { signal }),
  );
  if (error) return <Problem error={error} onRetry={reload} />;
  const points: Point[] = (data?.days ?? []).map(({ day, bytes }) => ({ time: Date.parse(day), value: bytes }));
  const today = Date.parse(new Date().toISOString().slice(0, 10));
  const before = points.filter(({ time }) => time < today);
  const shown = usage ? [...before, { time: today, value: usage.bytes }] : points;
  return (
    <section class="panel chart-panel">
      {data === undefined || usage === undefined ? (
        <SkeletonLines />
      ) : before.length === 0 ? (
        <div class="stack-tight">
          <h3>Storage, by day</h3>
          <p class="quiet">It is noted each day: from tomorrow on, a line shows how it grows.</p>
        </div>
      ) : (
        <LineChart title={`Storage, the last ${plural(shown.length, "day")}`} points={shown} format={formatBytes} />
      )}
    </section>
  );
}

interface PanelProps {
  readonly title: string;
  readonly href: string;
  readonly error: Error | undefined;
  readonly onRetry: () => void;
  readonly children: ComponentChildren;
}

function Panel({ title, href, error, onRetry, children }: PanelProps) {
  return (
    <section class="panel stack">
      <h3>
        <a href={href}>{title}</a>
      </h3>
      {error ? <Problem error={error} onRetry={onRetry} /> : children}
    </section>
  );
}

function Waiting({ due, waiting, freed, runs, isComplete }: Collection) {
  const [last] = runs;
  const atLeast = isComplete ? "" : "at least ";
  return (
    <dl class="pairs">
      <dt>The next run</dt>
      <dd>
        {due.length === 0
          ? "takes nothing"
          : `takes ${atLeast}${plural(due.length, "thing")}, frees ${formatBytes(freed)}`}
      </dd>
      <dt>Waits</dt>
      <dd>{waiting.length === 0 ? "nothing" : `${atLeast}${plural(waiting.length, "thing")}`}</dd>
      <dt>The last run</dt>
      <dd>{last ? <LastRun {...last} /> : <span class="quiet">none yet that had something to do</span>}</dd>
    </dl>
  );
}

const LastRun = ({ endedAt, outcome }: Collection["runs"][number]) => (
  <>
    <Age time={endedAt} />: {describeOutcome(outcome)}
  </>
);

function CostPanel() {
  const { data, error, reload } = useKnownMonth();
  return (
    <Panel title="A month costs" href="/operate/cost" error={error} onRetry={reload}>
      {data ? (
        <p>
          <strong>{formatDollars(estimateOf(data).dollars)}</strong> at Cloudflare's list prices, with{" "}
          {plural(data.pulls, "pull")} and {plural(data.pushes, "push", "pushes")} as it looks now.
        </p>
      ) : (
        <SkeletonLines />
      )}
    </Panel>
  );
}

const SkeletonLines = () => (
  <div class="stack-tight" aria-busy="true">
    <Skeleton width={30} />
    <Skeleton width={24} />
    <Skeleton width={36} />
  </div>
);
