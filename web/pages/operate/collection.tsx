import { useState } from "preact/hooks";
import { change, get } from "../../api.ts";
import { Age } from "../../components/age.tsx";
import { type Column, DataTable } from "../../components/lists/data-table.tsx";
import { Digest } from "../../components/digest.tsx";
import { DoneNotice } from "../../components/done-notice.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { CliLine } from "../../components/operate/cli-line.tsx";
import { MissingObjects } from "../../components/operate/missing-objects.tsx";
import { Problem } from "../../components/problem.tsx";
import { ShownRows } from "../../components/operate/shown-rows.tsx";
import { ViewHead } from "../../components/operate/view-head.tsx";
import { pageOf } from "../../address.ts";
import { formatBytes, plural } from "../../format.ts";
import type { Candidate, Collection, CollectionRun, Outcome } from "../../operate/answers.ts";
import { describeOutcome, isNothing, REASONS } from "../../operate/collection-words.ts";
import { useResource } from "../../resource.ts";
import { type Save, useSave } from "../../save.ts";

/** What nothing needs any more: what goes next, what waits, and what went. */
export function CollectionView() {
  const { data, error, reload } = useResource(
    "collection",
    async (signal) => await get<Collection>("/api/collection", {}, { signal }),
  );
  const collect = useCollect(reload);
  return (
    <>
      <ViewHead
        title="Collection"
        actions={
          <button
            type="button"
            class="button primary"
            aria-disabled={collect.isBusy}
            onClick={() => void collect.save()}
          >
            {collect.isBusy ? "Collecting…" : "Collect now"}
          </button>
        }
      >
        What no tag, index or manifest holds waits for a time, so that it can be restored, and goes by itself: a run
        begins every ten minutes. Pushes go on beside it.
      </ViewHead>
      <DoneNotice text={collect.done} />
      {collect.error && <Problem error={collect.error} />}
      {error && <Problem error={error} onRetry={reload} />}
      {data && data.missing.length > 0 && <MissingObjects missing={data.missing} />}
      {!error && <Waiting collection={data} />}
      {data && (
        <section class="stack">
          <h3>Runs</h3>
          <Runs runs={data.runs} />
        </section>
      )}
      <CliLine args={["gc", "--dry-run"]} />
    </>
  );
}

interface CollectAnswer {
  readonly outcome: Outcome;
  readonly isComplete: boolean;
}

/** Collects; as the registry does a bounded amount at once, it may have to be asked again. */
function useCollect(onDone: () => void): Omit<Save, "isDone"> & { readonly done: string | undefined } {
  const [done, setDone] = useState<string | undefined>(undefined);
  const { save, isBusy, error } = useSave(async () => {
    setDone(undefined);
    for (let isOver = false; !isOver;) {
      const { outcome, isComplete } = await change<CollectAnswer>("POST", "/api/collection");
      isOver = isComplete || isNothing(outcome);
      const rest = isComplete ? "" : isOver ? " There is more, which a later run takes." : " Going on…";
      setDone(`Collected: ${describeOutcome(outcome)}.${rest}`);
    }
    onDone();
  });
  return { save, isBusy, error, done };
}

function Waiting({ collection }: { readonly collection: Collection | undefined }) {
  if (collection?.due.length === 0 && collection.waiting.length === 0) {
    return (
      <EmptyState title="Nothing waits for collection">
        <p>
          Everything that is stored is held by something. What a deleted tag or a push under the same tag leaves will
          stand here, with its reason and its time.
        </p>
      </EmptyState>
    );
  }
  const more = collection && !collection.isComplete && <p class="quiet">There is more than is shown here.</p>;
  return (
    <>
      <section class="stack">
        <h3>{headingOf(collection)}</h3>
        <Candidates caption="What the next run takes" candidates={collection?.due} none="Nothing is due." />
      </section>
      <section class="stack">
        <h3>Waits</h3>
        <Candidates caption="What waits" candidates={collection?.waiting} none="Nothing waits." />
        {more}
      </section>
    </>
  );
}

function headingOf(collection: Collection | undefined): string {
  if (!collection || collection.due.length === 0) return "The next run";
  return `The next run takes ${plural(collection.due.length, "thing")}, and frees ${formatBytes(collection.freed)}`;
}

interface CandidatesProps {
  readonly caption: string;
  readonly candidates: readonly Candidate[] | undefined;
  readonly none: string;
}

function Candidates({ caption, candidates, none }: CandidatesProps) {
  if (candidates?.length === 0) return <p class="quiet">{none}</p>;
  const table = (rows: readonly Candidate[] | undefined) => (
    <DataTable
      caption={caption}
      columns={CANDIDATE_COLUMNS}
      rows={rows}
      keyOf={({ repository, digest }) => `${repository ?? ""} ${digest}`}
    />
  );
  if (candidates === undefined) return table(undefined);
  return (
    <ShownRows rows={candidates} noun="of them">
      {table}
    </ShownRows>
  );
}

const CANDIDATE_COLUMNS: readonly Column<Candidate>[] = [
  {
    label: "What",
    kind: "main",
    width: 30,
    cell: ({ kind, repository, digest }) => (
      <div class="stack-tight">
        <span>{repository === null ? "no repository" : <a href={pageOf({ name: repository })}>{repository}</a>}</span>
        <span class="row">
          <span class="badge">{kind}</span>
          <Digest
            digest={digest}
            {...(kind === "manifest" && repository !== null && { href: pageOf({ name: repository, digest }) })}
          />
        </span>
      </div>
    ),
  },
  { label: "Why", width: 24, cell: ({ reason }) => REASONS[reason] },
  { label: "Since", width: 10, cell: ({ since }) => <Age time={since} none="not found yet" /> },
  {
    label: "Due",
    width: 10,
    cell: ({ since, dueAt }) => <Age time={dueAt} none={since === null ? "later" : "it stays"} />,
  },
  { label: "Frees", kind: "number", width: 8, cell: ({ freed }) => formatBytes(freed) },
];

const RUN_COLUMNS: readonly Column<CollectionRun>[] = [
  { label: "When", kind: "main", width: 12, cell: ({ endedAt }) => <Age time={endedAt} /> },
  { label: "What it did", width: 40, cell: ({ outcome }) => describeOutcome(outcome) },
  { label: "Freed", kind: "number", width: 8, cell: ({ outcome }) => formatBytes(outcome.bytes) },
];

function Runs({ runs }: { readonly runs: readonly CollectionRun[] }) {
  if (runs.length === 0) return <p class="quiet">There was no run yet that had something to do.</p>;
  return (
    <ShownRows rows={runs} noun="runs">
      {(rows) => <DataTable caption="Runs" columns={RUN_COLUMNS} rows={rows} keyOf={({ startedAt }) => startedAt} />}
    </ShownRows>
  );
}
