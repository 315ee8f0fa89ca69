import * as v from "valibot";
import { isAccessToken } from "../auth/access-token.ts";
import * as auth from "../auth/accounts.ts";
import { assertAdmin } from "../auth/admin.ts";
import { addressOf } from "../auth/authenticate.ts";
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from "../auth/password.ts";
import { OciError } from "../oci/error.ts";
import { parsePage } from "../oci/page.ts";
import { toTime } from "../oci/time.ts";
import type { Call } from "../protocol/call.ts";
import { endpoint, pageAnswer } from "./endpoint.ts";
import { Name, nameOf, PAGE_QUERY } from "./schemas.ts";

const Account = v.object({
  name: v.string(),
  role: v.picklist(["admin", "member"]),
  createdAt: v.string(),
  createdBy: v.string(),
});

const MadePassword = v.optional(v.pipe(v.string(), v.description("Only if the server made it. Shown this once.")));

const Password = v.pipe(
  v.string(),
  v.minLength(PASSWORD_LENGTH_MIN, `use ${PASSWORD_LENGTH_MIN} characters or more`),
  v.maxLength(PASSWORD_LENGTH_MAX, `use ${PASSWORD_LENGTH_MAX} characters or fewer`),
  v.check((text) => !isAccessToken(text), "a password must not look like an access token"),
  v.description("Left out, the server makes one."),
);

function toAccount({ name, role, createdAt, createdBy }: auth.Account): v.InferOutput<typeof Account> {
  return { name, role, createdAt: toTime(createdAt), createdBy };
}

export const listAccounts = endpoint(
  {
    summary: "Lists the accounts. The bootstrap account, admin, is not among them.",
    query: v.strictObject(PAGE_QUERY),
    answer: v.object({ accounts: v.array(Account) }),
  },
  async (call) => {
    const page = parsePage(call.url.searchParams);
    const { entries, next } = await auth.listAccounts(call.context, page);
    return pageAnswer(call, { accounts: entries.map(toAccount) }, page.limit, next);
  },
);

export const addAccount = endpoint(
  {
    summary: "Adds an account.",
    body: v.strictObject({
      name: Name,
      role: v.optional(v.picklist(["admin", "member"], "use admin or member"), "member"),
      password: v.optional(Password),
    }),
    status: 201,
    answer: v.object({ ...Account.entries, password: MadePassword }),
  },
  async ({ context, caller, body }) => {
    const { account, password } = await auth.addAccount(context, { ...body, password: body.password }, caller.actor);
    return { ...toAccount(account), password };
  },
);

export const removeAccount = endpoint(
  { summary: "Removes an account, and all rules for it.", status: 204 },
  async (call) => {
    await auth.removeAccount(call.context, nameOf(call), call.caller.actor);
  },
);

/**
 * A member may change the own password alone, and proves to know the one before: a log-in that was stolen does not.
 * @returns the credential that the new one replaces; undefined for an admin, who replaces whichever there is.
 */
async function credentialToReplace(
  call: Call,
  name: string,
  currentPassword: string | undefined,
): Promise<string | undefined> {
  if (call.caller.role === "admin") {
    await assertAdmin(call.context, call.caller);
    return undefined;
  }
  if (call.caller.actor.name !== `account:${name}`) {
    throw new OciError("DENIED", { message: "only an admin may set the password of another account" });
  }
  const login = { origin: call.url.origin, address: addressOf(call.context, call.request) };
  const credential =
    currentPassword === undefined ? undefined : await auth.findCredential(call.context, name, currentPassword, login);
  if (credential !== undefined) return credential;
  throw new OciError("DENIED", { message: "currentPassword must be the password of this account as it is now" });
}

export const setPassword = endpoint(
  {
    summary: "Gives an account another password: an admin any account, a member the own one.",
    body: v.strictObject({
      password: v.optional(Password),
      currentPassword: v.optional(v.pipe(v.string(), v.description("The password until now; an admin needs none."))),
    }),
    answer: v.object({ name: v.string(), password: MadePassword }),
  },
  async (call) => {
    const name = nameOf(call);
    const replaces = await credentialToReplace(call, name, call.body.currentPassword);
    const { password } = call.body;
    const made = await auth.setPassword(call.context, { name, password, replaces }, call.caller.actor);
    return { name, password: made };
  },
);
