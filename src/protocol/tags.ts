import { parsePage } from "../oci/page.ts";
import { parseRepositoryName } from "../oci/repository-name.ts";
import { type Call, nextPage, warningHeader } from "./call.ts";

/** Spec end-8a and end-8b. */
export async function listTags(call: Call): Promise<Response> {
  const name = parseRepositoryName(call.params.name ?? "");
  const page = parsePage(call.url.searchParams);
  const { entries, next, warning } = await call.content().listTags(page);
  const link = next === undefined ? {} : nextPage(call.url, { n: String(page.limit), last: next });
  const headers = { ...link, ...warningHeader(warning) };
  return Response.json({ name, tags: entries }, { headers });
}
