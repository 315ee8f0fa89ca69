import { useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { formatBytes, plural } from "../../format.ts";
import { useHref } from "../../href.ts";
import type { HistoryEntry } from "../../image/config.ts";
import { matchHistory, type Step } from "../../image/history.ts";
import { type Descriptor, isArchive } from "../../image/manifest.ts";
import { Digest } from "../digest.tsx";
import { LayerExplorer } from "./layer-explorer.tsx";
import { SizeBar } from "./size-bar.tsx";

interface Props {
  readonly name: string;
  readonly layers: readonly Descriptor[];
  readonly history: readonly HistoryEntry[];
}

/** How an image was made: each step, and the layer that it made. */
export function ImageLayers({ name, layers, history }: Props) {
  const [showsEmpty, setShowsEmpty] = useState(false);
  const steps = matchHistory(history, layers);
  const empty = steps.filter(({ isEmpty }) => isEmpty).length;
  const largest = Math.max(1, ...layers.map(({ size }) => size));
  const shown = showsEmpty ? steps : steps.filter(({ isEmpty }) => !isEmpty);
  return (
    <section class="stack" aria-label="Layers">
      <div class="row spread">
        <span class="quiet small">
          {plural(layers.length, "layer")}, {formatBytes(layers.reduce((sum, { size }) => sum + size, 0))}
          {history.length === 0 && layers.length > 0 && ". The image does not say how they were made."}
        </span>
        {empty > 0 && (
          <button
            type="button"
            class="button small"
            aria-pressed={showsEmpty}
            onClick={() => setShowsEmpty(!showsEmpty)}
          >
            {showsEmpty ? "Hide" : "Show"} {plural(empty, "step")} without files
          </button>
        )}
      </div>
      <ol class="steps">
        {shown.map((step, index) => (
          <LayerStep key={index} name={name} step={step} layers={layers} largest={largest} />
        ))}
      </ol>
    </section>
  );
}

interface StepProps {
  readonly name: string;
  readonly step: Step;
  readonly layers: readonly Descriptor[];
  /** Bytes of the largest layer. */
  readonly largest: number;
}

function LayerStep({ name, step, layers, largest }: StepProps) {
  const { command, comment, layer, position } = step;
  const { query } = useLocation();
  const isOpen = position !== undefined && query.layer === String(position);
  return (
    <li class={step.isEmpty ? "step empty" : "step"}>
      <Command text={command ?? comment ?? (layer ? layer.mediaType : "")} isQuiet={command === undefined} />
      {layer && position !== undefined ? (
        <div class="step-layer">
          <span class="step-size">{formatBytes(layer.size)}</span>
          <SizeBar share={layer.size / largest} />
          <Digest digest={layer.digest} />
          <ExplorerLink layer={layer} position={position} isOpen={isOpen} />
        </div>
      ) : (
        <span class="quiet small">{step.isEmpty ? "no files" : "no layer of its own"}</span>
      )}
      {layer && isOpen && <LayerExplorer key={position} name={name} layer={layer} below={layers.slice(0, position)} />}
    </li>
  );
}

interface ExplorerLinkProps {
  readonly layer: Descriptor;
  readonly position: number;
  readonly isOpen: boolean;
}

/** Opens the explorer of a layer, in the page's address. */
export function ExplorerLink({ layer, position, isOpen }: ExplorerLinkProps) {
  const href = useHref();
  if (!isArchive(layer.mediaType)) return null;
  return (
    <a class="button small" href={href({ layer: isOpen ? undefined : position })} aria-expanded={isOpen}>
      {isOpen ? "Close" : "Look inside"}
    </a>
  );
}

/** What is shown of a long command at first. */
const CLIPPED_CHARACTERS = 400;

function Command({ text, isQuiet }: { readonly text: string; readonly isQuiet: boolean }) {
  const [isWhole, setWhole] = useState(false);
  const isLong = text.length > CLIPPED_CHARACTERS;
  return (
    <div class="step-command">
      <pre class={isQuiet ? "quiet" : ""}>{isLong && !isWhole ? `${text.slice(0, CLIPPED_CHARACTERS)}…` : text}</pre>
      {isLong && (
        <button type="button" class="button plain small" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Show less" : "Show all"}
        </button>
      )}
    </div>
  );
}
