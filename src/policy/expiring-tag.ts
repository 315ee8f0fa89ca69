import { parseDuration } from "../oci/duration.ts";

/** The longest life that a push may ask for: 365 days. */
const LIFE_MAX_MS = 365 * 86_400_000;

/**
 * How long after its push a tag lives, in milliseconds, by an annotation, a label or its own name, as at ttl.sh: `30m`, `1h`, `7d`.
 * Only the whole text counts: `app-1h` may be the name of anything. What asks for too long gets the longest: a tag that was let
 * in as one that expires must not stay for ever. No time at all is none.
 */
export function parseLife(text: string): number | undefined {
  const ms = parseDuration(text);
  return ms === undefined || ms === 0 ? undefined : Math.min(ms, LIFE_MAX_MS);
}

/** The annotation of a manifest, or the label of an image's config, by which all tags of its push live so long. */
export const EXPIRES_AFTER = "expires-after";
