import { lazy, useLocation } from "preact-iso";
import { ApiError, get, inPath } from "../api.ts";
import type { RepositoryDetails } from "../api-types.ts";
import { imageName, pageOf } from "../address.ts";
import { Age } from "../components/age.tsx";
import { Command } from "../components/command.tsx";
import { Problem } from "../components/problem.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { Tabs } from "../components/tabs.tsx";
import { TagList } from "../components/repository/tag-list.tsx";
import { formatBytes, formatCount } from "../format.ts";
import { useOwnResource } from "../own-resource.ts";
import { useSession } from "../session.tsx";
import { useTitle } from "../title.ts";

const About = lazy(async () => (await import("../components/repository/repository-about.tsx")).RepositoryAbout);
const Settings = lazy(
  async () => (await import("../components/repository/repository-settings.tsx")).RepositorySettings,
);

/** A repository: its tags, what it says of itself, and its settings. */
export function RepositoryPage({ name }: { readonly name: string }) {
  useTitle(name);
  const { caller } = useSession();
  const { query } = useLocation();
  const { data, error, reload } = useOwnResource(
    `repository ${name}`,
    async (signal) => await get<RepositoryDetails>(`/api/repositories/${inPath(name)}`, {}, { signal }),
  );
  if (error) return <Missing name={name} error={error} onRetry={reload} />;
  const views = [
    { id: "tags", label: "Tags" },
    { id: "about", label: "About" },
    ...(caller?.role === "admin" ? [{ id: "settings", label: "Settings" }] : []),
  ];
  const view = views.find(({ id }) => id === query.view)?.id ?? "tags";
  return (
    <>
      <div class="stack-tight">
        <div class="row">
          <h1>{name}</h1>
          {data && <span class={`badge ${data.visibility === "public" ? "good" : ""}`}>{data.visibility}</span>}
          {data?.upstream && <span class="badge">mirror of {data.upstream}</span>}
        </div>
        {data?.description && <p class="quiet">{data.description}</p>}
      </div>
      <Facts repository={data} />
      <Command text={`docker pull ${imageName({ name })}`} />
      <Tabs label="Views of the repository" views={views} current={view} hrefOf={(id) => viewOf(name, id)} />
      {view === "tags" && <TagList name={name} repository={data} onChange={reload} />}
      {view === "about" && <About name={name} />}
      {view === "settings" && data && <Settings repository={data} onChange={reload} />}
    </>
  );
}

const viewOf = (name: string, view: string): string =>
  view === "tags" ? pageOf({ name }) : `${pageOf({ name })}?view=${view}`;

function Facts({ repository }: { readonly repository: RepositoryDetails | undefined }) {
  const shared = repository && repository.uniqueSize !== null ? repository.size - repository.uniqueSize : undefined;
  return (
    <dl class="facts">
      <div>
        <dt>Tags</dt>
        <dd>{repository ? formatCount(repository.tags) : <Skeleton width={3} />}</dd>
      </div>
      <div>
        <dt>Size</dt>
        <dd>{repository ? formatBytes(repository.size) : <Skeleton width={7} />}</dd>
      </div>
      {shared !== undefined && (
        <div>
          <dt>Of it shared</dt>
          <dd>{formatBytes(shared)}</dd>
        </div>
      )}
      <div>
        <dt>Pulls</dt>
        <dd>{repository ? formatCount(repository.pulls) : <Skeleton width={4} />}</dd>
      </div>
      <div>
        <dt>Last push</dt>
        <dd>{repository ? <Age time={repository.pushedAt} /> : <Skeleton width={9} />}</dd>
      </div>
    </dl>
  );
}

interface MissingProps {
  readonly name: string;
  readonly error: Error;
  readonly onRetry: () => void;
}

/** To who may not pull it, a repository looks like none: the page says what can be done about either. */
function Missing({ name, error, onRetry }: MissingProps) {
  const { caller } = useSession();
  const { url } = useLocation();
  if (!(error instanceof ApiError) || error.status !== 404) {
    return (
      <>
        <h1>{name}</h1>
        <Problem error={error} onRetry={onRetry} />
      </>
    );
  }
  return (
    <>
      <h1>{name}</h1>
      <div class="panel stack-tight">
        <h2>There is no such repository, or you may not pull it</h2>
        {caller ? (
          <p>
            A first push makes it: <code>docker push {imageName({ name, tag: "1.0" })}</code>
          </p>
        ) : (
          <p>
            <a href={`/login?to=${encodeURIComponent(url)}`}>Sign in</a> to see what is yours.
          </p>
        )}
      </div>
    </>
  );
}
