import type { Context } from "../context.ts";
import { OciError } from "../oci/error.ts";
import type { Caller } from "./access.ts";
import { identifyRefresh } from "./identify.ts";

/**
 * Asks for an admin who is one now. A bearer token is believed for minutes in all else, but whoever changes accounts and rules
 * could make those minutes last for ever. One D1 round trip for a bearer token of an account.
 * @throws OciError DENIED.
 */
export async function assertAdmin(context: Context, caller: Caller): Promise<void> {
  const { actor, role, credentialId, scheme } = caller;
  if (role !== "admin") throw new OciError("DENIED", { message: `${actor.name} is no admin: ask one` });
  if (scheme === "basic") return;
  const name = actor.name.slice("account:".length);
  const subject = { kind: "account", name, credentialId: credentialId ?? "" } as const;
  const authority = await identifyRefresh(context, subject, []);
  if (authority?.identity.role !== "admin") {
    throw new OciError("DENIED", {
      message: `${actor.name} is no admin any more, or has another password: log in again`,
    });
  }
}
