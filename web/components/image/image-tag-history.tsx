import { useLocation } from "preact-iso";
import { useState } from "preact/hooks";
import { type Address, comparisonOf, pageOf } from "../../address.ts";
import { change, list } from "../../api.ts";
import type { TagEvent } from "../../api-types.ts";
import { formatActor, shortDigest } from "../../format.ts";
import { useHref } from "../../href.ts";
import { useOwnResource } from "../../own-resource.ts";
import { forgetResources } from "../../resource.ts";
import { useIsAdmin } from "../../session.tsx";
import { Age } from "../age.tsx";
import { ConfirmDialog } from "../forms/confirm-dialog.tsx";
import { Digest } from "../digest.tsx";
import { Pager } from "../lists/pager.tsx";
import { Problem } from "../problem.tsx";
import { SkeletonRow } from "../lists/skeleton-row.tsx";

const PAGE = 50;

interface Props {
  readonly name: string;
  readonly tag: string;
  /** What the tag names now. */
  readonly digest: string;
  readonly onRestored: () => void;
}

/** Every move of a tag. */
export function TagHistory({ name, tag, digest, onRestored }: Props) {
  const { query } = useLocation();
  const href = useHref();
  const isAdmin = useIsAdmin();
  const [chosen, setChosen] = useState<string | undefined>(undefined);
  const parameters = { repository: name, tag, n: PAGE, last: query.last };
  const { data, error, reload } = useOwnResource(
    `tag history ${JSON.stringify(parameters)} ${digest}`,
    async (signal) => await list<{ events: TagEvent[] }>("/api/tags/history", parameters, signal),
  );
  if (error) return <Problem error={error} onRetry={reload} />;
  return (
    <div class="stack">
      <table class="table cards" aria-busy={data === undefined}>
        <caption class="visually-hidden">Moves of the tag, newest first</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col" class="main">
              From → to
            </th>
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {data
            ? data.body.events.map((event) => (
                <EventRow
                  key={event.id}
                  event={event}
                  name={name}
                  canRestore={isAdmin && event.isAvailable && event.digest !== digest}
                  onRestore={() => setChosen(event.digest ?? undefined)}
                />
              ))
            : [0, 1, 2].map((index) => <SkeletonRow key={index} widths={[11, 8, 30, 8]} main={2} />)}
        </tbody>
      </table>
      {(query.last ?? data?.next) !== undefined && (
        <Pager
          noun="move"
          total={undefined}
          first={query.last === undefined ? undefined : href({ last: undefined })}
          next={data?.next === undefined ? undefined : href({ last: data.next })}
        />
      )}
      {chosen !== undefined && (
        <RestoreDialog
          {...{ name, tag, digest, to: chosen }}
          onRestored={() => {
            reload();
            onRestored();
          }}
          onClose={() => setChosen(undefined)}
        />
      )}
    </div>
  );
}

interface RestoreProps extends Props {
  readonly to: string;
  readonly onClose: () => void;
}

function RestoreDialog({ name, tag, digest, to, onRestored, onClose }: RestoreProps) {
  const restore = async () => {
    await change("POST", "/api/tags/restore", { repository: name, tag, digest: to });
    forgetResources();
    onRestored();
  };
  return (
    <ConfirmDialog title={`Restore ${tag}?`} action="Restore" onConfirm={restore} onClose={onClose}>
      <p>
        <code>
          {name}:{tag}
        </code>{" "}
        will name <code title={to}>{shortDigest(to)}</code> instead of <code title={digest}>{shortDigest(digest)}</code>
        . Whoever pulls the tag then gets that image.
      </p>
    </ConfirmDialog>
  );
}

interface EventRowProps {
  readonly event: TagEvent;
  readonly name: string;
  readonly canRestore: boolean;
  readonly onRestore: () => void;
}

function EventRow({ event, name, canRestore, onRestore }: EventRowProps) {
  const { digest, previousDigest, actor, occurredAt, isAvailable } = event;
  return (
    <tr>
      <td data-label="When">
        <Age time={occurredAt} />
      </td>
      <td data-label="Who">
        <span class="nowrap">{actor === null ? "–" : formatActor(actor)}</span>
      </td>
      <td class="main">
        <span class="row">
          {previousDigest === null ? <span class="quiet">new</span> : <Named name={name} digest={previousDigest} />}
          <span aria-hidden="true">→</span>
          {digest === null ? <span class="badge danger">deleted</span> : <Named name={name} digest={digest} />}
          {digest !== null && !isAvailable && <span class="badge">no longer stored</span>}
        </span>
      </td>
      <td>
        <span class="row step-actions">
          {digest !== null && previousDigest !== null && isAvailable && (
            <a class="button small" href={comparisonOf({ name, digest: previousDigest }, { name, digest })}>
              Compare
            </a>
          )}
          {canRestore && (
            <button type="button" class="button small" onClick={onRestore}>
              Restore
            </button>
          )}
        </span>
      </td>
    </tr>
  );
}

function Named({ name, digest }: Required<Pick<Address, "name" | "digest">>) {
  return <Digest digest={digest} href={pageOf({ name, digest })} />;
}
