import type { RepositoryName } from "../oci/repository-name.ts";
import { type Action, ACTIONS } from "./action.ts";
import { matchesRepository, type RepositoryPattern } from "./pattern.ts";

/** Leave to do something with the repositories of a pattern. There is no rule that takes away. */
export interface Grant {
  readonly repository: RepositoryPattern;
  readonly actions: readonly Action[];
}

/** Those of the grants that hold for this repository. */
export function grantsFor<G extends Grant>(grants: readonly G[], repository: RepositoryName): G[] {
  return grants.filter((grant) => matchesRepository(grant.repository, repository));
}

/** What the grants together allow with this repository: nothing, unless one says so. */
export function allowedActions(grants: readonly Grant[], repository: RepositoryName): Action[] {
  const granted = new Set(grantsFor(grants, repository).flatMap(({ actions }) => actions));
  return ACTIONS.filter((action) => granted.has(action));
}
