import type { Context } from "../context.ts";
import { unlessItFails } from "../log.ts";
import { type AccountCredential, findAccount, replacePasswordHash } from "../metadata/accounts.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { isSubjectName } from "../policy/subject.ts";
import { findToken, isAccessToken, verifyAccessToken } from "./access-token.ts";
import type { Credentials } from "./basic.ts";
import { isEqual } from "./equality.ts";
import { ADMIN_ACCOUNT, type Authority } from "./identity.ts";
import { fingerprints } from "./keys.ts";
import { LoginLimits } from "./login-limits.ts";
import { authorityOfClaims, verifyOidcLogin } from "./oidc-login.ts";
import { hashPassword, isOutdated, PASSWORD_LENGTH_MAX, verifyNothing, verifyPassword } from "./password.ts";
import type { RefreshSubject } from "./token.ts";

/** The username under which a token of another issuer is the password. */
export const OIDC_USERNAME = "oidc";

/** What a log-in is for, and where it comes from. */
export interface LoginContext {
  /** The repositories whose rules matter. */
  readonly repositories: readonly RepositoryName[];
  /** The registry's own. */
  readonly origin: string;
  /** The client's address, where the edge tells it. */
  readonly address: string | undefined;
}

/** What credentials came to. */
export type Identification =
  | { readonly kind: "identified"; readonly authority: Authority; readonly refresh: RefreshSubject }
  | { readonly kind: "rejected"; readonly message: string };

const WRONG: Identification = { kind: "rejected", message: "wrong username or password" };

/** Failures that this isolate has seen. */
const limits = new LoginLimits();

/**
 * Finds out whose credentials these are, and the rules that could matter. One D1 round trip; none for the bootstrap account.
 * @throws OciError TOOMANYREQUESTS after too many failures.
 */
export async function identify(
  context: Context,
  credentials: Credentials,
  login: LoginContext,
): Promise<Identification> {
  const kind = kindOf(credentials);
  const attempt = { account: accountOf(kind, credentials), address: login.address };
  limits.assertOpen(attempt, context.now());
  const identification = await IDENTIFY[kind](context, credentials, login);
  // Many may have been tried at once: those that come after the last one allowed learn nothing.
  limits.assertOpen(attempt, context.now());
  if (identification.kind === "identified") limits.recordSuccess(attempt);
  else await limits.recordFailure(attempt, context.limiters, context.now());
  return identification;
}

type Kind = "token" | "oidc" | "admin" | "account";

/** By which way credentials are checked. */
function kindOf({ username, password }: Credentials): Kind {
  if (isAccessToken(password)) return "token";
  if (username === OIDC_USERNAME) return "oidc";
  return username === ADMIN_ACCOUNT ? "admin" : "account";
}

/**
 * The account whose failures count. Nobody guesses 256 random bits or a signature, so an access token and the username of
 * tokens of other issuers have none: else anybody could lock out all jobs at once.
 */
function accountOf(kind: Kind, { username }: Credentials): string | undefined {
  return kind === "token" || kind === "oidc" ? undefined : username.slice(0, 64);
}

const IDENTIFY: Readonly<
  Record<Kind, (context: Context, credentials: Credentials, login: LoginContext) => Promise<Identification>>
> = { token: identifyToken, oidc: identifyOidc, admin: identifyAdmin, account: identifyAccount };

async function identifyToken(
  context: Context,
  { password }: Credentials,
  { repositories }: LoginContext,
): Promise<Identification> {
  const found = await verifyAccessToken(context, password, repositories);
  if (!found) return { kind: "rejected", message: "the access token is wrong, has expired or was revoked" };
  return { kind: "identified", authority: found, refresh: { kind: "token", id: found.id } };
}

async function identifyOidc(
  context: Context,
  { password }: Credentials,
  { repositories, origin }: LoginContext,
): Promise<Identification> {
  const found = await verifyOidcLogin(context, password, repositories, origin);
  if ("rejected" in found) return { kind: "rejected", message: found.rejected };
  return {
    kind: "identified",
    authority: found.authority,
    refresh: { kind: "oidc", claims: found.claims, trust: found.trust },
  };
}

async function identifyAdmin({ config }: Context, { password }: Credentials): Promise<Identification> {
  if (!(await isEqual(password, config.adminPassword))) return WRONG;
  const [credentialId = ""] = await fingerprints(config);
  const refresh = { kind: "account", name: ADMIN_ACCOUNT, credentialId } as const;
  return {
    kind: "identified",
    authority: authorityOfAccount({ name: ADMIN_ACCOUNT, role: "admin", credentialId }, []),
    refresh,
  };
}

async function identifyAccount(
  context: Context,
  { username, password }: Credentials,
  { repositories }: LoginContext,
): Promise<Identification> {
  const { config, db } = context;
  // Before anything is looked up: how long a refusal takes must not tell whether there is such an account.
  if (password.length > PASSWORD_LENGTH_MAX) return WRONG;
  // A name that no account can have is asked of no database, but takes as long.
  const known = isSubjectName(username) ? await findAccount(db, username, repositories) : undefined;
  if (!known?.account) {
    await verifyNothing(password, config.passwordIterations);
    return WRONG;
  }
  const { account, rules } = known;
  if (!(await verifyPassword(password, account.passwordHash))) return WRONG;
  if (isOutdated(account.passwordHash, config.passwordIterations)) {
    const hash = await hashPassword(password, config.passwordIterations);
    await unlessItFails("a password could not be stored anew", replacePasswordHash(db, account, hash));
  }
  const refresh = { kind: "account", name: account.name, credentialId: account.credentialId } as const;
  return { kind: "identified", authority: authorityOfAccount(account, rules), refresh };
}

function authorityOfAccount(
  { name, role, credentialId }: Omit<AccountCredential, "passwordHash">,
  rules: Authority["rules"],
): Authority {
  const actor = { name: `account:${name}`, credential: "password" };
  return { identity: { actor, role, credentialId, subjects: [`account:${name}`], grants: [] }, rules };
}

/**
 * Finds out whether a log-in that a client kept still holds: the account has the same password, the token is not revoked, a
 * rule still trusts the identity. One D1 round trip; none for the bootstrap account.
 */
export async function identifyRefresh(
  context: Context,
  subject: RefreshSubject,
  repositories: readonly RepositoryName[],
): Promise<Authority | undefined> {
  switch (subject.kind) {
    case "token":
      return await findToken(context, subject.id, repositories);
    case "oidc":
      return await authorityOfClaims(context, subject, repositories);
    case "account": {
      const { name, credentialId } = subject;
      if (name === ADMIN_ACCOUNT) {
        const isSame = (await fingerprints(context.config)).includes(credentialId);
        return isSame ? authorityOfAccount({ name, role: "admin", credentialId }, []) : undefined;
      }
      const { account, rules } = await findAccount(context.db, name, repositories);
      return account?.credentialId === credentialId ? authorityOfAccount(account, rules) : undefined;
    }
  }
}
