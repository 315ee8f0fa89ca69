import { parseDuration } from "../../oci/duration.ts";
import type { Tag } from "../../oci/reference.ts";

/** The longest life that a push may ask for: 365 days. */
const EXPIRY_MAX_MS = 365 * 86_400_000;

/** Milliseconds; a longer time is cut to the longest, and no time at all is none. */
function bounded(text: string): number | undefined {
  const ms = parseDuration(text);
  return ms === undefined || ms === 0 ? undefined : Math.min(ms, EXPIRY_MAX_MS);
}

/**
 * How long after its push a tag lives that says so itself, in milliseconds: `30m`, `1h`, `7d`, as at ttl.sh. Only the
 * whole tag counts: `app-1h` may be the name of anything. What asks for too long gets the longest: a tag that was let in
 * as one that expires must not stay for ever.
 */
export function expiryOfTag(tag: Tag): number | undefined {
  return bounded(tag);
}

/** How long after its push a manifest lives by an annotation or a label, in milliseconds: the same texts. */
export function expiryOfAnnotation(text: string): number | undefined {
  return bounded(text);
}
