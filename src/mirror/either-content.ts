import type { Digest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import type { ReferrerDescriptor } from "../oci/manifest.ts";
import type { PageRequest } from "../oci/page.ts";
import type { Reference } from "../oci/reference.ts";
import type { Content, ContentReferrersQuery, FoundBlob, FoundManifest, Listed } from "../registry/content.ts";

/** What a repository here has; where there is no such repository, what the other has. One D1 query more than the other alone. */
export class EitherContent implements Content {
  readonly #here: Content;
  readonly #there: Content;

  constructor(here: Content, there: Content) {
    this.#here = here;
    this.#there = there;
  }

  async findManifest(reference: Reference, withText: boolean): Promise<FoundManifest> {
    return await this.#either(async (content) => await content.findManifest(reference, withText));
  }

  async statBlob(digest: Digest): Promise<FoundBlob> {
    return await this.#either(async (content) => await content.statBlob(digest));
  }

  async findBlob(digest: Digest): Promise<FoundBlob> {
    return await this.#either(async (content) => await content.findBlob(digest));
  }

  async listTags(page: PageRequest): Promise<Listed<string>> {
    return await this.#either(async (content) => await content.listTags(page));
  }

  /** An unknown repository has an empty list of referrers, so that only what is in it tells of it. */
  async listReferrers(query: ContentReferrersQuery): Promise<Listed<ReferrerDescriptor>> {
    const here = await this.#here.listReferrers(query);
    return here.entries.length > 0 ? here : await this.#there.listReferrers(query);
  }

  async #either<T>(ask: (content: Content) => Promise<T>): Promise<T> {
    try {
      return await ask(this.#here);
    } catch (error) {
      if (!(error instanceof OciError) || error.code !== "NAME_UNKNOWN") throw error;
    }
    return await ask(this.#there);
  }
}
