import type { Context } from "../context.ts";
import type { Reader } from "../metadata/reader.ts";
import type { Asker, Ruled } from "../metadata/ruled.ts";
import { OciError } from "../oci/error.ts";
import { type Action, ACTIONS } from "../policy/action.ts";
import { allowedActions, type Grant } from "../policy/policy.ts";
import { askReplicaFor } from "./replica.ts";

export type { Asker } from "../metadata/ruled.ts";

/** What is said of a repository that is not there, and in the same words of one that may not be seen. */
export function unknownRepository(name: string): OciError {
  return new OciError("NAME_UNKNOWN", { detail: { name } });
}

/** What someone may do with a repository. Throws NAME_UNKNOWN where they may not pull from it. */
export function actionsIn({ visibility, repository }: Asker, rules: readonly Grant[]): readonly Action[] {
  if (visibility === "all") return ACTIONS;
  const actions = allowedActions([...visibility.grants, ...rules], repository);
  if (!actions.includes("pull")) throw unknownRepository(repository);
  return actions;
}

/** What was found in a repository, for who may see it. Throws NAME_UNKNOWN for anyone else. */
export function seen<T>(asker: Asker, { rules, found }: Ruled<T>): T {
  actionsIn(asker, rules);
  return found;
}

/**
 * {@link seen}, of what may be a little old: a replica tells it to an admin, who needs no rules. Anyone else is told by the database
 * itself, since rules are never old. One D1 round trip; two where a replica knows nothing.
 */
export async function readFrom<T>(
  context: Pick<Context, "db" | "replica">,
  asker: Asker,
  ask: (db: Reader) => Promise<Ruled<T>>,
  isNothing: (found: T) => boolean,
): Promise<T> {
  return seen(asker, await askReplicaFor(context, asker.visibility, ask, ({ found }) => isNothing(found)));
}
