import type { RepositoryName } from "../../src/oci/repository-name.ts";
import type { Connection } from "./connection.ts";

/** A repository of some registry. */
export interface Repository {
  readonly connection: Connection;
  readonly name: RepositoryName;
}

/** The scope that a request needs. */
export function scopeOf({ name }: Pick<Repository, "name">, actions: "pull" | "pull,push"): string {
  return `repository:${name}:${actions}`;
}

/** As people write it. */
export function titleOf({ connection, name }: Repository): string {
  return `${connection.endpoint.host}/${name}`;
}

/** A path of the API below the repository. */
export function pathOf({ name }: Repository, rest: string): string {
  return `/v2/${name}/${rest}`;
}
