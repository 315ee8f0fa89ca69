import type { Context } from "../context.ts";
import type { Reader } from "../metadata/reader.ts";
import * as metadata from "../metadata/tags.ts";
import { OciError } from "../oci/error.ts";
import { type Page, type PageRequest, toPage } from "../oci/page.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { askReplica } from "./replica.ts";

/** Spec end-8: one page of tag names. One D1 round trip; two where a replica knows none. Throws NAME_UNKNOWN. */
export async function listTags(context: Context, repository: RepositoryName, page: PageRequest): Promise<Page<string>> {
  const list = async (db: Reader) => await metadata.listTags(db, repository, page);
  const names = await askReplica(context, list, (found) => found === undefined || found.length === 0);
  if (!names) throw new OciError("NAME_UNKNOWN", { detail: { name: repository } });
  return toPage(names, page.limit, (name) => name);
}
