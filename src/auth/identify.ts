import type { Context } from "../context.ts";
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
import { hashPassword, isOutdated, verifyNothing, verifyPassword } from "./password.ts";
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
  const { kind, account } = whatKind(credentials);
  const attempt = { account, address: login.address };
  limits.assertOpen(attempt, context.now());
  const identification = await IDENTIFY[kind](context, credentials, login);
  if (identification.kind === "identified") limits.recordSuccess(attempt);
  else await limits.recordFailure(attempt, context.limiters, context.now());
  return identification;
}

type Kind = "token" | "oidc" | "admin" | "account";

/** By which way credentials are checked, and the account whose failures count. */
function whatKind({ username, password }: Credentials): { kind: Kind; account: string } {
  if (isAccessToken(password)) return { kind: "token", account: password.slice(0, "stw_0123456789abcdef".length) };
  if (username === OIDC_USERNAME) return { kind: "oidc", account: OIDC_USERNAME };
  return { kind: username === ADMIN_ACCOUNT ? "admin" : "account", account: username.slice(0, 64) };
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
  return { kind: "identified", authority: found.authority, refresh: { kind: "oidc", claims: found.claims } };
}

async function identifyAdmin({ config }: Context, { password }: Credentials): Promise<Identification> {
  if (!(await isEqual(password, config.adminPassword))) return WRONG;
  const [credentialId = ""] = await fingerprints(config);
  const refresh = { kind: "account", name: ADMIN_ACCOUNT, credentialId } as const;
  return { kind: "identified", authority: authorityOfAccount({ name: ADMIN_ACCOUNT, role: "admin" }, []), refresh };
}

async function identifyAccount(
  context: Context,
  { username, password }: Credentials,
  { repositories }: LoginContext,
): Promise<Identification> {
  const { config, db } = context;
  // A name that no account can have is asked of no database, but takes as long.
  const known = isSubjectName(username) ? await findAccount(db, username, repositories) : undefined;
  if (!known?.account) {
    await verifyNothing(password, config.passwordIterations);
    return WRONG;
  }
  const { account, rules } = known;
  if (!(await verifyPassword(password, account.passwordHash))) return WRONG;
  if (isOutdated(account.passwordHash, config.passwordIterations)) {
    await replacePasswordHash(db, account, await hashPassword(password, config.passwordIterations));
  }
  const refresh = { kind: "account", name: account.name, credentialId: account.credentialId } as const;
  return { kind: "identified", authority: authorityOfAccount(account, rules), refresh };
}

function authorityOfAccount(
  { name, role }: Pick<AccountCredential, "name" | "role">,
  rules: Authority["rules"],
): Authority {
  const actor = { name: `account:${name}`, credential: "password" };
  return { identity: { actor, role, subjects: [`account:${name}`], grants: [] }, rules };
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
      return await authorityOfClaims(context, subject.claims, repositories);
    case "account": {
      const { name, credentialId } = subject;
      if (name === ADMIN_ACCOUNT) {
        const isSame = (await fingerprints(context.config)).includes(credentialId);
        return isSame ? authorityOfAccount({ name, role: "admin" }, []) : undefined;
      }
      const { account, rules } = await findAccount(context.db, name, repositories);
      return account?.credentialId === credentialId ? authorityOfAccount(account, rules) : undefined;
    }
  }
}
