import { CANONICAL_ALGORITHM, type Digest, parseAlgorithm, parseDigest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import { formatUploadRange, parseUploadRange } from "../oci/range.ts";
import { isRepositoryName, parseRepositoryName, type RepositoryName } from "../oci/repository-name.ts";
import { uploadLocation } from "../oci/upload-session.ts";
import { mountBlob } from "../registry/blobs.ts";
import * as registry from "../registry/uploads.ts";
import { type Call, chunkHeaders, contentLength } from "./call.ts";

function address(call: Call): registry.UploadAddress {
  return { repository: parseRepositoryName(call.params.name ?? ""), id: call.params.id ?? "" };
}

function created(repository: RepositoryName, digest: Digest): Response {
  return new Response(null, {
    status: 201,
    headers: { Location: `/v2/${repository}/blobs/${digest}`, "Docker-Content-Digest": digest },
  });
}

/** What every answer tells of an open upload: where to go on, and from which byte. */
function progressHeaders({ repository, id }: registry.UploadAddress, received: number): Record<string, string> {
  return {
    Location: uploadLocation(repository, id),
    Range: formatUploadRange(received),
    "Docker-Upload-UUID": id,
  };
}

/**
 * Whether the caller may have what a mount links: an admin anything, others what they may pull by the rules, or by the scope of
 * the token that they come with.
 */
function mayMountFrom({ caller }: Call, from: RepositoryName | undefined): boolean {
  if (caller.mayPullAnything) return true;
  return from !== undefined && caller.allows({ type: "repository", name: from, actions: ["pull"] });
}

/** Spec end-11: links a blob of another repository. Undefined when there is none to link, and the client must upload. */
async function tryMount(call: Call, repository: RepositoryName, mount: string): Promise<Response | undefined> {
  const digest = parseDigest(mount);
  const from = call.url.searchParams.get("from") ?? undefined;
  if ((from !== undefined && !isRepositoryName(from)) || !mayMountFrom(call, from)) return undefined;
  const isMounted = await mountBlob(call.context, { repository, digest, from });
  return isMounted ? created(repository, digest) : undefined;
}

/** Spec end-4a, end-4b and end-11: opens an upload, unless a mount or a whole blob makes that needless. */
export async function startUpload(call: Call): Promise<Response> {
  const { url, context, request } = call;
  const repository = parseRepositoryName(call.params.name ?? "");
  const mount = url.searchParams.get("mount");
  const mounted = mount === null ? undefined : await tryMount(call, repository, mount);
  if (mounted) return mounted;
  const digest = url.searchParams.get("digest");
  const length = contentLength(request);
  // A POST of unknown length falls back to a session, as the spec allows: 202 tells the client to send the bytes there.
  if (digest !== null && length !== undefined) {
    const parsed = parseDigest(digest);
    await registry.putBlob(context, repository, parsed, request.body, length);
    return created(repository, parsed);
  }
  const algorithm = url.searchParams.get("digest-algorithm");
  const id = await registry.startUpload(
    context,
    repository,
    algorithm === null ? CANONICAL_ALGORITHM : parseAlgorithm(algorithm),
  );
  const headers = { ...progressHeaders({ repository, id }, 0), ...chunkHeaders(context) };
  return new Response(null, { status: 202, headers });
}

function chunkOf({ request }: Call): registry.Chunk {
  const header = request.headers.get("Content-Range");
  const range = header === null ? undefined : parseUploadRange(header);
  if (header !== null && range === undefined) {
    throw new OciError("RANGE_INVALID", { message: "Content-Range is malformed: expected <first byte>-<last byte>" });
  }
  return { body: request.body, length: contentLength(request), range };
}

/** Spec end-5. */
export async function patchUpload(call: Call): Promise<Response> {
  const upload = address(call);
  const received = await registry.receiveChunk(call.context, upload, chunkOf(call));
  return new Response(null, { status: 202, headers: progressHeaders(upload, received) });
}

/** Spec end-6. */
export async function putUpload(call: Call): Promise<Response> {
  const upload = address(call);
  const digest = call.url.searchParams.get("digest");
  if (digest === null) throw new OciError("DIGEST_INVALID", { message: "the digest parameter is missing" });
  const parsed = parseDigest(digest);
  await registry.finishUpload(call.context, upload, parsed, chunkOf(call));
  return created(upload.repository, parsed);
}

/** Spec end-13. */
export async function getUpload(call: Call): Promise<Response> {
  const upload = address(call);
  const received = await registry.uploadStatus(call.context, upload);
  return new Response(null, { status: 204, headers: progressHeaders(upload, received) });
}

/** Spec end-14. */
export async function deleteUpload(call: Call): Promise<Response> {
  await registry.cancelUpload(call.context, address(call));
  return new Response(null, { status: 204 });
}
