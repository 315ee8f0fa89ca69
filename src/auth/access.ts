import type { Role } from "../metadata/accounts.ts";
import type { Visibility } from "../metadata/repositories.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Action } from "../policy/action.ts";
import type { Actor } from "../policy/actor.ts";

/** One thing that a request wants to do: the same words as in a token's scope. */
export type Access =
  | { readonly type: "repository"; readonly name: RepositoryName; readonly actions: readonly Action[] }
  | {
      readonly type: "registry";
      readonly name: "catalog" | "api";
      readonly actions: readonly ["*"] | readonly ["search"];
    };

/** Leave to list the repositories that one may pull. */
export const CATALOG_ACCESS: Access = { type: "registry", name: "catalog", actions: ["*"] };

/** Leave to search them: what Docker asks for. */
export const SEARCH_ACCESS: Access = { type: "registry", name: "catalog", actions: ["search"] };

/** Leave to use the admin API, as far as one's role goes. */
export const API_ACCESS: Access = { type: "registry", name: "api", actions: ["*"] };

/** Whoever sends a request, as far as its credentials prove it. */
export interface Caller {
  readonly actor: Actor;
  readonly role: Role | undefined;
  /** Names the password that was proved; undefined for whoever is no account. */
  readonly credentialId: string | undefined;
  /** Whether the credentials themselves came with the request, or a token that was given for them before. */
  readonly scheme: "basic" | "bearer";
  /** The repositories that lists show. */
  readonly visibility: Visibility;
  /** Whether these credentials allow all that `access` asks. */
  allows(access: Access): boolean;
  /** Whether whoever it is may pull from any repository, so that a blob may be mounted without saying from where. */
  readonly mayPullAnything: boolean;
}
