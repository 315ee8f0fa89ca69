import { useLocation } from "preact-iso";
import { toQuery } from "../../api.ts";
import { pageOf } from "../../address.ts";
import { Age } from "../../components/age.tsx";
import type { Column } from "../../components/lists/data-table.tsx";
import { Digest } from "../../components/digest.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { FilterActions } from "../../components/lists/filter-actions.tsx";
import { PagedTable } from "../../components/lists/paged-table.tsx";
import { SelectField } from "../../components/forms/select-field.tsx";
import { TextField } from "../../components/forms/text-field.tsx";
import { ViewHead } from "../../components/operate/view-head.tsx";
import { useDraft } from "../../draft.ts";
import { formatActor } from "../../format.ts";
import type { AuditEvent } from "../../operate/answers.ts";
import { AUDIT_ACTIONS, SINCE, sinceOf } from "../../operate/audit-filters.ts";
import { usePagedList } from "../../paged-list.ts";

/** Who changed what. */
export function AuditView() {
  const { query } = useLocation();
  const { repository, actor, action, since } = query;
  const filters = { repository, actor, action, since: sinceOf(since, Date.now()) };
  const list = usePagedList<AuditEvent>("/api/audit", "events", filters);
  const isFiltered = [repository, actor, action, since].some((filter) => filter !== undefined);
  return (
    <>
      <ViewHead title="Audit">
        Every change, recorded in the transaction that made it: who, when, and by which credential.
      </ViewHead>
      <Filters key={JSON.stringify([repository, actor, action, since])} isFiltered={isFiltered} />
      <PagedTable
        list={list}
        caption="Changes, newest first"
        noun="event"
        columns={COLUMNS}
        keyOf={({ id }) => id}
        empty={
          isFiltered ? (
            <p class="quiet">Nothing of the kind is recorded.</p>
          ) : (
            <EmptyState title="Nothing has changed yet" args={["audit", "--since", "7d"]}>
              <p>Pushes, deletions and every change of access will stand here.</p>
            </EmptyState>
          )
        }
      />
    </>
  );
}

const COLUMNS: readonly Column<AuditEvent>[] = [
  { label: "When", width: 10, cell: ({ occurredAt }) => <Age time={occurredAt} /> },
  {
    label: "Who",
    width: 12,
    cell: ({ actor, credential }) => (
      <span title={`by ${credential}`} class="wrap">
        {formatActor(actor)}
      </span>
    ),
  },
  { label: "What", width: 14, cell: ({ action }) => <span class="badge">{action}</span> },
  {
    label: "Of",
    kind: "main",
    width: 30,
    cell: (event) => (
      <div class="stack-tight">
        <Target {...event} />
        {event.detail && <code class="quiet small wrap">{describeDetail(event.detail)}</code>}
      </div>
    ),
  },
];

function Target({ repository, tag, digest }: AuditEvent) {
  if (repository === null) return null;
  // A change of settings may be of a pattern, which has no page.
  const isPattern = repository.includes("*");
  const name = tag === null ? repository : `${repository}:${tag}`;
  return (
    <span class="row">
      {isPattern ? (
        <code>{name}</code>
      ) : (
        <a href={pageOf({ name: repository, ...(tag !== null && { tag }) })}>{name}</a>
      )}
      {digest !== null && <Digest digest={digest} />}
    </span>
  );
}

const describeDetail = (detail: Readonly<Record<string, unknown>>): string =>
  Object.entries(detail)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");

/** Which changes are shown, in the address. */
function Filters({ isFiltered }: { readonly isFiltered: boolean }) {
  const { path, query, route } = useLocation();
  const [draft, set] = useDraft({
    ...{ repository: query.repository ?? "", actor: query.actor ?? "" },
    ...{ action: query.action ?? "", since: query.since ?? "" },
  });
  const submit = (event: Event) => {
    event.preventDefault();
    route(path + toQuery({ ...draft, repository: draft.repository.trim(), actor: draft.actor.trim() }));
  };
  return (
    <form class="filters" onSubmit={submit}>
      <TextField
        name="repository"
        label="In the repository"
        value={draft.repository}
        onInput={(value) => set("repository", value)}
      />
      <TextField
        name="actor"
        label="By"
        placeholder="account:alice"
        value={draft.actor}
        onInput={(value) => set("actor", value)}
      />
      <SelectField
        name="action"
        label="What"
        value={draft.action}
        options={AUDIT_ACTIONS}
        onChange={(value) => set("action", value)}
      />
      <SelectField
        name="since"
        label="Since"
        value={draft.since}
        options={SINCE}
        onChange={(value) => set("since", value)}
      />
      <FilterActions href={isFiltered ? path : undefined} />
    </form>
  );
}
