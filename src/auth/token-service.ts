import type { Context } from "../context.ts";
import { findRules } from "../metadata/policy.ts";
import { OciError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Upstream } from "../policy/upstream.ts";
import type { Access } from "./access.ts";
import { type BasicAuthorization, MALFORMED_BASIC } from "./basic.ts";
import { identify, identifyRefresh, type LoginContext } from "./identify.ts";
import { actionsOf, ANONYMOUS, type Authority, isAnonymous } from "./identity.ts";
import { type IssuedToken, issueRefreshToken, issueToken, TOKEN_SERVICE, verifyKeptLogin } from "./token.ts";

/** What a client asks of the token endpoint. */
export interface TokenRequest {
  readonly wanted: readonly Access[];
  /** Whether the client wants something to keep instead of the password. */
  readonly wantsRefreshToken: boolean;
  readonly login: Omit<LoginContext, "repositories">;
}

/** What it gets. */
export interface Granted extends IssuedToken {
  readonly refreshToken: string | undefined;
}

/** The repositories whose rules matter. */
export function repositoriesOf(wanted: readonly Access[]): RepositoryName[] {
  return wanted.flatMap((access) => (access.type === "repository" ? [access.name] : []));
}

/** As much of the wanted access as an authority has: asking for more is no error. */
function intersect(wanted: readonly Access[], authority: Authority, upstreams: readonly Upstream[]): Access[] {
  return wanted.flatMap((access): Access[] => {
    if (access.type === "registry") {
      return access.name === "api" && isAnonymous(authority.identity) ? [] : [access];
    }
    const allowed = actionsOf(authority, access.name, upstreams);
    const actions = access.actions.filter((action) => allowed.includes(action));
    return actions.length > 0 ? [{ ...access, actions }] : [];
  });
}

/**
 * Spec, "Token Authentication": 401 where an attempt to authenticate fails. RFC 7235, section 3.1: it MUST come with a challenge,
 * which is the scheme of this endpoint.
 */
function unauthorized(message?: string): OciError {
  return new OciError("UNAUTHORIZED", {
    ...(message !== undefined && { message }),
    headers: { "WWW-Authenticate": `Basic realm="${TOKEN_SERVICE}"` },
  });
}

/** Signs a token for as much of the wanted access as an authority has. No database is asked. */
export async function issueFor(
  { config, now }: Context,
  authority: Authority,
  wanted: readonly Access[],
): Promise<IssuedToken> {
  return await issueToken(
    config,
    { identity: authority.identity, access: intersect(wanted, authority, config.upstreams) },
    now(),
  );
}

/** A token for what anyone may do. One D1 query, and none where no repository is wanted. */
export async function grantToAnyone(context: Context, wanted: readonly Access[]): Promise<IssuedToken> {
  const repositories = repositoriesOf(wanted);
  const rules = repositories.length === 0 ? [] : await findRules(context.db, [], repositories);
  return await issueFor(context, { identity: ANONYMOUS, rules }, wanted);
}

/**
 * Gives a token for as much of the wanted access as there are rules for. Without credentials, that is what anyone may do. One
 * D1 round trip.
 * @throws OciError UNAUTHORIZED for wrong or malformed credentials, and for none where nothing is asked for: that is a log-in;
 * TOOMANYREQUESTS.
 */
export async function grantToken(
  context: Context,
  credentials: BasicAuthorization,
  { wanted, wantsRefreshToken, login }: TokenRequest,
): Promise<Granted> {
  if (credentials === "malformed") throw unauthorized(MALFORMED_BASIC);
  if (credentials === "none") {
    if (wanted.length === 0) throw unauthorized();
    return { ...(await grantToAnyone(context, wanted)), refreshToken: undefined };
  }
  const found = await identify(context, credentials, { ...login, repositories: repositoriesOf(wanted) });
  if (found.kind === "rejected") throw unauthorized(found.message);
  const issued = await issueFor(context, found.authority, wanted);
  const { config, now } = context;
  const refreshToken = wantsRefreshToken ? await issueRefreshToken(config, found.refresh, now()) : undefined;
  return { ...issued, refreshToken };
}

/**
 * {@link grantToken} for who kept a refresh token. One D1 round trip.
 * @throws OciError UNAUTHORIZED where the log-in does not hold any more.
 */
export async function refreshToken(
  context: Context,
  text: string,
  { wanted }: Pick<TokenRequest, "wanted">,
): Promise<Granted> {
  const { config, now } = context;
  const subject = await verifyKeptLogin(config, text, "refresh", now());
  const authority = subject && (await identifyRefresh(context, subject, repositoriesOf(wanted)));
  if (!authority) throw unauthorized("the log-in has expired or was revoked: log in again");
  return { ...(await issueFor(context, authority, wanted)), refreshToken: undefined };
}
