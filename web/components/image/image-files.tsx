import { useLocation } from "preact-iso";
import { useState } from "preact/hooks";
import { formatBytes, plural } from "../../format.ts";
import { namePredicate } from "../../image/kinds.ts";
import type { Descriptor, StoredManifest } from "../../image/manifest.ts";
import { downloadBlob } from "../../image/read.ts";
import { Digest } from "../digest.tsx";
import { LayerExplorer } from "./layer-explorer.tsx";
import { ExplorerLink } from "./image-layers.tsx";
import { Problem } from "../problem.tsx";

interface Props {
  readonly name: string;
  readonly manifest: StoredManifest;
}

/** What an artifact is made of. */
export function ArtifactFiles({ name, manifest: { layers } }: Props) {
  const { query } = useLocation();
  const open = layers.find((layer, position) => query.layer === String(position));
  if (layers.length === 0) return <p class="quiet">There are no files in this artifact.</p>;
  return (
    <section class="stack" aria-label="Files">
      <table class="table cards">
        <caption class="visually-hidden">{plural(layers.length, "file")}</caption>
        <thead>
          <tr>
            <th scope="col" class="main">
              File
            </th>
            <th scope="col">Digest</th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {layers.map((file, position) => (
            <FileRow key={position} name={name} file={file} position={position} isOpen={file === open} />
          ))}
        </tbody>
      </table>
      {open && <LayerExplorer key={open.digest} name={name} layer={open} below={[]} />}
    </section>
  );
}

const TITLE = "org.opencontainers.image.title";

interface FileRowProps {
  readonly name: string;
  readonly file: Descriptor;
  readonly position: number;
  readonly isOpen: boolean;
}

function FileRow({ name, file, position, isOpen }: FileRowProps) {
  const { digest, size, mediaType, annotations } = file;
  const [error, setError] = useState<Error | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const title = annotations[TITLE];
  const predicate = annotations["in-toto.io/predicate-type"];
  const download = async () => {
    if (isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      await downloadBlob(name, file, filenameOf(file));
    } catch (problem) {
      setError(problem instanceof Error ? problem : new Error(String(problem)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <tr>
      <td class="main">
        {title ?? (predicate === undefined ? mediaType : namePredicate(predicate))}
        {(title ?? predicate) !== undefined && <span class="quiet small block">{mediaType}</span>}
        {error && <Problem error={error} />}
      </td>
      <td data-label="Digest">
        <Digest digest={digest} />
      </td>
      <td class="number" data-label="Size">
        {formatBytes(size)}
      </td>
      <td>
        <span class="row step-actions">
          <ExplorerLink layer={file} position={position} isOpen={isOpen} />
          <button type="button" class="button small" aria-disabled={isBusy} onClick={() => void download()}>
            {isBusy ? "Downloading…" : "Download"}
          </button>
        </span>
      </td>
    </tr>
  );
}

/** The last part of the file's title, or its digest. */
function filenameOf({ annotations, digest }: Descriptor): string {
  const last = annotations[TITLE]?.split("/").at(-1);
  return last === undefined || last === "" ? digest.replace(":", "-") : last;
}
