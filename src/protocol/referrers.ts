import { parseDigest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import { MEDIA_TYPES } from "../oci/media-type.ts";
import { parsePage } from "../oci/page.ts";
import { parseRepositoryName } from "../oci/repository-name.ts";
import { REFERRERS_LIMIT } from "../registry/referrers.ts";
import { type Call, decodeParam, nextPage, warningHeader } from "./call.ts";

/**
 * Spec end-12. An unknown subject, and an unknown repository, have an empty list: 404 would tell clients that there is no
 * such endpoint, and make them fall back to tags for good.
 */
export async function listReferrers(call: Call): Promise<Response> {
  parseRepositoryName(call.params.name ?? "");
  const subject = parseDigest(decodeParam(call, "digest"));
  const query = call.url.searchParams;
  const page = parsePage(query, REFERRERS_LIMIT);
  if (!/^\d{0,15}$/.test(page.last)) {
    throw new OciError("PAGINATION_NUMBER_INVALID", { message: "last is not from a Link of this list" });
  }
  // An empty filter filters nothing.
  const artifactType = query.get("artifactType") ?? "";
  const { entries, next, warning } = await call.content().listReferrers({
    ...{ subject, limit: page.limit },
    artifactType: artifactType === "" ? undefined : artifactType,
    after: page.last === "" ? undefined : Number(page.last),
  });
  const body = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: entries };
  return new Response(JSON.stringify(body), {
    headers: {
      "Content-Type": MEDIA_TYPES.ociIndex,
      ...(artifactType !== "" && { "OCI-Filters-Applied": "artifactType" }),
      ...warningHeader(warning),
      ...(next !== undefined && nextPage(call.url, { n: String(page.limit), last: next })),
    },
  });
}
