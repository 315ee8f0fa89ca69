import type { Context } from "../context.ts";
import type { Lookup } from "../metadata/blobs.ts";
import type { Reader } from "../metadata/reader.ts";
import type { Visibility } from "../metadata/repositories.ts";

/**
 * What a replica of the database knows, where there are replicas: it may be a little old. Where it knows nothing, the database
 * itself is asked: the replica may not have heard of it yet. One D1 round trip, or two.
 */
export async function askReplica<T>(
  { db, replica }: Pick<Context, "db" | "replica">,
  ask: (db: Reader) => Promise<T>,
  isNothing: (answer: T) => boolean,
): Promise<T> {
  if (replica) {
    const answer = await ask(replica);
    if (!isNothing(answer)) return answer;
  }
  return await ask(db);
}

/**
 * {@link askReplica}, for what rules decide who may see: only who sees all is told by a replica, since rules are never old. Anyone
 * else costs one D1 round trip.
 */
export async function askReplicaFor<T>(
  context: Pick<Context, "db" | "replica">,
  visibility: Visibility,
  ask: (db: Reader) => Promise<T>,
  isNothing: (answer: T) => boolean,
): Promise<T> {
  return visibility === "all" ? await askReplica(context, ask, isNothing) : await ask(context.db);
}

/** {@link askReplica}, for content. */
export async function findInReplica<T>(
  context: Pick<Context, "db" | "replica">,
  find: (db: Reader) => Promise<Lookup<T>>,
): Promise<Lookup<T>> {
  return await askReplica(context, find, ({ found }) => found === undefined);
}

/** {@link askReplica}, for lists: an empty one is no answer. */
export async function listFromReplica<T>(
  context: Pick<Context, "db" | "replica">,
  list: (db: Reader) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  return await askReplica(context, list, ({ length }) => length === 0);
}
