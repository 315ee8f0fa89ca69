import type { Context } from "../context.ts";
import { OciError } from "../oci/error.ts";
import type { Access } from "./access.ts";
import { type Credentials, verifyCredentials } from "./basic.ts";
import { type IssuedToken, issueToken } from "./token.ts";

/**
 * Gives a token for as much of the wanted access as the account has: asking for more is no error. Without credentials it
 * grants nothing, but lets a client that asks for a scope go on to the registry's own answer.
 * @throws OciError UNAUTHORIZED for wrong credentials, and for none where nothing is asked for: that is a log-in.
 */
export async function grantToken(
  { config, now }: Context,
  credentials: Credentials | undefined,
  wanted: readonly Access[],
): Promise<IssuedToken> {
  if (!credentials) {
    if (wanted.length === 0) throw new OciError("UNAUTHORIZED");
    return await issueToken(config, { account: undefined, access: [] }, now());
  }
  const account = await verifyCredentials(config, credentials);
  if (account === undefined) throw new OciError("UNAUTHORIZED", { message: "wrong username or password" });
  return await issueToken(config, { account, access: wanted }, now());
}
