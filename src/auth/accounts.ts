import type { Context } from "../context.ts";
import * as metadata from "../metadata/accounts.ts";
import type { Account, Role } from "../metadata/accounts.ts";
import { OciError } from "../oci/error.ts";
import { type Page, type PageRequest, toPage } from "../oci/page.ts";
import type { Actor } from "../policy/actor.ts";
import { identify, type LoginContext, OIDC_USERNAME } from "./identify.ts";
import { ADMIN_ACCOUNT } from "./identity.ts";
import { generatePassword, hashPassword } from "./password.ts";

export type { Account } from "../metadata/accounts.ts";

/** A password that was made here, to be shown once; undefined where it was given. */
export type MadePassword = string | undefined;

async function makeCredential({ config }: Context, given: string | undefined) {
  const made = given === undefined ? generatePassword() : undefined;
  const passwordHash = await hashPassword(given ?? made ?? "", config.passwordIterations);
  return { made, passwordHash, credentialId: crypto.randomUUID() };
}

/** Accounts by name, without the bootstrap account. One D1 query. */
export async function listAccounts({ db }: Context, page: PageRequest): Promise<Page<Account>> {
  return toPage(await metadata.listAccounts(db, page), page.limit, ({ name }) => name);
}

/**
 * Adds an account, with the given password or a new one. It may do nothing until a rule says so, unless it is an admin.
 * @throws OciError CONFLICT where the name is taken, or has a meaning of its own.
 */
export async function addAccount(
  context: Context,
  { name, role, password }: { name: string; role: Role; password: string | undefined },
  actor: Actor,
): Promise<{ account: Account; password: MadePassword }> {
  if (name === ADMIN_ACCOUNT || name === OIDC_USERNAME) {
    throw new OciError("CONFLICT", { message: `the name ${name} has a meaning of its own: choose another` });
  }
  const now = context.now();
  const { made, ...credential } = await makeCredential(context, password);
  const entry = { action: "account.add", actor, detail: { name, role } } as const;
  const isAdded = await metadata.insertAccount(context.db, { name, role, ...credential }, entry, now);
  if (!isAdded) throw new OciError("CONFLICT", { message: `there is an account ${name} already` });
  return { account: { name, role, createdAt: now, createdBy: actor.name }, password: made };
}

function unknownAccount(name: string): OciError {
  if (name !== ADMIN_ACCOUNT) return new OciError("NOT_FOUND", { message: `there is no account ${name}` });
  return new OciError("CONFLICT", {
    message: `${name} is the bootstrap account: its password is the secret ADMIN_PASSWORD of the Worker`,
  });
}

/**
 * Gives an account another password; what was logged in with the old one ends within the life of a bearer token.
 * @param replaces the credential that {@link findCredential} gave; undefined: whichever there is.
 * @throws OciError NOT_FOUND; CONFLICT for the bootstrap account, whose password is a secret of the Worker, and where the
 * password is another one already.
 */
export async function setPassword(
  context: Context,
  { name, password, replaces }: { name: string; password: string | undefined; replaces: string | undefined },
  actor: Actor,
): Promise<MadePassword> {
  const { made, ...credential } = await makeCredential(context, password);
  const entry = { action: "account.password", actor, detail: { name } } as const;
  const isSet = await metadata.updatePassword(context.db, { name, ...credential, replaces }, entry, context.now());
  if (isSet) return made;
  if (replaces === undefined) throw unknownAccount(name);
  throw new OciError("CONFLICT", { message: "the password was changed meanwhile: log in again" });
}

/**
 * The credential of the account whose password this is now: asked of who wants to change their own. It is a log-in like any
 * other, so that failures count. Undefined for a wrong one. One D1 round trip. Throws TOOMANYREQUESTS.
 */
export async function findCredential(
  context: Context,
  name: string,
  password: string,
  origin: Omit<LoginContext, "repositories">,
): Promise<string | undefined> {
  const found = await identify(context, { username: name, password }, { ...origin, repositories: [] });
  if (found.kind === "rejected") return undefined;
  // What looks like an access token is one, whatever the username.
  const { actor, credentialId } = found.authority.identity;
  return actor.name === `account:${name}` ? credentialId : undefined;
}

/** Removes an account and all that was granted to it. Throws NOT_FOUND; CONFLICT for the bootstrap account. */
export async function removeAccount({ db, now }: Context, name: string, actor: Actor): Promise<void> {
  const entry = { action: "account.remove", actor, detail: { name } } as const;
  if (!(await metadata.deleteAccount(db, name, entry, now()))) throw unknownAccount(name);
}
