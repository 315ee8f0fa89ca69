import type { Context } from "../context.ts";
import { isOwnRepository } from "../metadata/mirrored.ts";
import type { Digest } from "../oci/digest.ts";
import { type ErrorCode, OciError } from "../oci/error.ts";
import type { ReferrerDescriptor } from "../oci/manifest.ts";
import type { PageRequest } from "../oci/page.ts";
import type { Reference } from "../oci/reference.ts";
import type { MirrorAddress } from "../policy/upstream.ts";
import {
  type Content,
  type ContentReferrersQuery,
  type FoundBlob,
  type FoundManifest,
  type Listed,
  LocalContent,
} from "../registry/content.ts";
import { fetchBlob, statedSize } from "./blob-arrivals.ts";
import { MirroredManifests } from "./mirrored-manifests.ts";
import { askUpstream } from "./upstream.ts";
import { toOciError, UpstreamError } from "./upstream-error.ts";
import { listUpstreamReferrers, listUpstreamTags } from "./upstream-lists.ts";

/**
 * A repository of an upstream: what is here is served from here, at the cost of our own; what is not is fetched, and stays. What the
 * upstream cannot be asked for is served as it was, with a warning.
 */
export class MirroredContent implements Content {
  readonly #context: Context;
  readonly #address: MirrorAddress;
  /** What of it is here. */
  readonly #here: LocalContent;
  readonly #manifests: MirroredManifests;

  constructor(context: Context, address: MirrorAddress) {
    this.#context = context;
    this.#address = address;
    this.#here = new LocalContent(context, address.repository, true);
    this.#manifests = new MirroredManifests(context, address);
  }

  async findManifest(reference: Reference, withText: boolean): Promise<FoundManifest> {
    const detail = reference.kind === "tag" ? { tag: reference.tag } : { digest: reference.digest };
    return await this.#asked("MANIFEST_UNKNOWN", Object.values(detail).join(""), async () => {
      return await this.#manifests.find(reference, withText);
    });
  }

  async statBlob(digest: Digest): Promise<FoundBlob> {
    return await this.#hereOr(
      async () => await this.#here.statBlob(digest),
      async () => {
        const request = { method: "HEAD", path: `blobs/${digest}` } as const;
        const { headers } = await askUpstream(this.#context, this.#address, request);
        const size = statedSize(this.#address, headers);
        return { digest, size, read: async (range) => await (await this.findBlob(digest)).read(range) };
      },
      digest,
    );
  }

  async findBlob(digest: Digest): Promise<FoundBlob> {
    return await this.#hereOr(
      async () => await this.#here.findBlob(digest),
      async () => await fetchBlob({ context: this.#context, address: this.#address, digest }),
      digest,
    );
  }

  /** What the upstream lists; of what is here, where it cannot be asked. */
  async listTags(page: PageRequest): Promise<Listed<string>> {
    return await this.#thereOr(
      async () => await listUpstreamTags(this.#context, this.#address, page),
      async () => await this.#here.listTags(page),
    );
  }

  /** What the upstream lists; of what is here, where it cannot be asked. */
  async listReferrers(query: ContentReferrersQuery): Promise<Listed<ReferrerDescriptor>> {
    return await this.#thereOr(
      async () => await listUpstreamReferrers(this.#context, this.#address, query),
      async () => await this.#here.listReferrers(query),
    );
  }

  /** What is here; what is not, from the upstream, unless the repository is one of our own. */
  async #hereOr(here: () => Promise<FoundBlob>, there: () => Promise<FoundBlob>, digest: Digest): Promise<FoundBlob> {
    try {
      return await here();
    } catch (error) {
      if (!(error instanceof OciError) || error.status !== 404) throw error;
      const { repository } = this.#address;
      const isOwn = error.code !== "NAME_UNKNOWN" && (await isOwnRepository(this.#context.db, repository));
      if (isOwn) throw error;
    }
    return await this.#asked("BLOB_UNKNOWN", digest, there);
  }

  /** What an upstream says; of what it does not have, it is not asked again soon. */
  async #asked<T>(unknown: ErrorCode, reference: string, ask: () => Promise<T>): Promise<T> {
    const { repository, upstream } = this.#address;
    const { now } = this.#context;
    if (this.#context.mirror.isUnknown(repository, reference, now())) {
      throw new OciError(unknown, { message: `${upstream.name} said a moment ago that it has no such thing` });
    }
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (error.problem === "unknown" || error.problem === "refused")
        this.#context.mirror.noteUnknown(repository, reference, now());
      throw toOciError(error, unknown);
    }
  }

  async #thereOr<T>(there: () => Promise<Listed<T>>, here: () => Promise<Listed<T>>): Promise<Listed<T>> {
    const { repository } = this.#address;
    if (await isOwnRepository(this.#context.db, repository)) return await here();
    try {
      return await there();
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (error.problem === "unknown") throw toOciError(error, "NAME_UNKNOWN");
      const warning = `${error.message}: this is what is known here`;
      try {
        return { ...(await here()), warning };
      } catch (unknown) {
        throw unknown instanceof OciError ? toOciError(error, "NAME_UNKNOWN") : unknown;
      }
    }
  }
}
