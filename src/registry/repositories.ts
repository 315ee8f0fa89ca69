import type { Context } from "../context.ts";
import * as metadata from "../metadata/repositories.ts";
import { type Page, type PageRequest, toPage } from "../oci/page.ts";

/** Docker's `_catalog`: one page of repository names. One D1 query. */
export async function listRepositories({ db }: Context, page: PageRequest): Promise<Page<string>> {
  return toPage(await metadata.listRepositories(db, page), page.limit, (name) => name);
}
