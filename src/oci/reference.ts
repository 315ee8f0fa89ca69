import { type Digest, parseDigest } from "./digest.ts";
import { OciError } from "./error.ts";

/** A valid tag name. */
export type Tag = string & { readonly __brand: "Tag" };

/** What names a manifest within its repository: the spec's `<reference>`. */
export type Reference =
  { readonly kind: "tag"; readonly tag: Tag } | { readonly kind: "digest"; readonly digest: Digest };

/** Distribution spec, "Pulling manifests": the pattern that a tag MUST match. */
const TAG_PATTERN = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** True for a text that {@link parseTag} accepts. */
export function isTag(text: string): text is Tag {
  return TAG_PATTERN.test(text);
}

/** Throws TAG_INVALID. */
export function parseTag(text: string): Tag {
  if (isTag(text)) return text;
  throw new OciError("TAG_INVALID", {
    message: "tag is invalid: up to 128 letters, digits, and . _ - after the first character",
    detail: { tag: text.slice(0, 160) },
  });
}

/** A text with a colon is a digest, since no tag has one. Throws DIGEST_INVALID or TAG_INVALID. */
export function parseReference(text: string): Reference {
  return text.includes(":") ? { kind: "digest", digest: parseDigest(text) } : { kind: "tag", tag: parseTag(text) };
}

/** Spec, "Referrers Tag Schema": where registries without an API of referrers keep the list of them. The digest, cut to what a tag may be. */
export function referrersTag(digest: Digest): Tag {
  const [algorithm = "", hex = ""] = digest.split(":");
  return parseTag(`${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`);
}
