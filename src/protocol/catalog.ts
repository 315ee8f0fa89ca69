import { parsePage } from "../oci/page.ts";
import * as registry from "../registry/repositories.ts";
import { type Call, nextPage } from "./call.ts";

/** Docker's `GET /v2/_catalog`: of what the caller may pull. */
export async function listRepositories(call: Call): Promise<Response> {
  const page = parsePage(call.url.searchParams);
  const { entries, next } = await registry.listNames(call.context, call.caller.visibility, page);
  const headers = next === undefined ? {} : nextPage(call.url, { n: String(page.limit), last: next });
  return Response.json({ repositories: entries }, { headers });
}
