import type { RepositoryName } from "../oci/repository-name.ts";

/** What one may do with a repository. */
export type Action = "pull" | "push" | "delete";

/** One thing that a request wants to do: the same words as in a token's scope. */
export type Access =
  | { readonly type: "repository"; readonly name: RepositoryName; readonly actions: readonly Action[] }
  | { readonly type: "registry"; readonly name: "catalog"; readonly actions: readonly ["*"] };

/** Whoever sends a request, as far as its credentials prove it. */
export interface Caller {
  /** The account. */
  readonly account: string;
  /** Whether these credentials allow all that `access` asks. */
  allows(access: Access): boolean;
  /** Whether the account may pull from any repository, so that a blob may be mounted without saying from where. */
  readonly mayPullAnything: boolean;
}

/** The one account for now. It may do everything. */
export const ADMIN_ACCOUNT = "admin";
