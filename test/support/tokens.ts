import { env } from "cloudflare:workers";
import { SignJWT } from "jose";
import { basicAuth, expectStatus, sendAnonymously } from "./registry.ts";

/** What the token endpoint answers. */
export interface TokenAnswer {
  readonly token: string;
  readonly access_token: string;
  readonly expires_in: number;
  readonly issued_at: string;
  readonly refresh_token?: string;
}

export function tokenPath(...scopes: string[]): string {
  const query = new URLSearchParams([["service", "stowage"], ...scopes.map((scope) => ["scope", scope])]);
  return `/token?${query.toString()}`;
}

/** A token of the admin for these scopes, as a request's headers. */
export async function bearer(...scopes: string[]): Promise<{ Authorization: string }> {
  const response = await sendAnonymously("GET", tokenPath(...scopes), { headers: { Authorization: basicAuth() } });
  const { token } = await (await expectStatus(response, 200)).json<TokenAnswer>();
  return { Authorization: `Bearer ${token}` };
}

export const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(atob(token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/"))) as Record<string, unknown>;

/** The name that a secret has in the header of the tokens that it signs. */
export async function keyIdOf(secret: string): Promise<string> {
  const encoder = new TextEncoder();
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), hmac, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode("stowage key id"))).toHex().slice(0, 8);
}

/** A token like the registry's own, but for what is changed. */
export async function forge({
  claims = {},
  secret = env.TOKEN_SECRET,
  algorithm = "HS256",
  header = {},
}: { claims?: object; secret?: string; algorithm?: string; header?: object } = {}): Promise<{ Authorization: string }> {
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    ...{ iss: "stowage", aud: "stowage", sub: "account:admin", iat: now, nbf: now, exp: now + 300, jti: "1" },
    ...{ credential: "password", role: "admin", subjects: ["account:admin"], grants: [] },
    ...{ access: [{ type: "registry", name: "catalog", actions: ["*"] }] },
    ...claims,
  };
  const kid = await keyIdOf(env.TOKEN_SECRET);
  const jwt = new SignJWT(payload).setProtectedHeader({ alg: algorithm, typ: "JWT", kid, ...header });
  return { Authorization: `Bearer ${await jwt.sign(new TextEncoder().encode(secret))}` };
}

/** A token that nobody signed. */
export async function unsigned(claims: object): Promise<{ Authorization: string }> {
  const part = (value: object) =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url", omitPadding: true });
  return {
    Authorization: `Bearer ${part({ alg: "none", typ: "JWT", kid: await keyIdOf(env.TOKEN_SECRET) })}.${part(claims)}.`,
  };
}
