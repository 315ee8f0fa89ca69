import { formatBytes, plural } from "../../format.ts";
import { compareLayers, compareSettings, type SettingChange, settingsOf } from "../../image/compare.ts";
import type { ImageConfig } from "../../image/config.ts";
import { matchHistory } from "../../image/history.ts";
import type { Descriptor, StoredManifest } from "../../image/manifest.ts";
import { Digest } from "../digest.tsx";

interface Props {
  readonly from: StoredManifest;
  readonly to: StoredManifest;
  /** Undefined for an artifact, and for a config that is none. */
  readonly fromConfig: ImageConfig | undefined;
  readonly toConfig: ImageConfig | undefined;
}

/** What two images share, and what one has otherwise than the other. */
export function ImageComparison({ from, to, fromConfig, toConfig }: Props) {
  if (from.digest === to.digest) return <p class="notice good">Both are the same image, byte by byte.</p>;
  const layers = compareLayers(from.layers, to.layers);
  const changes = compareSettings(fromConfig ? settingsOf(fromConfig) : [], toConfig ? settingsOf(toConfig) : []);
  const left = commandsOf(from, fromConfig);
  const right = commandsOf(to, toConfig);
  const shared = layers.common.length;
  return (
    <>
      <dl class="facts">
        <Fact title="Size" value={`${formatBytes(layers.fromBytes)} → ${formatBytes(layers.toBytes)}`} />
        <Fact title="Difference" value={formatDifference(layers.toBytes - layers.fromBytes)} />
        <Fact title="In both" value={formatBytes(layers.commonBytes)} />
        <Fact title="To fetch for the second" value={formatBytes(layers.toBytes - layers.commonBytes)} />
      </dl>
      <section class="stack-tight">
        <h2>Layers</h2>
        {shared > 0 && (
          <details class="fold">
            <summary>
              {shared === 1 ? "The first layer is" : `The first ${plural(shared, "layer")} are`} the same
            </summary>
            <LayerList layers={layers.common} commands={right} />
          </details>
        )}
        {layers.from.length + layers.to.length === 0 ? (
          <p class="quiet">They have the same layers.</p>
        ) : (
          <div class="columns">
            <Rest title="Then, in the first" layers={layers.from} commands={left.slice(shared)} />
            <Rest title="Then, in the second" layers={layers.to} commands={right.slice(shared)} />
          </div>
        )}
      </section>
      <section class="stack-tight">
        <h2>Config</h2>
        {changes.length === 0 ? <p class="quiet">They run in the same way.</p> : <Changes changes={changes} />}
      </section>
    </>
  );
}

function Fact({ title, value }: { readonly title: string; readonly value: string }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const formatDifference = (bytes: number): string =>
  bytes === 0 ? "none" : `${bytes > 0 ? "+" : "−"}${formatBytes(Math.abs(bytes))}`;

type Commands = readonly (string | undefined)[];

/** The step that made each layer. */
function commandsOf({ layers }: StoredManifest, config: ImageConfig | undefined): Commands {
  const steps = matchHistory(config?.history ?? [], layers);
  return steps.flatMap(({ layer, command }) => (layer ? [command] : []));
}

interface RestProps {
  readonly title: string;
  readonly layers: readonly Descriptor[];
  readonly commands: Commands;
}

function Rest({ title, layers, commands }: RestProps) {
  return (
    <section class="stack-tight">
      <h3>{title}</h3>
      {layers.length === 0 ? <p class="quiet">nothing</p> : <LayerList layers={layers} commands={commands} />}
    </section>
  );
}

function LayerList({ layers, commands }: Omit<RestProps, "title">) {
  return (
    <ol class="layer-list">
      {layers.map(({ digest, size, mediaType, annotations }, index) => (
        <li key={index}>
          <pre class="clipped">{commands[index] ?? annotations["org.opencontainers.image.title"] ?? mediaType}</pre>
          <span class="row spread">
            <Digest digest={digest} />
            <span>{formatBytes(size)}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}

function Changes({ changes }: { readonly changes: readonly SettingChange[] }) {
  return (
    <table class="table cards comparison">
      <caption class="visually-hidden">What the configs say otherwise</caption>
      <thead>
        <tr>
          <th scope="col">Setting</th>
          <th scope="col">From</th>
          <th scope="col">To</th>
        </tr>
      </thead>
      <tbody>
        {changes.map(({ group, name, from, to }) => (
          <tr key={group + name}>
            <td class="main">
              {group} {name !== "" && <code>{name}</code>}
            </td>
            <td data-label="From">
              <Value text={from} />
            </td>
            <td data-label="To">
              <Value text={to} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const Value = ({ text }: { readonly text: string | undefined }) =>
  text === undefined ? <span class="quiet">–</span> : <code class="wrap">{text}</code>;
