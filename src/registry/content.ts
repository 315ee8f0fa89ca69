import type { Context } from "../context.ts";
import type { Digest } from "../oci/digest.ts";
import type { ReferrerDescriptor } from "../oci/manifest.ts";
import type { Page, PageRequest } from "../oci/page.ts";
import type { ByteRange } from "../oci/range.ts";
import type { Reference } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { findBlob, readBlob, statBlob, type StoredBlob } from "./blobs.ts";
import { findManifest, readManifest, type StoredManifest } from "./manifests.ts";
import { notePull } from "./pull-counts.ts";
import { pullManifest } from "./pulls.ts";
import { listReferrers, type ReferrersQuery } from "./referrers.ts";
import { listTags } from "./tags.ts";

/** Content that was found, and its bytes, if they are asked for. */
interface Found {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** What a client should be told of it beside: that it may be old. */
  readonly warning?: string | undefined;
}

export interface FoundManifest extends Found {
  readonly mediaType: string;
  /** The exact bytes, where the manifest was asked for with its text. */
  readonly read: () => Promise<ReadableStream | string>;
  /** Notes that a client was given it. */
  readonly notePull: () => void;
}

export interface FoundBlob extends Found {
  /** The bytes, or a part of them. */
  readonly read: (range: ByteRange | undefined) => Promise<ReadableStream>;
}

/** A list, or a page of it. */
export interface Listed<T> extends Page<T> {
  readonly warning?: string | undefined;
}

/** What a list of referrers is of. */
export type ContentReferrersQuery = Omit<ReferrersQuery, "repository">;

/**
 * What clients pull of a repository, wherever it comes from: test/protocol/content-contract.test.ts tells what holds for every one.
 * Each operation throws OciError NAME_UNKNOWN where there is no such repository.
 */
export interface Content {
  /** Spec end-3. Throws MANIFEST_UNKNOWN. */
  findManifest(reference: Reference, withText: boolean): Promise<FoundManifest>;
  /** Spec end-2, HEAD. Throws BLOB_UNKNOWN. */
  statBlob(digest: Digest): Promise<FoundBlob>;
  /** Spec end-2, GET. Throws BLOB_UNKNOWN. */
  findBlob(digest: Digest): Promise<FoundBlob>;
  /** Spec end-8. */
  listTags(page: PageRequest): Promise<Listed<string>>;
  /** Spec end-12. */
  listReferrers(query: ContentReferrersQuery): Promise<Listed<ReferrerDescriptor>>;
}

/** Content of our own. */
export class LocalContent implements Content {
  readonly #context: Context;
  readonly #repository: RepositoryName;
  readonly #mayBeOld: boolean;

  /** @param mayBeOld for who can only pull: what was true a moment ago, as the settings have it. */
  constructor(context: Context, repository: RepositoryName, mayBeOld: boolean) {
    this.#context = context;
    this.#repository = repository;
    this.#mayBeOld = mayBeOld;
  }

  async findManifest(reference: Reference, withText: boolean): Promise<FoundManifest> {
    const manifest = this.#mayBeOld
      ? await pullManifest(this.#context, this.#repository, reference)
      : await findManifest(this.#context, this.#repository, reference, withText);
    return foundManifest(this.#context, this.#repository, manifest);
  }

  async statBlob(digest: Digest): Promise<FoundBlob> {
    return foundBlob(this.#context, await statBlob(this.#context, this.#repository, digest));
  }

  async findBlob(digest: Digest): Promise<FoundBlob> {
    return foundBlob(this.#context, await findBlob(this.#context, this.#repository, digest));
  }

  async listTags(page: PageRequest): Promise<Listed<string>> {
    return await listTags(this.#context, this.#repository, page);
  }

  async listReferrers(query: ContentReferrersQuery): Promise<Listed<ReferrerDescriptor>> {
    return await listReferrers(this.#context, { ...query, repository: this.#repository });
  }
}

/** A manifest of the database. */
export function foundManifest(
  context: Context,
  repository: RepositoryName,
  manifest: StoredManifest,
  warning?: string,
): FoundManifest {
  const { digest, size, mediaType } = manifest;
  return {
    ...{ digest, size, mediaType, warning },
    read: async () => await readManifest(context, manifest),
    notePull: () => {
      notePull(context, repository, manifest);
    },
  };
}

/** A blob of the database. */
export function foundBlob(context: Context, blob: StoredBlob): FoundBlob {
  const { digest, size } = blob;
  return { digest, size, read: async (range) => await readBlob(context, blob, range) };
}
