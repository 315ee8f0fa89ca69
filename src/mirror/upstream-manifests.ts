import type { Context } from "../context.ts";
import { CANONICAL_ALGORITHM, computeDigest, type Digest, digestAlgorithm, isDigest } from "../oci/digest.ts";
import { MEDIA_TYPES, parseContentType } from "../oci/media-type.ts";
import type { Reference } from "../oci/reference.ts";
import type { MirrorAddress } from "../policy/upstream.ts";
import { MANIFEST_MAX_BYTES } from "../registry/manifests.ts";
import { readAnswer } from "./answer-body.ts";
import { statedSize } from "./blob-arrivals.ts";
import { problem } from "./transport.ts";
import { askUpstream } from "./upstream.ts";

/** All kinds that are understood; whatever an upstream sends of another kind is passed on. */
const ACCEPT = [
  ...[MEDIA_TYPES.ociIndex, MEDIA_TYPES.ociManifest, MEDIA_TYPES.dockerManifestList, MEDIA_TYPES.dockerManifest],
  ...[MEDIA_TYPES.ociArtifact, "*/*;q=0.1"],
].join(", ");

/** What an upstream says of a manifest. */
export interface ManifestHead {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
}

/** A manifest of an upstream, whose bytes have its digest. */
export interface UpstreamManifest extends ManifestHead {
  readonly bytes: Uint8Array;
}

const pathOf = (reference: Reference): string =>
  `manifests/${reference.kind === "tag" ? reference.tag : reference.digest}`;

/** Asks what a reference names at the upstream: one HEAD, which Docker Hub counts as no pull. Throws UpstreamError. */
export async function askForManifest(context: Context, address: MirrorAddress, reference: Reference): Promise<Headers> {
  const request = { method: "HEAD", path: pathOf(reference), accept: ACCEPT } as const;
  return (await askUpstream(context, address, request)).headers;
}

/** What a reference names at the upstream. One request; a second one where the upstream tells too little. Throws UpstreamError. */
export async function headManifest(
  context: Context,
  address: MirrorAddress,
  reference: Reference,
): Promise<ManifestHead> {
  const headers = await askForManifest(context, address, reference);
  const digest = headers.get("Docker-Content-Digest") ?? "";
  const mediaType = parseContentType(headers.get("Content-Type"));
  if (!isDigest(digest) || mediaType === undefined || headers.get("Content-Length") === null) {
    return await getManifest(context, address, reference);
  }
  return { digest, mediaType, size: statedSize(address, headers) };
}

/** A manifest of the upstream. One request. Throws UpstreamError, also for bytes that do not have the digest they should. */
export async function getManifest(
  context: Context,
  address: MirrorAddress,
  reference: Reference,
): Promise<UpstreamManifest> {
  const request = { method: "GET", path: pathOf(reference), accept: ACCEPT } as const;
  const response = await askUpstream(context, address, request);
  const bytes = await readAnswer(address.upstream, response, MANIFEST_MAX_BYTES);
  const stated = reference.kind === "digest" ? reference.digest : (response.headers.get("Docker-Content-Digest") ?? "");
  const digest = await computeDigest(isDigest(stated) ? digestAlgorithm(stated) : CANONICAL_ALGORITHM, bytes);
  if (isDigest(stated) && stated !== digest) {
    throw problem(address.upstream, `sends other bytes of a manifest than those of ${stated}`);
  }
  const mediaType = parseContentType(response.headers.get("Content-Type")) ?? MEDIA_TYPES.ociManifest;
  return { digest, mediaType, size: bytes.byteLength, bytes };
}
