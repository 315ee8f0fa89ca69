import { type Digest, digestAlgorithm, isDigest } from "../../src/oci/digest.ts";
import { type Manifest as ManifestContent, parseManifest } from "../../src/oci/manifest.ts";
import { MEDIA_TYPES } from "../../src/oci/media-type.ts";
import { reasonOf } from "../local/failure.ts";
import { Refusal } from "../stowage/http.ts";
import { join, type Response } from "./connection.ts";
import { digestOf } from "./hash.ts";
import { ImageFailure } from "./image-failure.ts";
import { pathOf, type Repository, scopeOf, titleOf } from "./repository.ts";

/** A manifest, exact to the byte. */
export interface Manifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly content: ManifestContent;
}

const ACCEPT = Object.values(MEDIA_TYPES)
  .filter((type) => type !== MEDIA_TYPES.octetStream)
  .join(", ");

/** Spec, "Pushing Manifests": registries may refuse more than 4 MiB. Some take more. */
export const MANIFEST_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Spec end-3. A digest given or stated is verified.
 * @throws Refusal with 404 where there is none; ImageFailure for what is damaged, or of a kind that is not copied.
 */
export async function getManifest(repository: Repository, reference: string): Promise<Manifest> {
  const { response, bytes } = await repository.connection.read(
    {
      ...{ method: "GET", url: pathOf(repository, `manifests/${reference}`), headers: { accept: ACCEPT } },
      ...{ scopes: [scopeOf(repository, "pull")], expected: [200] },
    },
    MANIFEST_BYTES_MAX,
  );
  const title = `${titleOf(repository)}${isDigest(reference) ? "@" : ":"}${reference}`;
  const manifest = readManifest(bytes, { title, contentType: join(response.headers["content-type"]) });
  const stated = isDigest(reference) ? reference : statedDigest(response);
  if (stated === undefined || stated === manifest.digest) return manifest;
  const digest = digestOf(digestAlgorithm(stated), bytes);
  if (digest !== stated) throw new ImageFailure(`${title} is damaged: its digest is ${digest}, not ${stated}`);
  return { ...manifest, digest };
}

/**
 * Reads a manifest, whose digest is of sha256.
 * @throws ImageFailure for Docker's schema 1, and what no registry takes.
 */
export function readManifest(
  bytes: Uint8Array,
  { title, contentType = "" }: { readonly title: string; readonly contentType?: string | undefined },
): Manifest {
  const digest = digestOf("sha256", bytes);
  const type = contentType.split(";", 1)[0]?.trim() ?? "";
  if (/manifest\.v1\+(json|prettyjws)$/.test(type) && type.includes("docker")) throw schema1(title);
  try {
    const content = parseManifest(bytes, undefined);
    return { digest, mediaType: content.mediaType, bytes, content };
  } catch (error) {
    if (isSchema1(bytes)) throw schema1(title);
    throw new ImageFailure(`${title} cannot be copied: ${reasonOf(error)}`);
  }
}

function schema1(title: string): ImageFailure {
  return new ImageFailure(
    `${title} is of Docker's schema 1, which registries take no more: docker pull it and docker push it anew`,
  );
}

function isSchema1(bytes: Uint8Array): boolean {
  return /"schemaVersion"\s*:\s*1\b/.test(Buffer.from(bytes.subarray(0, 1024)).toString());
}

function statedDigest({ headers }: Response): Digest | undefined {
  const stated = join(headers["docker-content-digest"]) ?? "";
  return isDigest(stated) ? stated : undefined;
}

/** What a reference names: HEAD, and GET where the registry does not state the digest. Undefined where it names nothing. */
export async function findManifest(repository: Repository, reference: string): Promise<Digest | undefined> {
  const response = await repository.connection.command({
    ...{ method: "HEAD", url: pathOf(repository, `manifests/${reference}`), headers: { accept: ACCEPT } },
    ...{ scopes: [scopeOf(repository, "pull")], expected: [200, 404] },
  });
  if (response.statusCode === 404) return undefined;
  return statedDigest(response) ?? (await getManifest(repository, reference)).digest;
}

/**
 * Spec end-7. `knowsSubject` tells whether the registry will list it among the referrers of its subject.
 * @throws ImageFailure where the registry takes no such manifest.
 */
export async function putManifest(
  repository: Repository,
  reference: string,
  { mediaType, bytes }: Pick<Manifest, "mediaType" | "bytes">,
): Promise<{ knowsSubject: boolean }> {
  try {
    const { headers } = await repository.connection.command({
      ...{ method: "PUT", url: pathOf(repository, `manifests/${reference}`), headers: { "content-type": mediaType } },
      ...{ scopes: [scopeOf(repository, "pull,push")], body: bytes, expected: [200, 201, 202] },
    });
    return { knowsSubject: headers["oci-subject"] !== undefined };
  } catch (error) {
    if (!(error instanceof Refusal) || ![400, 404, 409, 413, 415, 422].includes(error.status)) throw error;
    throw new ImageFailure(`${error.message} (manifest ${reference} of ${titleOf(repository)})`);
  }
}
