import type { Measured, Sent, SentBody } from "./counted-registry.ts";
import { inPieces, digestOf } from "./content.ts";
import type { Descriptor, ManifestContent } from "./manifest-content.ts";

/** A registry of either kind: what it tells of each request is what a push tells of them. */
export interface Target<A extends Answer> {
  send(method: string, path: string, sent?: Sent): Promise<A>;
}

export type Answer = Omit<Measured, "usage">;

/** The ways to push a blob. Each returns its requests, in order, the last of which has made the blob. */
export interface BlobPush {
  readonly repository: string;
  readonly bytes: Uint8Array;
}

const uploadsPath = (repository: string): string => `/v2/${repository}/blobs/uploads/`;

/** As the reader of a socket gives a body: no telling where its pieces end. */
const PIECE_BYTES = 100_000;

export const unknownLength = (bytes: Uint8Array): SentBody => ({ bytes: inPieces(bytes, PIECE_BYTES) });

async function start<A extends Answer>(
  registry: Target<A>,
  repository: string,
): Promise<{ post: A; location: string }> {
  const post = await registry.send("POST", uploadsPath(repository));
  return { post, location: post.headers.get("Location") ?? "" };
}

/** Spec end-4b: all in one POST. */
export async function pushByPost<A extends Answer>(registry: Target<A>, { repository, bytes }: BlobPush): Promise<A[]> {
  const path = `${uploadsPath(repository)}?digest=${await digestOf(bytes)}`;
  return [await registry.send("POST", path, { body: { bytes } })];
}

/** Spec end-4a and end-6: POST, then all bytes in the PUT. */
export async function pushByPut<A extends Answer>(
  registry: Target<A>,
  { repository, bytes, body = { bytes } }: BlobPush & { body?: SentBody },
): Promise<A[]> {
  const { post, location } = await start(registry, repository);
  return [post, await registry.send("PUT", `${location}?digest=${await digestOf(bytes)}`, { body })];
}

/** As Docker does: POST, one PATCH with all bytes, PUT. */
export async function pushByPatch<A extends Answer>(
  registry: Target<A>,
  { repository, bytes, body = unknownLength(bytes) }: BlobPush & { body?: SentBody },
): Promise<A[]> {
  const { post, location } = await start(registry, repository);
  const patch = await registry.send("PATCH", location, { body });
  return [post, patch, await registry.send("PUT", `${location}?digest=${await digestOf(bytes)}`)];
}

/** Spec, "Pushing a blob in chunks": POST, PATCHes with Content-Range, PUT. */
export async function pushInChunks<A extends Answer>(
  registry: Target<A>,
  { repository, bytes, chunkSize }: BlobPush & { chunkSize: number },
): Promise<A[]> {
  const { post, location } = await start(registry, repository);
  const measured = [post];
  let offset = 0;
  for (const chunk of inPieces(bytes, chunkSize)) {
    const headers = { "Content-Range": `${offset}-${offset + chunk.byteLength - 1}` };
    measured.push(await registry.send("PATCH", location, { headers, body: { bytes: chunk } }));
    offset += chunk.byteLength;
  }
  measured.push(await registry.send("PUT", `${location}?digest=${await digestOf(bytes)}`));
  return measured;
}

/** Pushes a blob in one request, for tests of what comes after. */
export async function storeBlob<A extends Answer>(
  registry: Target<A>,
  repository: string,
  bytes: Uint8Array,
): Promise<Descriptor> {
  await pushByPost(registry, { repository, bytes });
  return { digest: await digestOf(bytes), size: bytes.byteLength };
}

/** Spec end-7. */
export async function pushManifest<A extends Answer>(
  registry: Target<A>,
  repository: string,
  reference: string,
  { bytes, mediaType }: ManifestContent,
): Promise<A> {
  const headers = { "Content-Type": mediaType };
  return await registry.send("PUT", `/v2/${repository}/manifests/${reference}`, { headers, body: { bytes } });
}
