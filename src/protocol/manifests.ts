import { OciError } from "../oci/error.ts";
import { parseContentType } from "../oci/media-type.ts";
import { isTag, parseReference, parseTag, type Reference } from "../oci/reference.ts";
import { parseRepositoryName, type RepositoryName } from "../oci/repository-name.ts";
import * as registry from "../registry/manifests.ts";
import { type Call, decodeParam, readBody, warningHeader } from "./call.ts";
import { contentHeaders, isNotModified } from "./content.ts";

/** Spec, "Pushing Manifests with Tags": at least 10 tags are accepted. */
const TAGS_MAX = 100;

function address(call: Call): { repository: RepositoryName; reference: Reference } {
  const repository = parseRepositoryName(call.params.name ?? "");
  return { repository, reference: parseReference(decodeParam(call, "reference")) };
}

/** The address of something that should exist: what cannot be a tag is not an error of its own, but not there. */
function existingAddress(call: Call): { repository: RepositoryName; reference: Reference } {
  const text = decodeParam(call, "reference");
  if (text.includes(":") || isTag(text)) return address(call);
  parseRepositoryName(call.params.name ?? "");
  throw new OciError("MANIFEST_UNKNOWN", { detail: { tag: text.slice(0, 160) } });
}

/** Spec end-3, GET and HEAD. A manifest comes as it was pushed, whatever the client says that it accepts. */
export async function getManifest(call: Call): Promise<Response> {
  const { reference } = existingAddress(call);
  const isHead = call.request.method === "HEAD";
  const manifest = await call.content().findManifest(reference, !isHead);
  if (!isHead) manifest.notePull();
  const { digest, mediaType, warning } = manifest;
  const headers = { ...contentHeaders(digest, mediaType, reference.kind), ...warningHeader(warning) };
  if (isNotModified(call.request, manifest.digest)) return new Response(null, { status: 304, headers });
  const body = isHead ? null : await manifest.read();
  return new Response(body, { headers: { ...headers, "Content-Length": String(manifest.size) } });
}

/** The request's body, but never more of it than a manifest may have. */
async function readManifestBody(request: Request): Promise<Uint8Array> {
  const bytes = await readBody(request, registry.MANIFEST_MAX_BYTES);
  if (bytes === undefined) {
    throw new OciError("MANIFEST_TOO_LARGE", { detail: { maxBytes: registry.MANIFEST_MAX_BYTES } });
  }
  return bytes;
}

/** Spec end-7a and end-7b. */
export async function putManifest(call: Call): Promise<Response> {
  const { repository, reference } = address(call);
  const tags = [...new Set(call.url.searchParams.getAll("tag"))].map(parseTag);
  if (tags.length > TAGS_MAX) {
    throw new OciError("TAG_INVALID", { message: `a manifest takes at most ${TAGS_MAX} tags at once` });
  }
  const { digest, subject } = await registry.pushManifest(call.context, {
    ...{ repository, reference, tags, actor: call.caller.actor },
    bytes: await readManifestBody(call.request),
    contentType: parseContentType(call.request.headers.get("Content-Type")),
  });
  const headers = new Headers({ Location: `/v2/${repository}/manifests/${digest}`, "Docker-Content-Digest": digest });
  if (subject !== undefined) headers.set("OCI-Subject", subject);
  for (const tag of tags) headers.append("OCI-Tag", tag);
  return new Response(null, { status: 201, headers });
}

/** Spec end-9. */
export async function deleteManifest(call: Call): Promise<Response> {
  const { repository, reference } = existingAddress(call);
  await registry.deleteManifest(call.context, { repository, reference, actor: call.caller.actor });
  return new Response(null, { status: 202 });
}
