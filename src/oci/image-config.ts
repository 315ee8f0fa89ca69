import * as v from "valibot";
import { type Platform, toPlatform } from "./platform.ts";

/** A larger config is not looked into: no client reads one, and it has to fit into memory. Most have a few thousand bytes. */
export const CONFIG_MAX_BYTES = 4 * 1024 * 1024;

/** As many labels are kept, and as much of each: a config may hold megabytes of them. */
const LABELS_MAX = 50;
const LABEL_MAX_LENGTH = 500;

/** What a config holds: nothing, where it is no JSON. The registry keeps what clients push as configs, and objects to nothing in them. */
function parseConfig(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/**
 * Image spec, "Image Configuration", and Docker's, which is its ancestor: the value of a label. Undefined where there is none,
 * or no config.
 */
export function readLabel(bytes: Uint8Array, label: string): string | undefined {
  const schema = v.object({ config: v.object({ Labels: v.object({ [label]: v.string() }) }) });
  const parsed = v.safeParse(schema, parseConfig(bytes));
  return parsed.success ? parsed.output.config.Labels[label] : undefined;
}

/** What is worth to be kept of an image's config. */
export interface ConfigNote {
  /** Undefined where it states none. */
  readonly platform: Platform | undefined;
  /** The first fifty, and of each name and value 500 characters. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What is noted of a config that is too large to be looked into. */
export const EMPTY_NOTE: ConfigNote = { platform: undefined, labels: {} };

const LabelsSchema = v.object({ config: v.object({ Labels: v.record(v.string(), v.unknown()) }) });

/** Cut where no character is torn in two, and without what a text of SQL would end at. */
const shorten = (text: string): string => text.slice(0, LABEL_MAX_LENGTH).replaceAll("\0", " ").toWellFormed();

/** What an image's config states; anything else in its place states nothing. */
export function readConfig(bytes: Uint8Array): ConfigNote {
  const config = parseConfig(bytes);
  const properties = v.safeParse(v.looseObject({}), config);
  const labelled = v.safeParse(LabelsSchema, config);
  const labels = labelled.success ? Object.entries(labelled.output.config.Labels) : [];
  const texts = labels.filter((label): label is [string, string] => typeof label[1] === "string");
  return {
    platform: properties.success ? toPlatform(properties.output) : undefined,
    labels: Object.fromEntries(texts.slice(0, LABELS_MAX).map(([name, value]) => [shorten(name), shorten(value)])),
  };
}
