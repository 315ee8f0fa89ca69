/** Image spec, "Image Index": what an image runs on. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** Of each word; those of the specification have ten letters or so. */
const LENGTH_MAX = 64;

const isWord = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && value.length <= LENGTH_MAX;

/**
 * The platform that these properties of a config or a descriptor state. Undefined where they state none, as artifacts do, and
 * BuildKit's attestations, which call it unknown.
 */
export function toPlatform(properties: Readonly<Record<string, unknown>>): Platform | undefined {
  const { os, architecture, variant } = properties;
  if (!isWord(os) || !isWord(architecture) || (os === "unknown" && architecture === "unknown")) return undefined;
  return { os, architecture, ...(isWord(variant) && { variant }) };
}
