import { useLocation } from "preact-iso";
import { useState } from "preact/hooks";
import { list } from "../../api.ts";
import type { RepositoryDetails, TagEntry } from "../../api-types.ts";
import { comparisonOf } from "../../address.ts";
import { type ListState, useListState } from "../../list-state.ts";
import { useOwnResource } from "../../own-resource.ts";
import { DeletedNotice } from "./deleted-notice.tsx";
import { DeletionDialog } from "./deletion-dialog.tsx";
import { FirstPush } from "./first-push.tsx";
import { Pager } from "../lists/pager.tsx";
import { Problem } from "../problem.tsx";
import { SearchField } from "../lists/search-field.tsx";
import { SkeletonRow } from "../lists/skeleton-row.tsx";
import { SortHeader } from "../lists/sort-header.tsx";
import { TagRow } from "./tag-row.tsx";

const SORTS = ["name", "size", "updated"] as const;
type Sort = (typeof SORTS)[number];
const PAGE = 50;

interface Props {
  readonly name: string;
  /** Undefined while it loads. */
  readonly repository: RepositoryDetails | undefined;
  /** Called when tags have changed. */
  readonly onChange: () => void;
}

/** The tags of a repository, the newest first. */
export function TagList({ name, repository, onChange }: Props) {
  const state = useListState<Sort>({ sort: "updated", order: "desc" }, SORTS);
  const { q, order, last } = state;
  const query = { repository: name, q, ...order, n: PAGE, last };
  const { data, error, isLoading, reload } = useOwnResource(
    `tags ${JSON.stringify(query)}`,
    async (signal) => await list<{ tags: TagEntry[]; total: number }>("/api/tags", query, signal),
    true,
  );
  const [deleting, setDeleting] = useState<TagEntry | undefined>(undefined);
  const [deleted, setDeleted] = useState<TagEntry | undefined>(undefined);
  const changed = () => {
    reload();
    onChange();
  };
  const isEmpty = data?.body.tags.length === 0 && last === undefined && !isLoading;
  return (
    <section class="stack" aria-label="Tags">
      <SearchField label="Search tags" value={q} onInput={state.setSearch} />
      {deleted && (
        <DeletedNotice
          {...{ name, digest: deleted.digest, tags: [deleted.name] }}
          onRestored={() => {
            changed();
            setDeleted(undefined);
          }}
        />
      )}
      {error && <Problem error={error} onRetry={reload} />}
      {!error && isEmpty && <Nothing q={q} name={name} />}
      {!error && !isEmpty && (
        <>
          <TagTable
            name={name}
            tags={data?.body.tags}
            state={state}
            onDelete={repository?.actions.includes("delete") ? setDeleting : undefined}
          />
          <Pager
            noun="tag"
            total={data?.body.total}
            first={last === undefined ? undefined : state.hrefOf(undefined)}
            next={data?.next === undefined ? undefined : state.hrefOf(data.next)}
          />
        </>
      )}
      {deleting && (
        <DeletionDialog
          address={{ name, tag: deleting.name }}
          onDeleted={() => {
            setDeleted(deleting);
            changed();
          }}
          onClose={() => setDeleting(undefined)}
        />
      )}
    </section>
  );
}

function Nothing({ q, name }: { readonly q: string; readonly name: string }) {
  return (
    <div class="panel stack">
      <h2>{q === "" ? "No tags" : `No tag has “${q}” in its name`}</h2>
      {q === "" && <FirstPush name={name} />}
    </div>
  );
}

interface TableProps {
  readonly name: string;
  readonly tags: readonly TagEntry[] | undefined;
  readonly state: ListState<Sort>;
  /** Undefined: the caller may not. */
  readonly onDelete: ((tag: TagEntry) => void) | undefined;
}

function TagTable({ name, tags, state: { order: current, setOrder: onOrder }, onDelete }: TableProps) {
  const { route } = useLocation();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const common = { current, onOrder };
  const choose = (tag: string) => {
    setChosen((before) =>
      before.includes(tag) ? before.filter((other) => other !== tag) : [...before, tag].slice(-2),
    );
  };
  const [first, second] = chosen;
  const compare = () => {
    if (first !== undefined && second !== undefined) route(comparisonOf({ name, tag: first }, { name, tag: second }));
  };
  return (
    <>
      <div class="row">
        <button type="button" class="button" disabled={second === undefined} onClick={compare}>
          Compare
        </button>
        <span class="quiet small" role="status">
          {second !== undefined
            ? `${first ?? ""} with ${second}`
            : first !== undefined
              ? "Choose one more"
              : "Choose two tags"}
        </span>
      </div>
      <table class="table cards" aria-busy={tags === undefined}>
        <caption class="visually-hidden">Tags of {name}</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="visually-hidden">To compare</span>
            </th>
            <SortHeader label="Tag" sort="name" first="asc" class="main" {...common} />
            <th scope="col">Platforms</th>
            <SortHeader label="Size" sort="size" class="number" {...common} />
            <SortHeader label="Pushed" sort="updated" class="number" {...common} />
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tags
            ? tags.map((tag) => (
                <TagRow
                  key={tag.name}
                  {...{ name, tag, onDelete }}
                  isChosen={chosen.includes(tag.name)}
                  onChoose={() => choose(tag.name)}
                />
              ))
            : Array.from({ length: 8 }, (_, index) => (
                <SkeletonRow key={index} widths={[2, 18, 12, 7, 11, 4]} main={1} />
              ))}
        </tbody>
      </table>
    </>
  );
}
