import type { Context } from "../context.ts";
import * as metadata from "../metadata/access-tokens.ts";
import type { AccessToken } from "../metadata/access-tokens.ts";
import { OciError } from "../oci/error.ts";
import { type Page, type PageRequest, toPage } from "../oci/page.ts";
import { toTimeOrNull } from "../oci/time.ts";
import type { Action } from "../policy/action.ts";
import type { Actor } from "../policy/actor.ts";
import type { RepositoryPattern } from "../policy/pattern.ts";
import type { Grant } from "../policy/policy.ts";
import { makeAccessToken } from "./access-token.ts";

/** An access token, and what rules let it do. */
export type ListedToken = AccessToken & { readonly grants: readonly Grant[] };

export interface TokenOrder {
  readonly name: string;
  readonly repositories: readonly RepositoryPattern[];
  readonly actions: readonly Action[];
  /** Undefined: it does not end by itself. */
  readonly lifeMs: number | undefined;
}

/** Access tokens by name. One D1 query. */
export async function listTokens({ db }: Context, page: PageRequest): Promise<Page<ListedToken>> {
  return toPage(await metadata.listAccessTokens(db, page), page.limit, ({ name }) => name);
}

/** Makes an access token. Its text is given here, and nowhere again. Throws CONFLICT where the name is taken. */
export async function createToken(
  { db, now }: Context,
  { name, repositories, actions, lifeMs }: TokenOrder,
  actor: Actor,
): Promise<{ token: ListedToken; text: string }> {
  const { text, id, secretHash } = await makeAccessToken();
  const createdAt = now();
  const expiresAt = lifeMs === undefined ? undefined : createdAt + lifeMs;
  const token = { id, name, createdAt, createdBy: actor.name, expiresAt, lastUsedAt: undefined };
  const patterns = [...new Set(repositories)];
  const isAdded = await metadata.insertAccessToken(
    db,
    { ...token, secretHash },
    { repositories: patterns, actions },
    {
      action: "token.create",
      actor,
      detail: { name, id, repositories: patterns, actions, expiresAt: toTimeOrNull(expiresAt) },
    },
  );
  if (!isAdded) throw new OciError("CONFLICT", { message: `there is an access token ${name} already` });
  return { token: { ...token, grants: patterns.map((repository) => ({ repository, actions })) }, text };
}

/** Revokes an access token; what it has logged in ends within the life of a bearer token. Throws NOT_FOUND. */
export async function revokeToken({ db, now }: Context, name: string, actor: Actor): Promise<void> {
  const entry = { action: "token.revoke", actor, detail: { name } } as const;
  const isRevoked = await metadata.deleteAccessToken(db, name, entry, now());
  if (!isRevoked) throw new OciError("NOT_FOUND", { message: `there is no access token ${name}` });
}
