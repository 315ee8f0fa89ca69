import { useEffect } from "preact/hooks";
import { formatBytes, formatCount, plural } from "../../format.ts";
import { LayerError } from "../../image/layer/load.ts";
import { NODES_MAX } from "../../image/layer/tree.ts";
import { bytesOf, type LayerState, useLayer } from "../../image/layer/use-layer.ts";
import type { Descriptor } from "../../image/manifest.ts";
import { LayerTree } from "./layer-tree.tsx";
import { Problem } from "../problem.tsx";

/** What is read without a question. */
const UNASKED_BYTES = 50_000_000;

interface Props {
  readonly name: string;
  readonly layer: Descriptor;
  /** The layers that it lies upon, the lowest first. */
  readonly below: readonly Descriptor[];
}

/** The files of a layer, read in the browser. */
export function LayerContent({ name, layer, below }: Props) {
  const { state, open, compare, cancel } = useLayer(name, layer, below);
  const isSmall = layer.size <= UNASKED_BYTES;
  useEffect(() => {
    if (isSmall) open();
    // Once: for another layer, it is another component.
  }, []);

  if (state.phase === "closed") {
    return (
      <div class="row layer-note">
        <button type="button" class="button" onClick={open}>
          Read {formatBytes(layer.size)}
        </button>
        <span class="quiet small">
          The browser fetches the layer and lists its files. It keeps none of their content.
        </span>
      </div>
    );
  }
  if (state.phase === "reading") return <Progress {...state} onCancel={cancel} />;
  if (state.phase === "failed") return <Failure error={state.error} onRetry={open} />;
  const { opened, changes } = state;
  return (
    <div class="stack-tight">
      {opened.isCut && (
        <p class="notice warning">
          There are more than {formatCount(NODES_MAX)} files. These are the first of them
          {changes && ", and what is marked may be wrong"}.
        </p>
      )}
      {changes ? (
        <p class="row small" role="status">
          Against the layers below: {plural(changes.counts.added, "file added", "files added")},{" "}
          {formatCount(changes.counts.changed)} changed, {formatCount(changes.counts.deleted)} deleted
        </p>
      ) : (
        below.length > 0 && (
          <p class="row">
            <button type="button" class="button small" onClick={compare}>
              Compare with what is below
            </button>
            <span class="quiet small">
              Reads {plural(below.length, "more layer")}, {formatBytes(bytesOf(below))}
            </span>
          </p>
        )
      )}
      <LayerTree
        key={changes ? "changes" : "files"}
        tree={changes?.tree ?? opened.tree}
        hasChanges={changes !== undefined}
      />
    </div>
  );
}

interface ProgressProps extends Extract<LayerState, { phase: "reading" }> {
  readonly onCancel: () => void;
}

function Progress({ bytes, ofBytes, entries, onCancel }: ProgressProps) {
  return (
    <div class="row layer-note">
      <progress aria-label="Reading the layer" value={bytes} max={Math.max(ofBytes, 1)} />
      <span class="quiet small">
        {formatBytes(bytes)} of {formatBytes(ofBytes)}, {plural(entries, "file")}
      </span>
      <button type="button" class="button small" onClick={onCancel}>
        Cancel
      </button>
    </div>
  );
}

function Failure({ error, onRetry }: { readonly error: Error; readonly onRetry: () => void }) {
  if (!(error instanceof LayerError)) return <Problem error={error} onRetry={onRetry} />;
  return (
    <div class="notice danger" role="alert">
      <p>This layer cannot be read: it is cut, damaged, or no tar archive in gzip, zstd or plain.</p>
      <p class="small">{error.message}</p>
    </div>
  );
}
