import { useState } from "preact/hooks";
import { type Address, formatAddress, pageOf, referenceOf } from "../address.ts";
import { ask, change, get, inPath } from "../api.ts";
import type { DeletionPreview } from "../api-types.ts";
import { formatBytes, plural } from "../format.ts";
import { forgetResources, useResource } from "../resource.ts";
import { useIsAdmin } from "../session.tsx";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { Problem } from "./problem.tsx";
import { Skeleton } from "./skeleton.tsx";

/** An image that was deleted, with the tags that named it. */
export interface Deleted {
  readonly digest: string;
  readonly tags: readonly string[];
}

interface Props {
  readonly address: Address;
  /** What the address names. */
  readonly digest: string;
  readonly onDeleted: (deleted: Deleted) => void;
  readonly onClose: () => void;
}

/** Asks before a tag or a manifest is deleted, and says what goes with it. */
export function DeleteDialog({ address, digest, onDeleted, onClose }: Props) {
  const { name, tag } = address;
  const preview = useResource(`deletion ${formatAddress(address)} ${digest}`, async (signal) => {
    const query = tag === undefined ? { digest } : { tag };
    return await get<DeletionPreview>("/api/tags/deletion", { repository: name, ...query }, { signal });
  });
  const remove = async () => {
    const path = `/v2/${inPath(name)}/manifests/${encodeURIComponent(referenceOf(address))}`;
    await ask(path, { method: "DELETE", scope: `repository:${name}:delete` });
    forgetResources();
    onDeleted({ digest, tags: preview.data?.tags ?? (tag === undefined ? [] : [tag]) });
  };
  const title = tag === undefined ? "Delete this manifest?" : `Delete the tag ${tag}?`;
  return (
    <ConfirmDialog title={title} action="Delete" isDangerous onConfirm={remove} onClose={onClose}>
      <p class="wrap">
        <code>{formatAddress(address)}</code>
      </p>
      {preview.error && <Problem error={preview.error} />}
      {!preview.error && (preview.data ? <Consequences {...preview.data} /> : <Skeleton width={30} />)}
    </ConfirmDialog>
  );
}

/** Names of tags that are spelled out. */
const NAMED_TAGS = 8;

function Consequences({ tags, manifests, bytes }: DeletionPreview) {
  const named = tags.slice(0, NAMED_TAGS).join(", ");
  return (
    <ul class="stack-tight">
      {tags.length > 0 && (
        <li>
          {plural(tags.length, "tag goes", "tags go")}: <code class="wrap">{named}</code>
          {tags.length > NAMED_TAGS && ` and ${tags.length - NAMED_TAGS} more`}
        </li>
      )}
      <li>
        {manifests === 0
          ? "The image stays: other tags or images need it."
          : `${formatBytes(bytes)} in ${plural(manifests, "manifest")} will be freed, once collection took what nothing needs.`}
      </li>
    </ul>
  );
}

interface NoticeProps {
  readonly address: Address;
  readonly deleted: Deleted;
  readonly onRestored: () => void;
}

/** Says what was deleted; an admin may take it back, as long as it is stored. */
export function DeletedNotice({ address, deleted: { digest, tags }, onRestored }: NoticeProps) {
  const { name } = address;
  const isAdmin = useIsAdmin();
  const [error, setError] = useState<Error | undefined>(undefined);
  const undo = async () => {
    setError(undefined);
    try {
      for (const tag of tags) await change("POST", "/api/tags/restore", { repository: name, tag, digest });
      forgetResources();
      onRestored();
    } catch (problem) {
      setError(problem instanceof Error ? problem : new Error(String(problem)));
    }
  };
  return (
    <div class="stack">
      <div class="notice good row spread" role="status">
        <span class="wrap">{formatAddress(address)} was deleted.</span>
        {isAdmin && tags.length > 0 && (
          <button type="button" class="button" onClick={() => void undo()}>
            Undo
          </button>
        )}
      </div>
      {error && <Problem error={error} />}
      <p>
        <a href={pageOf({ name })}>All of {name}</a>
      </p>
    </div>
  );
}
