import { type Digest, digestAlgorithm } from "../../src/oci/digest.ts";
import { type Blob, readBlob } from "../distribution/blobs.ts";
import { digestOf } from "../distribution/hash.ts";
import { ImageFailure, Missing } from "../distribution/image-failure.ts";
import { getManifest, type Manifest } from "../distribution/manifests.ts";
import { listReferrers } from "../distribution/referrers.ts";
import { type Repository, titleOf } from "../distribution/repository.ts";
import { Refusal } from "../stowage/http.ts";

/** Where images come from. */
export interface Source {
  /** Set where they come from a registry: content may be mounted within it. */
  readonly repository?: Repository;
  /** By tag or digest. @throws Missing where there is none. */
  getManifest(reference: string): Promise<Manifest>;
  /** A blob's bytes from an offset on; who reads them verifies them. */
  openBlob(blob: Blob, offset: number): AsyncIterable<Uint8Array>;
  /** The manifests whose subject it is. */
  listReferrers(digest: Digest): Promise<readonly Digest[]>;
}

/** Configs are of some kilobytes. */
const WHOLE_BYTES_MAX = 16 * 1024 * 1024;

/** A small blob, verified. @throws ImageFailure */
export async function readWhole(source: Source, { digest, size }: Blob): Promise<Uint8Array> {
  if (size > WHOLE_BYTES_MAX) throw new ImageFailure(`${digest} has ${size} bytes, where some thousands are right`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.openBlob({ digest, size }, 0)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const found = digestOf(digestAlgorithm(digest), bytes);
  if (found !== digest) throw new ImageFailure(`the content of ${digest} is damaged: its digest is ${found}`);
  return bytes;
}

/** The images of a repository. */
export function sourceOf(repository: Repository): Source {
  return {
    repository,
    getManifest: async (reference) => {
      try {
        return await getManifest(repository, reference);
      } catch (error) {
        if (!(error instanceof Refusal) || error.status !== 404) throw error;
        throw new Missing(`there is no ${reference} in ${titleOf(repository)}: ${error.message}`);
      }
    },
    openBlob: (blob, offset) => readBlob(repository, blob, offset),
    listReferrers: async (digest) => (await listReferrers(repository, digest)).map((referrer) => referrer.digest),
  };
}
