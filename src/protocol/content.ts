import type { Digest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import { type ByteRange, parseRange } from "../oci/range.ts";

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

/**
 * The part that the client asks for, unless its If-Range names other content (RFC 9110, section 13.1.5); undefined for the whole.
 * Throws RANGE_INVALID.
 */
export function requestedRange({ headers }: Request, digest: Digest, size: number): ByteRange | undefined {
  const ifRange = headers.get("If-Range");
  const range = parseRange(ifRange === null || ifRange === `"${digest}"` ? headers.get("Range") : null, size);
  if (range.kind === "unsatisfiable") {
    throw new OciError("RANGE_INVALID", { headers: { "Content-Range": `bytes */${size}` } });
  }
  return range.kind === "part" ? range : undefined;
}

/** 206 for a part of content, 200 for the whole of it. */
export function contentResponse(
  body: BodyInit | null,
  headers: Readonly<Record<string, string>>,
  size: number,
  range: ByteRange | undefined,
): Response {
  if (!range) return new Response(body, { headers: { ...headers, "Content-Length": String(size) } });
  const { offset, length } = range;
  return new Response(body, {
    status: 206,
    headers: {
      ...headers,
      "Content-Length": String(length),
      "Content-Range": `bytes ${offset}-${offset + length - 1}/${size}`,
    },
  });
}
