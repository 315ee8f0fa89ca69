import { pageOf } from "../../address.ts";
import { formatBytes, formatCount, plural } from "../../format.ts";
import type { RepositoryReport, RetentionReport } from "../../operate/answers.ts";
import { countTags } from "../../operate/retention-report.ts";
import { type Column, DataTable } from "../lists/data-table.tsx";
import { ShownRows } from "./shown-rows.tsx";

type TagReport = RepositoryReport["tags"][number];

/** What a rule would do: which tags go, which stay, and why. */
export function RetentionEffect({ report }: { readonly report: RetentionReport }) {
  const { repositories, bytes, isComplete } = report;
  const { gone, kept } = countTags(report);
  const concerned = repositories.filter(({ tags, skipped }) => tags.length > 0 || skipped !== undefined);
  return (
    <div class="stack">
      <p role="status">
        <strong>{gone === 0 ? "No tag would go" : `${plural(gone, "tag")} would go`}</strong>, {formatCount(kept)} stay
        {gone > 0 && `; ${formatBytes(bytes)} are freed once they are collected`}.
        {!isComplete && " This is the beginning: there is more than one look shows."}
      </p>
      <ShownRows rows={concerned} noun="repositories">
        {(rows) => rows.map((row) => <RepositoryEffect key={row.repository} report={row} />)}
      </ShownRows>
    </div>
  );
}

function RepositoryEffect({ report: { repository, tags, bytes, skipped } }: { readonly report: RepositoryReport }) {
  const going = tags.filter(({ keep }) => !keep);
  // What goes comes first: it is what is looked for.
  const sorted = [...going, ...tags.filter(({ keep }) => keep)];
  return (
    <details open={going.length > 0}>
      <summary>
        {repository}: {skipped ?? `${plural(going.length, "tag")} of ${formatCount(tags.length)} would go`}
        {going.length > 0 && `, ${formatBytes(bytes)}`}
      </summary>
      {tags.length > 0 && (
        <div class="stack-tight">
          <ShownRows rows={sorted} noun="tags">
            {(rows) => (
              <DataTable
                caption={`Tags of ${repository}`}
                columns={columnsOf(repository)}
                rows={rows}
                keyOf={({ tag }) => tag}
              />
            )}
          </ShownRows>
        </div>
      )}
    </details>
  );
}

const columnsOf = (name: string): Column<TagReport>[] => [
  { label: "Tag", kind: "main", width: 12, cell: ({ tag }) => <a href={pageOf({ name, tag })}>{tag}</a> },
  {
    label: "Then",
    width: 6,
    cell: ({ keep }) => <span class={keep ? "badge good" : "badge danger"}>{keep ? "stays" : "goes"}</span>,
  },
  { label: "Why", width: 40, cell: ({ reason }) => reason },
];
