import type { Context } from "../context.ts";
import { unlessItFails } from "../log.ts";
import { type AccessToken, findAccessToken, touchAccessToken } from "../metadata/access-tokens.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { isEqual } from "./equality.ts";
import type { Authority } from "./identity.ts";

/** `stw_<id>_<secret>`: the id finds the row, the secret is 256 random bits, the prefix lets scanners of secrets know it. */
const TOKEN_PATTERN = /^stw_([0-9a-f]{16})_([0-9a-f]{64})$/;

/** True for what looks like an access token, whichever. */
export function isAccessToken(text: string): boolean {
  return text.startsWith("stw_");
}

/** A new access token, with what to store of it: the text itself is not kept. */
export async function makeAccessToken(): Promise<{ text: string; id: string; secretHash: string }> {
  const id = crypto.getRandomValues(new Uint8Array(8)).toHex();
  const secret = crypto.getRandomValues(new Uint8Array(32)).toHex();
  return { text: `stw_${id}_${secret}`, id, secretHash: await hashSecret(secret) };
}

/** A secret of 256 random bits needs no slow hash: nobody can guess one. */
async function hashSecret(secret: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret))).toHex();
}

/** "Last used" is right to the hour: a pull must not cost a write. */
const LAST_USED_STEP_MS = 3_600_000;

/** Whom an access token makes. */
export function authorityOfToken({ id, name }: AccessToken, rules: Authority["rules"]): Authority {
  const actor = { name: `token:${name}`, credential: `token ${id}` };
  return { identity: { actor, role: undefined, subjects: [`token:${name}`], grants: [] }, rules };
}

/** The token that this text is, if it is one and has not ended. One D1 round trip, and once an hour a second. */
export async function verifyAccessToken(
  context: Context,
  text: string,
  repositories: readonly RepositoryName[],
): Promise<(Authority & { readonly id: string }) | undefined> {
  const [, id, secret] = TOKEN_PATTERN.exec(text) ?? [];
  if (id === undefined || secret === undefined) return undefined;
  const { token, rules } = await findAccessToken(context.db, id, repositories);
  const isRight = await isEqual(await hashSecret(secret), token?.secretHash ?? "");
  return token && isRight ? await useToken(context, token, rules) : undefined;
}

/** The token of an id, if it has not ended: for who has proved before to have it. One D1 round trip. */
export async function findToken(
  context: Context,
  id: string,
  repositories: readonly RepositoryName[],
): Promise<(Authority & { readonly id: string }) | undefined> {
  const { token, rules } = await findAccessToken(context.db, id, repositories);
  return token && (await useToken(context, token, rules));
}

async function useToken(
  { db, now }: Context,
  token: AccessToken,
  rules: Authority["rules"],
): Promise<(Authority & { readonly id: string }) | undefined> {
  if (token.expiresAt !== undefined && token.expiresAt <= now()) return undefined;
  if ((token.lastUsedAt ?? 0) <= now() - LAST_USED_STEP_MS) {
    await unlessItFails("the use of an access token could not be noted", touchAccessToken(db, token.id, now()));
  }
  return { ...authorityOfToken(token, rules), id: token.id };
}
