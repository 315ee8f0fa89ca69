import type { Context } from "../context.ts";
import * as metadata from "../metadata/tags.ts";
import { OciError } from "../oci/error.ts";
import { type Page, type PageRequest, toPage } from "../oci/page.ts";
import type { RepositoryName } from "../oci/repository-name.ts";

/** Spec end-8: one page of tag names. One D1 round trip. Throws NAME_UNKNOWN. */
export async function listTags({ db }: Context, repository: RepositoryName, page: PageRequest): Promise<Page<string>> {
  const names = await metadata.listTags(db, repository, page);
  if (!names) throw new OciError("NAME_UNKNOWN", { detail: { name: repository } });
  return toPage(names, page.limit, (name) => name);
}
