import { type Digest, parseDigest } from "../oci/digest.ts";
import { MEDIA_TYPES } from "../oci/media-type.ts";
import { parseRepositoryName, type RepositoryName } from "../oci/repository-name.ts";
import { deleteBlob as remove } from "../registry/blobs.ts";
import type { FoundBlob } from "../registry/content.ts";
import { type Call, decodeParam, warningHeader } from "./call.ts";
import { contentHeaders, contentResponse, isNotModified, requestedRange } from "./content.ts";

function address(call: Call): [repository: RepositoryName, digest: Digest] {
  return [parseRepositoryName(call.params.name ?? ""), parseDigest(decodeParam(call, "digest"))];
}

function blobHeaders({ digest, warning }: FoundBlob): Record<string, string> {
  const headers = contentHeaders(digest, MEDIA_TYPES.octetStream, "digest");
  return { ...headers, ...warningHeader(warning), "Accept-Ranges": "bytes" };
}

/** Spec end-2, HEAD. */
export async function headBlob(call: Call): Promise<Response> {
  const [, digest] = address(call);
  const blob = await call.content().statBlob(digest);
  const headers = blobHeaders(blob);
  if (isNotModified(call.request, blob.digest)) return new Response(null, { status: 304, headers });
  return new Response(null, { headers: { ...headers, "Content-Length": String(blob.size) } });
}

/** Spec end-2, GET, with Range and If-None-Match. */
export async function getBlob(call: Call): Promise<Response> {
  const { request, content } = call;
  const [, digest] = address(call);
  const blob = await content().findBlob(digest);
  const headers = blobHeaders(blob);
  if (isNotModified(request, blob.digest)) return new Response(null, { status: 304, headers });
  const range = requestedRange(request, blob.digest, blob.size);
  return contentResponse(await blob.read(range), headers, blob.size, range);
}

/** Spec end-10. */
export async function deleteBlob(call: Call): Promise<Response> {
  const [repository, digest] = address(call);
  await remove(call.context, { repository, digest, actor: call.caller.actor });
  return new Response(null, { status: 202 });
}
