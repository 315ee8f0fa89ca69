import { formatCommand, formatHealthcheck, type ImageConfig, splitVariable } from "./config.ts";
import type { Descriptor } from "./manifest.ts";

/** The layers of two images. */
export interface LayerComparison {
  /** The layers that both begin with. */
  readonly common: readonly Descriptor[];
  readonly from: readonly Descriptor[];
  readonly to: readonly Descriptor[];
  /** Bytes that both have, wherever. */
  readonly commonBytes: number;
  readonly fromBytes: number;
  readonly toBytes: number;
}

/** Compares what two images are made of, from the bottom up. */
export function compareLayers(from: readonly Descriptor[], to: readonly Descriptor[]): LayerComparison {
  const differs = from.findIndex(({ digest }, index) => to[index]?.digest !== digest);
  const shared = differs < 0 ? from.length : differs;
  const fromSizes = sizesOf(from);
  const toSizes = sizesOf(to);
  return {
    common: from.slice(0, shared),
    from: from.slice(shared),
    to: to.slice(shared),
    commonBytes: sum([...fromSizes].flatMap(([digest, size]) => (toSizes.has(digest) ? [size] : []))),
    fromBytes: sum(fromSizes.values()),
    toBytes: sum(toSizes.values()),
  };
}

/** A layer that stands twice in an image is stored once. */
const sizesOf = (layers: readonly Descriptor[]): ReadonlyMap<string, number> =>
  new Map(layers.map(({ digest, size }) => [digest, size]));

const sum = (sizes: Iterable<number>): number => [...sizes].reduce((total, size) => total + size, 0);

/** Something that a config says. */
export interface Setting {
  readonly group: string;
  readonly name: string;
  readonly value: string;
}

/** All that a config says of how the image runs, in the order in which it is shown. */
export function settingsOf(image: ImageConfig): Setting[] {
  const { config } = image;
  const one = (group: string, value: string | undefined): Setting[] =>
    value === undefined ? [] : [{ group, name: "", value }];
  const platform = [image.os, image.architecture, image.variant, image["os.version"]].filter(isText).join("/");
  return [
    ...one("Entrypoint", config.Entrypoint && formatCommand(config.Entrypoint)),
    ...one("Command", config.Cmd && formatCommand(config.Cmd)),
    ...one("User", config.User),
    ...one("Working directory", config.WorkingDir),
    ...config.ExposedPorts.map((port) => ({ group: "Port", name: port, value: port })),
    ...config.Volumes.map((volume) => ({ group: "Volume", name: volume, value: volume })),
    ...one("Stop signal", config.StopSignal),
    ...one("Healthcheck", config.Healthcheck?.Test && formatHealthcheck(config.Healthcheck)),
    ...one("Platform", platform === "" ? undefined : platform),
    ...one("Created", image.created),
    ...one("Author", image.author),
    ...config.Env.map(splitVariable).map(([name, value]) => ({ group: "Environment", name, value })),
    ...Object.entries(config.Labels).map(([name, value]) => ({ group: "Label", name, value })),
  ];
}

const isText = (text: string | undefined): text is string => text !== undefined;

/** What one config says otherwise than another; undefined where it says nothing. */
export interface SettingChange {
  readonly group: string;
  readonly name: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** What differs, in the order of the first config, and then what only the second one has. */
export function compareSettings(from: readonly Setting[], to: readonly Setting[]): SettingChange[] {
  const keyOf = ({ group, name }: Setting) => `${group}\n${name}`;
  const before = new Map(from.map((setting) => [keyOf(setting), setting]));
  const after = new Map(to.map((setting) => [keyOf(setting), setting]));
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  return keys.flatMap((key) => {
    const [left, right] = [before.get(key), after.get(key)];
    const setting = left ?? right;
    if (setting === undefined || left?.value === right?.value) return [];
    return [{ group: setting.group, name: setting.name, from: left?.value, to: right?.value }];
  });
}
