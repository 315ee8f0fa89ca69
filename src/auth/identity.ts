import type { Role } from "../metadata/accounts.ts";
import type { Visibility } from "../metadata/repositories.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { type Action, ACTIONS } from "../policy/action.ts";
import type { Actor } from "../policy/actor.ts";
import { allowedActions, type Grant } from "../policy/policy.ts";
import type { Subject } from "../policy/subject.ts";
import { grantsOfUpstreams, mirrorByName, type Upstream } from "../policy/upstream.ts";

/** Who someone is, as far as credentials prove it. */
export interface Identity {
  readonly actor: Actor;
  /** Undefined for whoever is no account. */
  readonly role: Role | undefined;
  /** Another one for each password of an account; undefined for whoever is none. */
  readonly credentialId?: string | undefined;
  /** Whose rules apply, beside those for anyone. */
  readonly subjects: readonly Subject[];
  /** What the credentials themselves bring, as those of another issuer do. */
  readonly grants: readonly Grant[];
}

/** Nobody in particular. */
export const ANONYMOUS: Identity = {
  ...{ actor: { name: "anyone", credential: "none" }, role: undefined, subjects: [], grants: [] },
};

/** True for whoever has proved nothing. */
export function isAnonymous(identity: Identity): boolean {
  return identity.actor.name === ANONYMOUS.actor.name;
}

/** The bootstrap account. Its password is a secret of the Worker. */
export const ADMIN_ACCOUNT = "admin";

/** An identity, with the rules for it that could matter for the repositories in question. */
export interface Authority {
  readonly identity: Identity;
  readonly rules: readonly Grant[];
}

/**
 * What an authority may do with one of the repositories in question. An admin may do everything; but nobody pushes to what mirrors an
 * upstream, and of those that are not open to all, nobody in particular may pull anything.
 */
export function actionsOf(
  { identity, rules }: Authority,
  repository: RepositoryName,
  upstreams: readonly Upstream[],
): readonly Action[] {
  const mirror = mirrorByName(upstreams, repository);
  if (mirror && !mirror.upstream.anonymous && isAnonymous(identity)) return [];
  const grants = [...identity.grants, ...grantsOfUpstreams(upstreams), ...rules];
  const allowed = identity.role === "admin" ? ACTIONS : allowedActions(grants, repository);
  return mirror ? allowed.filter((action) => action !== "push") : allowed;
}

/** The repositories that lists show. */
export function visibilityOf({ role, subjects, grants }: Identity, upstreams: readonly Upstream[]): Visibility {
  return role === "admin" ? "all" : { subjects, grants: [...grants, ...grantsOfUpstreams(upstreams)] };
}
