import { parseDuration } from "../oci/duration.ts";
import type { Tag } from "../oci/reference.ts";

/** Nobody means to be rid of something in more than a year. */
const LIFE_MAX_MS = 365 * 86_400_000;

/** A life in words, `30m`, `1h`, `7d`, in milliseconds. Undefined for what is none, or longer than a year. */
export function parseLife(text: string): number | undefined {
  const lifeMs = parseDuration(text);
  return lifeMs !== undefined && lifeMs > 0 && lifeMs <= LIFE_MAX_MS ? lifeMs : undefined;
}

/** How long a tag says that it lives: the whole of it is a life, as in `app:1h`. */
export function lifeOfTag(tag: Tag): number | undefined {
  return /^\d+[smhd]$/.test(tag) ? parseLife(tag) : undefined;
}

/** The annotation of a manifest by which all tags of its push live so long. */
export const EXPIRES_AFTER = "expires-after";
