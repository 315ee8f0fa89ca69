import { parsePage } from "../oci/page.ts";
import { parseRepositoryName } from "../oci/repository-name.ts";
import * as registry from "../registry/tags.ts";
import { type Call, nextPage } from "./call.ts";

/** Spec end-8a and end-8b. */
export async function listTags(call: Call): Promise<Response> {
  const name = parseRepositoryName(call.params.name ?? "");
  const page = parsePage(call.url.searchParams);
  const { entries, next } = await registry.listTags(call.context, name, page);
  const headers = next === undefined ? {} : nextPage(call.url, { n: String(page.limit), last: next });
  return Response.json({ name, tags: entries }, { headers });
}
