import { useState } from "preact/hooks";
import { type Address, formatAddress, imageName, pageOf } from "../../address.ts";
import { get, inPath } from "../../api.ts";
import type { RepositoryDetails, TagEntry } from "../../api-types.ts";
import { formatActor, formatBytes, shortDigest } from "../../format.ts";
import { nameArtifact } from "../../image/kinds.ts";
import { sizeOf, type StoredManifest } from "../../image/manifest.ts";
import type { Image } from "../../image/use-image.ts";
import { useOwnResource } from "../../own-resource.ts";
import { Age } from "../age.tsx";
import { Command } from "../command.tsx";
import { DeletionDialog } from "../repository/deletion-dialog.tsx";
import { Digest } from "../digest.tsx";
import { CompareForm } from "./image-compare-form.tsx";
import { Skeleton } from "../skeleton.tsx";

interface Props {
  readonly address: Address;
  readonly image: Image;
  readonly onDeleted: (tags: readonly string[]) => void;
}

/** What an image is, how to pull it, and what can be done with it. */
export function ImageHead({ address, image, onDeleted }: Props) {
  const { name, tag } = address;
  const root = image.root.data;
  const entry = useTagEntry(address);
  const [asks, setAsks] = useState<"compare" | "delete" | undefined>(undefined);
  const canDelete = useMayDelete(name);
  return (
    <>
      <div class="page-head">
        <h1 title={formatAddress(address)}>
          {name}
          <span class="quiet">{tag === undefined ? `@${shortDigest(address.digest ?? "")}` : `:${tag}`}</span>
        </h1>
        {root && (
          <div class="row">
            <button
              type="button"
              class="button"
              aria-expanded={asks === "compare"}
              onClick={() => setAsks(asks === "compare" ? undefined : "compare")}
            >
              Compare with…
            </button>
            {canDelete && (
              <button type="button" class="button danger" onClick={() => setAsks("delete")}>
                Delete
              </button>
            )}
          </div>
        )}
      </div>
      {asks === "compare" && <CompareForm address={address} />}
      {asks === "delete" && (
        <DeletionDialog address={address} onDeleted={onDeleted} onClose={() => setAsks(undefined)} />
      )}
      <Facts root={root} image={image} entry={entry} />
      {root && <PullCommands address={address} root={root} />}
    </>
  );
}

/** What the registry knows of the tag; undefined for a digest, or until it is known. */
function useTagEntry({ name, tag }: Address): TagEntry | undefined {
  const { data } = useOwnResource(
    tag && `tag ${name} ${tag}`,
    async (signal) => await get<{ tags: TagEntry[] }>("/api/tags", { repository: name, q: tag, n: 100 }, { signal }),
  );
  return data?.tags.find((entry) => entry.name === tag);
}

function useMayDelete(name: string): boolean {
  const { data } = useOwnResource(
    `repository ${name}`,
    async (signal) => await get<RepositoryDetails>(`/api/repositories/${inPath(name)}`, {}, { signal }),
  );
  return data?.actions.includes("delete") ?? false;
}

interface FactsProps {
  readonly root: StoredManifest | undefined;
  readonly image: Image;
  readonly entry: TagEntry | undefined;
}

function Facts({ root, image, entry }: FactsProps) {
  const manifest = image.manifest.data;
  return (
    <dl class="facts">
      <div>
        <dt>Kind</dt>
        <dd class={root?.kind === "artifact" && nameKind(root) === root.artifactType ? "type" : ""}>
          {root ? nameKind(root) : <Skeleton width={7} />}
        </dd>
      </div>
      <div>
        <dt>Size{image.platform && ` of ${image.platform.label}`}</dt>
        <dd>{manifest ? formatBytes(sizeOf(manifest)) : <Skeleton width={6} />}</dd>
      </div>
      {entry && root?.kind === "index" && (
        <div>
          <dt>Size of all platforms</dt>
          <dd>{formatBytes(entry.size)}</dd>
        </div>
      )}
      {entry && (
        <div>
          <dt>Pushed{entry.pushedBy !== null && ` by ${formatActor(entry.pushedBy)}`}</dt>
          <dd>
            <Age time={entry.pushedAt} />
          </dd>
        </div>
      )}
      <div>
        <dt>Digest</dt>
        <dd>{root ? <Digest digest={root.digest} /> : <Skeleton width={14} />}</dd>
      </div>
    </dl>
  );
}

function nameKind({ kind, artifactType, manifests }: StoredManifest): string {
  if (kind === "index") return manifests.length === 0 ? "Empty index" : "Index";
  return kind === "image" ? "Image" : nameArtifact(artifactType);
}

function PullCommands({ address: { name, tag }, root }: { readonly address: Address; readonly root: StoredManifest }) {
  const program = programOf(root);
  const byDigest = imageName({ name, digest: root.digest });
  return (
    <div class="stack-tight">
      {tag !== undefined && <Command text={program(imageName({ name, tag }), tag)} />}
      <Command text={program(byDigest)} />
    </div>
  );
}

/** What pulls it: docker pulls images only. */
function programOf({ kind, artifactType }: StoredManifest): (image: string, tag?: string) => string {
  if (kind !== "artifact") return (image) => `docker pull ${image}`;
  if (artifactType?.startsWith("application/vnd.cncf.helm.") !== true) return (image) => `oras pull ${image}`;
  // Helm takes the version apart from the name.
  return (image, tag) =>
    tag === undefined
      ? `helm pull oci://${image}`
      : `helm pull oci://${image.slice(0, -tag.length - 1)} --version ${tag.replaceAll("_", "+")}`;
}

/** The way back to the repository. */
export function ImageCrumbs({ name }: { readonly name: string }) {
  return (
    <nav aria-label="Where this is">
      <ol class="crumbs">
        <li>
          <a href="/">Repositories</a>
        </li>
        <li>
          <a href={pageOf({ name })}>{name}</a>
        </li>
      </ol>
    </nav>
  );
}
