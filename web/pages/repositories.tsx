import { list } from "../api.ts";
import type { RepositoryEntry } from "../api-types.ts";
import { pageOf } from "../address.ts";
import { Age } from "../components/age.tsx";
import { FirstPush } from "../components/repository/first-push.tsx";
import { Pager } from "../components/lists/pager.tsx";
import { Problem } from "../components/problem.tsx";
import { SearchField } from "../components/lists/search-field.tsx";
import { SkeletonRow } from "../components/lists/skeleton-row.tsx";
import { SortHeader } from "../components/lists/sort-header.tsx";
import { formatBytes, formatCount } from "../format.ts";
import { type ListState, useListState } from "../list-state.ts";
import { useOwnResource } from "../own-resource.ts";
import { useSession } from "../session.tsx";
import { useTitle } from "../title.ts";

const SORTS = ["name", "tags", "size", "pushed", "pulls"] as const;
type Sort = (typeof SORTS)[number];
const PAGE = 50;

/** The first page: all repositories that the caller may pull. */
export function RepositoriesPage() {
  useTitle("");
  const state = useListState<Sort>({ sort: "pushed", order: "desc" }, SORTS);
  const { q, order, last } = state;
  const query = { q, ...order, n: PAGE, last };
  const { data, error, isLoading, reload } = useOwnResource(
    `repositories ${JSON.stringify(query)}`,
    async (signal) =>
      await list<{ repositories: RepositoryEntry[]; total: number }>("/api/repositories", query, signal),
    true,
  );
  const isEmpty = data?.body.repositories.length === 0 && last === undefined;
  return (
    <>
      <div class="page-head">
        <h1 class="visually-hidden">Repositories</h1>
        <SearchField label="Search repositories" value={q} onInput={state.setSearch} />
      </div>
      {error && <Problem error={error} onRetry={reload} />}
      {!error && isEmpty && !isLoading && <Nothing q={q} />}
      {!error && !(isEmpty && !isLoading) && (
        <>
          <RepositoryTable repositories={data?.body.repositories} state={state} />
          <Pager
            noun="repository"
            many="repositories"
            total={data?.body.total}
            first={last === undefined ? undefined : state.hrefOf(undefined)}
            next={data?.next === undefined ? undefined : state.hrefOf(data.next)}
          />
        </>
      )}
    </>
  );
}

function Nothing({ q }: { readonly q: string }) {
  const { caller } = useSession();
  if (q !== "") {
    return (
      <div class="panel stack-tight">
        <h2>Nothing has “{q}” in its name</h2>
        {!caller && <p>You see what is public. Sign in to search what is yours.</p>}
      </div>
    );
  }
  return (
    <div class="panel stack">
      <h2>{caller ? "Nothing is here yet" : "Nothing is public here"}</h2>
      <p>{caller ? "Push a first image:" : "Sign in to see what is yours, or push a first image:"}</p>
      <FirstPush />
    </div>
  );
}

interface TableProps {
  /** Undefined: they are on their way. */
  readonly repositories: readonly RepositoryEntry[] | undefined;
  readonly state: ListState<Sort>;
}

function RepositoryTable({ repositories, state: { order: current, setOrder: onOrder } }: TableProps) {
  const common = { current, onOrder };
  return (
    <table class="table cards" aria-busy={repositories === undefined}>
      <caption class="visually-hidden">Repositories</caption>
      <thead>
        <tr>
          <SortHeader label="Name" sort="name" first="asc" class="main" {...common} />
          <SortHeader label="Tags" sort="tags" class="number" {...common} />
          <SortHeader label="Size" sort="size" class="number" {...common} />
          <SortHeader label="Pulls" sort="pulls" class="number" {...common} />
          <SortHeader label="Last push" sort="pushed" class="number" {...common} />
        </tr>
      </thead>
      <tbody>
        {repositories
          ? repositories.map((repository) => <RepositoryRow key={repository.name} {...repository} />)
          : Array.from({ length: 8 }, (_, index) => <SkeletonRow key={index} widths={[24, 3, 7, 4, 11]} main={0} />)}
      </tbody>
    </table>
  );
}

function RepositoryRow(repository: RepositoryEntry) {
  const { name, visibility, upstream, description, tags, size, uniqueSize, pulls, pushedAt } = repository;
  const shared = uniqueSize === null ? 0 : size - uniqueSize;
  return (
    <tr>
      <td class="main">
        <span class="row">
          <a href={pageOf({ name })}>{name}</a>
          {visibility === "private" && <span class="badge">private</span>}
          {upstream !== null && <span class="badge">mirror</span>}
        </span>
        {description !== null && <p class="quiet small">{description}</p>}
      </td>
      <td class="number" data-label="Tags">
        {formatCount(tags)}
      </td>
      <td class="number" data-label="Size">
        <span>
          {formatBytes(size)}
          {shared > 0 && <span class="quiet small block">{formatBytes(shared)} shared</span>}
        </span>
      </td>
      <td class="number" data-label="Pulls">
        {formatCount(pulls)}
      </td>
      <td class="number" data-label="Last push">
        <Age time={pushedAt} />
      </td>
    </tr>
  );
}
