import type { Context } from "../context.ts";
import { forgetDiscardedObjects, listDiscardedObjects } from "../metadata/discarded-objects.ts";
import { deleteObjects } from "../storage/objects.ts";

/** R2 deletes up to 1,000 keys in one call. */
const BATCH = 1_000;

/**
 * Deletes a batch of objects that no row needs. Forgets them only after R2 has deleted them, so that it may die anywhere
 * and be run again. Returns how many there were.
 */
export async function deleteDiscardedObjects({ db, bucket }: Context): Promise<number> {
  const objects = await listDiscardedObjects(db, BATCH);
  if (objects.length === 0) return 0;
  await deleteObjects(bucket, objects);
  await forgetDiscardedObjects(
    db,
    objects.map(({ key }) => key),
  );
  return objects.length;
}
