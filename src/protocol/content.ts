import type { Digest } from "../oci/digest.ts";

/** A year: content by digest never changes. No edge may compress it, since clients compare its length. */
const IMMUTABLE = "private, max-age=31536000, immutable, no-transform";

/** Tags move: a client may keep what it got, and asks whether it is still that. */
const REVALIDATE = "private, no-cache, no-transform";

/** The headers of content that has a digest. */
export function contentHeaders(
  digest: Digest,
  mediaType: string,
  addressedBy: "digest" | "tag",
): Record<string, string> {
  return {
    "Content-Type": mediaType,
    "Docker-Content-Digest": digest,
    ETag: `"${digest}"`,
    "Cache-Control": addressedBy === "digest" ? IMMUTABLE : REVALIDATE,
  };
}

/** Whether the client has this content already (RFC 9110, section 13.1.2). */
export function isNotModified(request: Request, digest: Digest): boolean {
  const header = request.headers.get("If-None-Match");
  if (header === null) return false;
  return header.split(",").some((tag) => ["*", `"${digest}"`].includes(tag.trim().replace(/^W\//, "")));
}
