import { type Digest, parseDigest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import { MEDIA_TYPES } from "../oci/media-type.ts";
import { parseRange } from "../oci/range.ts";
import { parseRepositoryName, type RepositoryName } from "../oci/repository-name.ts";
import * as registry from "../registry/blobs.ts";
import { type Call, decodeParam } from "./call.ts";
import { contentHeaders, isNotModified } from "./content.ts";

function address(call: Call): [repository: RepositoryName, digest: Digest] {
  return [parseRepositoryName(call.params.name ?? ""), parseDigest(decodeParam(call, "digest"))];
}

function blobHeaders({ digest }: registry.StoredBlob): Record<string, string> {
  return { ...contentHeaders(digest, MEDIA_TYPES.octetStream, "digest"), "Accept-Ranges": "bytes" };
}

/** The Range header, unless If-Range names other content (RFC 9110, section 13.1.5). */
function rangeHeader({ headers }: Request, { digest }: registry.StoredBlob): string | null {
  const ifRange = headers.get("If-Range");
  return ifRange === null || ifRange === `"${digest}"` ? headers.get("Range") : null;
}

/** Spec end-2, HEAD. */
export async function headBlob(call: Call): Promise<Response> {
  const blob = await registry.statBlob(call.context, ...address(call));
  const headers = blobHeaders(blob);
  if (isNotModified(call.request, blob.digest)) return new Response(null, { status: 304, headers });
  return new Response(null, { headers: { ...headers, "Content-Length": String(blob.size) } });
}

/** Spec end-2, GET, with Range and If-None-Match. */
export async function getBlob(call: Call): Promise<Response> {
  const { request, context } = call;
  const blob = await registry.findBlob(context, ...address(call));
  const headers = blobHeaders(blob);
  if (isNotModified(request, blob.digest)) return new Response(null, { status: 304, headers });
  const range = parseRange(rangeHeader(request, blob), blob.size);
  if (range.kind === "unsatisfiable") {
    throw new OciError("RANGE_INVALID", { headers: { "Content-Range": `bytes */${blob.size}` } });
  }
  if (range.kind === "whole") {
    const body = await registry.readBlob(context, blob);
    return new Response(body, { headers: { ...headers, "Content-Length": String(blob.size) } });
  }
  const body = await registry.readBlob(context, blob, range);
  const { offset, length } = range;
  return new Response(body, {
    status: 206,
    headers: {
      ...headers,
      "Content-Length": String(length),
      "Content-Range": `bytes ${offset}-${offset + length - 1}/${blob.size}`,
    },
  });
}

/** Spec end-10. */
export async function deleteBlob(call: Call): Promise<Response> {
  const [repository, digest] = address(call);
  await registry.deleteBlob(call.context, { repository, digest, actor: call.caller.actor });
  return new Response(null, { status: 202 });
}
