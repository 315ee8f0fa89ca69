import type { Context } from "../context.ts";
import { forgetDiscardedObjects, listDiscardedObjects } from "../metadata/discarded-objects.ts";
import { deleteObjects } from "../storage/objects.ts";

/** Each may be a multipart upload to abort, which is a call of its own; a run makes no more than 1,000 on the free plan. */
const BATCH = 500;

/**
 * How long a discarded object stays. A transaction that was taken for lost may still come: while its object is noted here
 * it does nothing. And who has begun to read an object reads it to its end.
 */
const GRACE_MS = 10 * 60_000;

/**
 * Deletes a batch of objects that no row needs. Forgets them only after R2 has deleted them, so that it may die anywhere
 * and be run again. Returns how many there were.
 */
export async function deleteDiscardedObjects({ db, bucket, now }: Context): Promise<number> {
  const objects = await listDiscardedObjects(db, now() - GRACE_MS, BATCH);
  if (objects.length === 0) return 0;
  await deleteObjects(bucket, objects);
  await forgetDiscardedObjects(
    db,
    objects.map(({ key }) => key),
  );
  return objects.length;
}
