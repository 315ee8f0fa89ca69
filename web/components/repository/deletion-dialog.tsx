import { ask, get } from "../../api.ts";
import type { DeletionPreview } from "../../api-types.ts";
import { type Address, formatAddress, referenceOf } from "../../address.ts";
import { formatBytes, plural } from "../../format.ts";
import { useResource } from "../../resource.ts";
import { ConfirmDialog } from "../forms/confirm-dialog.tsx";
import { Skeleton } from "../skeleton.tsx";

interface Props {
  /** Of a tag or a manifest. */
  readonly address: Address;
  /** Is told which tags went. */
  readonly onDeleted: (tags: readonly string[]) => void;
  readonly onClose: () => void;
}

/** Deletes a tag or a manifest, and says before what that frees. */
export function DeletionDialog({ address, onDeleted, onClose }: Props) {
  const { name, tag, digest } = address;
  const { data: preview, error } = useResource(
    `deletion ${formatAddress(address)}`,
    async (signal) => await get<DeletionPreview>("/api/tags/deletion", { repository: name, tag, digest }, { signal }),
  );
  const remove = async () => {
    await ask(`/v2/${name}/manifests/${referenceOf(address)}`, {
      method: "DELETE",
      scope: `repository:${name}:delete`,
    });
    onDeleted(tag === undefined ? (preview?.tags ?? []) : [tag]);
  };
  return (
    <ConfirmDialog
      title={`Delete ${formatAddress(address)}?`}
      action="Delete"
      isDangerous
      onConfirm={remove}
      onClose={onClose}
    >
      <p role="status">{preview ? <Consequence {...preview} /> : error ? error.message : <Skeleton width={40} />}</p>
      <p class="quiet small">
        It can be restored until it is collected. Clients that pull it by now get an answer that it is unknown.
      </p>
    </ConfirmDialog>
  );
}

function Consequence({ tags, manifests, bytes }: DeletionPreview) {
  const others = tags.length > 1 ? `The tags ${tags.join(", ")} go. ` : "";
  if (manifests === 0) return <>{others}What it names stays: something else needs it.</>;
  return (
    <>
      {others}Collection will take {plural(manifests, "manifest")} and free {formatBytes(bytes)}.
    </>
  );
}
