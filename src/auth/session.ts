import type { Context } from "../context.ts";
import { OciError } from "../oci/error.ts";
import type { Access } from "./access.ts";
import type { Credentials } from "./basic.ts";
import { identify, identifyRefresh, type LoginContext } from "./identify.ts";
import type { Identity } from "./identity.ts";
import { grantToAnyone, issueFor, repositoriesOf } from "./token-service.ts";
import { type IssuedToken, issueSession, type KeptLogin, TOKEN_SERVICE, verifyKeptLogin } from "./token.ts";

/** RFC 9110, section 15.5.2: 401 comes with a challenge. To one of Basic, browsers open a window of their own. */
export const SESSION_CHALLENGE = { "WWW-Authenticate": `Session realm="${TOKEN_SERVICE}"` } as const;

/**
 * Opens a session of a browser, for who proves to be someone: by the same credentials, and within the same limits, as a log-in.
 * One D1 round trip; none for the bootstrap account.
 * @throws OciError UNAUTHORIZED; TOOMANYREQUESTS.
 */
export async function openSession(
  context: Context,
  credentials: Credentials,
  login: Omit<LoginContext, "repositories">,
): Promise<{ identity: Identity; session: KeptLogin }> {
  const found = await identify(context, credentials, { ...login, repositories: [] });
  if (found.kind === "rejected") {
    throw new OciError("UNAUTHORIZED", { message: found.message, headers: SESSION_CHALLENGE });
  }
  const session = await issueSession(context.config, found.refresh, context.now());
  return { identity: found.authority.identity, session };
}

/** A bearer token, and whose; undefined: anyone's. */
export interface SessionToken {
  readonly issued: IssuedToken;
  readonly identity: Identity | undefined;
}

/**
 * A bearer token for as much of the wanted access as the holder of a session has now; without one, as anyone has. Undefined where
 * the session does not hold any more: its time is over, the password was changed, the account removed, the access token revoked.
 * One D1 round trip; none for the bootstrap account.
 */
export async function grantBySession(
  context: Context,
  session: string | undefined,
  wanted: readonly Access[],
): Promise<SessionToken | undefined> {
  if (session === undefined) return { issued: await grantToAnyone(context, wanted), identity: undefined };
  const subject = await verifyKeptLogin(context.config, session, "session", context.now());
  const authority = subject && (await identifyRefresh(context, subject, repositoriesOf(wanted)));
  return authority && { issued: await issueFor(context, authority, wanted), identity: authority.identity };
}
