import * as v from "valibot";
import { type Platform, toPlatform } from "./platform.ts";

/** A larger config is not looked into: no client reads one, and it has to fit into memory. Most have a few thousand bytes. */
export const CONFIG_MAX_BYTES = 4 * 1024 * 1024;

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

/** The platform that an image's config states; undefined where it states none. */
export function readPlatform(bytes: Uint8Array): Platform | undefined {
  const parsed = v.safeParse(v.looseObject({}), parseConfig(bytes));
  return parsed.success ? toPlatform(parsed.output) : undefined;
}
