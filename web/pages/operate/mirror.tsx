import { useState } from "preact/hooks";
import { change, get } from "../../api.ts";
import { Age } from "../../components/age.tsx";
import { CodeBlock } from "../../components/code-block.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { type Column, DataTable } from "../../components/lists/data-table.tsx";
import { CliLine } from "../../components/operate/cli-line.tsx";
import { MirrorClients } from "../../components/operate/mirror-clients.tsx";
import { ViewHead } from "../../components/operate/view-head.tsx";
import { Problem } from "../../components/problem.tsx";
import { formatBytes, formatCount, plural } from "../../format.ts";
import type { Upstream, UpstreamCheck } from "../../operate/answers.ts";
import { describeTimes, troubleOf } from "../../operate/mirror-clients.ts";
import { useResource } from "../../resource.ts";
import { useSave } from "../../save.ts";

const EXAMPLE = `UPSTREAMS = '''[
  { "name": "docker.io", "anonymous": true, "root": true }
]'''`;

/** The registries that this one mirrors: how they are, and how clients find them here. */
export function MirrorView() {
  const { data, error, reload } = useResource(
    "mirror",
    async (signal) => await get<{ upstreams: Upstream[] }>("/api/mirror", {}, { signal }),
  );
  const upstreams = data?.upstreams;
  return (
    <>
      <ViewHead title="Mirror">
        Images of other registries come here with their first pull, and are served from here from then on: also while
        the registry that they are from does not answer.
      </ViewHead>
      {error && <Problem error={error} onRetry={reload} />}
      {upstreams?.length === 0 && <NoUpstreams />}
      {!error && upstreams?.length !== 0 && <Upstreams upstreams={upstreams} onChecked={reload} />}
      {upstreams && upstreams.length > 0 && <MirrorClients upstreams={upstreams} />}
      <CliLine args={["mirror", "check"]} />
    </>
  );
}

const NoUpstreams = () => (
  <EmptyState title="No registry is mirrored">
    <p>Whoever pulls through this registry needs no other: not when it limits pulls, is slow, or is down.</p>
    <CodeBlock label="In [vars] of wrangler.toml" text={EXAMPLE} />
  </EmptyState>
);

interface UpstreamsProps {
  readonly upstreams: readonly Upstream[] | undefined;
  readonly onChecked: () => void;
}

function Upstreams({ upstreams, onChecked }: UpstreamsProps) {
  const [checked, setChecked] = useState<UpstreamCheck | undefined>(undefined);
  const columns: readonly Column<Upstream>[] = [
    ...COLUMNS,
    {
      label: "",
      kind: "actions",
      width: 6,
      cell: ({ name }) => (
        <CheckButton
          name={name}
          onChecked={(check) => {
            setChecked(check);
            onChecked();
          }}
        />
      ),
    },
  ];
  return (
    <>
      <div role="status">
        {checked && (
          <p class={`notice wrap ${checked.ok ? "good" : "danger"}`}>
            {checked.message} ({formatCount(checked.milliseconds)} ms)
          </p>
        )}
      </div>
      <DataTable caption="Upstreams" columns={columns} rows={upstreams} keyOf={({ name }) => name} expected={2} />
    </>
  );
}

const COLUMNS: readonly Column<Upstream>[] = [
  { label: "Upstream", kind: "main", width: 20, cell: (upstream) => <UpstreamCell upstream={upstream} /> },
  {
    label: "Here",
    width: 14,
    cell: ({ name, mirrored: { repositories, bytes } }) => (
      <div class="stack-tight">
        <a href={`/?q=${encodeURIComponent(`${name}/`)}`}>{plural(repositories, "repository", "repositories")}</a>
        <span class="quiet small">{formatBytes(bytes)}</span>
      </div>
    ),
  },
  { label: "Answered", width: 14, cell: (upstream) => <AnsweredCell upstream={upstream} /> },
  { label: "Pulls left", kind: "number", width: 10, cell: ({ rateLimit }) => <LimitCell rateLimit={rateLimit} /> },
];

function UpstreamCell({ upstream }: { readonly upstream: Upstream }) {
  const { name, url, anonymous, root, hasCredentials, repositories } = upstream;
  const isRoot = root !== false;
  return (
    <div class="stack-tight">
      <strong>{name}</strong>
      <span class="quiet small wrap">
        {url}
        {hasCredentials && ", with credentials"}
      </span>
      <span class="badges">
        <span class="badge">{anonymous ? "for anyone" : "by rules"}</span>
        {isRoot && <span class="badge accent">root{typeof root === "object" && ` of ${root.join(", ")}`}</span>}
      </span>
      <details>
        <summary>What is mirrored, and for how long</summary>
        <ul>
          <li>
            <code class="wrap">{repositories.join(", ")}</code>
          </li>
          {describeTimes(upstream).map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </details>
    </div>
  );
}

function AnsweredCell({ upstream }: { readonly upstream: Upstream }) {
  const trouble = troubleOf(upstream);
  return (
    <div class="stack-tight">
      <Age time={upstream.answeredAt} />
      {trouble !== undefined && (
        <span class="wrap">
          <span class="badge danger">failed</span> <Age time={upstream.failedAt} />: {trouble}
        </span>
      )}
    </div>
  );
}

function LimitCell({ rateLimit }: Pick<Upstream, "rateLimit">) {
  if (rateLimit === null) return <span class="quiet">not said</span>;
  const { remaining, limit, seenAt } = rateLimit;
  return (
    <div class="stack-tight">
      <span>
        {formatCount(remaining)} of {formatCount(limit)}
      </span>
      <span class="quiet small">
        <Age time={seenAt} />
      </span>
    </div>
  );
}

interface CheckButtonProps {
  readonly name: string;
  readonly onChecked: (check: UpstreamCheck) => void;
}

function CheckButton({ name, onChecked }: CheckButtonProps) {
  const { save, isBusy, error } = useSave(async () => {
    onChecked(await change<UpstreamCheck>("POST", `/api/mirror/${encodeURIComponent(name)}/check`));
  });
  return (
    <div class="row">
      {error && <Problem error={error} />}
      <button type="button" class="button small" aria-disabled={isBusy} onClick={() => void save()}>
        {isBusy ? "Checking…" : "Check"}
        <span class="visually-hidden"> {name}</span>
      </button>
    </div>
  );
}
