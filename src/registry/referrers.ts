import type { Context } from "../context.ts";
import * as metadata from "../metadata/referrers.ts";
import type { Digest } from "../oci/digest.ts";
import { readAnnotations, type ReferrerDescriptor } from "../oci/manifest.ts";
import type { Page } from "../oci/page.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { getBytes } from "../storage/objects.ts";
import { askReplica } from "./replica.ts";

/** The most descriptors in one answer. */
export const REFERRERS_LIMIT = 200;

/** Clients read no more than 4 MiB of an index; the rest of it is room for all but annotations. */
const ANNOTATIONS_MAX_BYTES = 3 * 1024 * 1024;

export interface ReferrersQuery {
  readonly repository: RepositoryName;
  readonly subject: Digest;
  readonly artifactType: string | undefined;
  readonly limit: number;
  /** The `next` of the page before; undefined for the first. */
  readonly after: number | undefined;
}

/**
 * Spec end-12: one page of the manifests that name this subject, which itself need not be here. One D1 query, two where a
 * replica knows none, and one class B operation for each manifest too large for a row.
 */
export async function listReferrers(context: Context, query: ReferrersQuery): Promise<Page<ReferrerDescriptor>> {
  const request = { ...query, after: query.after ?? 0, annotationsMaxBytes: ANNOTATIONS_MAX_BYTES };
  const { referrers, complete } = await askReplica(
    context,
    async (db) => await metadata.listReferrers(db, request),
    (found) => found.referrers.length === 0,
  );
  const entries = await Promise.all(referrers.map(async (referrer) => await toDescriptor(context, referrer)));
  const last = referrers.at(-1);
  return { entries, next: complete || last === undefined ? undefined : String(last.id) };
}

async function toDescriptor({ bucket }: Context, referrer: metadata.Referrer): Promise<ReferrerDescriptor> {
  const { mediaType, digest, size, artifactType, objectKey } = referrer;
  const annotations =
    objectKey === undefined
      ? (JSON.parse(referrer.annotations ?? "null") as Record<string, string> | null)
      : readAnnotations(await getBytes(bucket, objectKey));
  return { mediaType, digest, size, ...(artifactType && { artifactType }), ...(annotations && { annotations }) };
}
