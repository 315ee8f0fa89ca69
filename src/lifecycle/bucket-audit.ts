import type { Context } from "../context.ts";
import { logError } from "../log.ts";
import {
  advanceAudit,
  findAuditPosition,
  listMissingObjects,
  listNamedObjects,
  type MissingObject,
  type NamedObject,
} from "../metadata/bucket-audit.ts";
import { type Page, toPage } from "../oci/page.ts";
import { isStored, listObjects } from "../storage/objects.ts";

export type { MissingObject } from "../metadata/bucket-audit.ts";

/** Objects read in one run: one call to R2. A million objects take a week of runs every ten minutes. */
const PAGE = 1_000;

/** Rows that seem to have no object, which are asked for one by one: if there are more, the rest has its turn next time. */
const CHECKED_MAX = 100;

/** Beyond the life of an upload session: a younger object may belong to a request that has yet to write its row. */
const AGE_MS = 86_400_000;

/**
 * Compares a part of the bucket with the database, and goes on from there in the next run. Objects that no row names, such as a
 * Worker leaves that dies between the two, are discarded. Rows whose object is gone are noted and told, and stay. One class A
 * operation, three D1 round trips, and a class B operation for each row that seems to have no object.
 * @returns how many objects were discarded.
 */
export async function auditBucket(context: Context): Promise<number> {
  const { db, bucket, config, now } = context;
  const after = await findAuditPosition(db);
  const { objects, isLast } = await listObjects(bucket, after, PAGE);
  const range = { after, last: isLast ? undefined : objects.at(-1)?.key };
  // Read after the listing: what was stored meanwhile is in neither, or in both.
  const named = await listNamedObjects(db, range);
  const [stored, known] = [new Set(objects.map(({ key }) => key)), new Set(named.map(({ key }) => key))];
  const youngest = now() - config.uploadTtlMs - AGE_MS;
  const unknown = objects.filter(({ key, uploadedAt }) => !known.has(key) && uploadedAt < youngest);
  const missing = await confirmMissing(bucket, named.filter(({ key }) => !stored.has(key)).slice(0, CHECKED_MAX));
  const [first] = missing;
  if (first) logError("objects are missing", new Error("R2 does not hold them"), { count: missing.length, first });
  return await advanceAudit(db, range, { unknown: unknown.map(({ key }) => key), missing }, now());
}

/** A row may be younger than the listing. */
async function confirmMissing(bucket: R2Bucket, suspects: readonly NamedObject[]): Promise<NamedObject[]> {
  const stored = await Promise.all(suspects.map(async ({ key }) => await isStored(bucket, key)));
  return suspects.filter((_suspect, index) => stored[index] === false);
}

/** Blobs and manifests whose object is gone, as far as the bucket has been read. One D1 query. */
export async function listMissing({ db }: Context, limit: number): Promise<Page<MissingObject>> {
  return toPage(await listMissingObjects(db, limit), limit, ({ key }) => key);
}
