import { type JWTPayload, jwtVerify, SignJWT } from "jose";
import type { Config } from "../config.ts";
import type { Access } from "./access.ts";

/** Issuer and audience: the registry signs its tokens for itself, whatever host names it has. */
export const TOKEN_SERVICE = "stowage";

/** Tokens that another account, host or key made do not verify; this one alone is accepted. */
const ALGORITHM = "HS256";

export interface Token {
  /** Undefined for a token that was given to nobody in particular. */
  readonly account: string | undefined;
  readonly access: readonly Access[];
}

/** Docker's "Token Authentication Specification": what the token endpoint gives. */
export interface IssuedToken {
  readonly token: string;
  readonly issuedAt: Date;
  /** Seconds. */
  readonly expiresIn: number;
}

function key({ tokenSecret }: Config): Uint8Array {
  return new TextEncoder().encode(tokenSecret);
}

/** Signs a token for exactly this access. */
export async function issueToken(config: Config, { account, access }: Token, now: number): Promise<IssuedToken> {
  const issuedAt = Math.floor(now / 1000);
  const expiresIn = Math.floor(config.tokenTtlMs / 1000);
  const token = await new SignJWT({ access })
    .setProtectedHeader({ alg: ALGORITHM, typ: "JWT" })
    .setIssuer(TOKEN_SERVICE)
    .setAudience(TOKEN_SERVICE)
    .setSubject(account ?? "")
    .setJti(crypto.randomUUID())
    .setIssuedAt(issuedAt)
    .setNotBefore(issuedAt)
    .setExpirationTime(issuedAt + expiresIn)
    .sign(key(config));
  return { token, issuedAt: new Date(issuedAt * 1000), expiresIn };
}

/** The token that this text is, if this registry signed it and it is valid now. No database is asked. */
export async function verifyToken(config: Config, text: string, now: number): Promise<Token | undefined> {
  try {
    const { payload } = await jwtVerify<JWTPayload & { access: Access[] }>(text, key(config), {
      algorithms: [ALGORITHM],
      issuer: TOKEN_SERVICE,
      audience: TOKEN_SERVICE,
      currentDate: new Date(now),
      requiredClaims: ["sub", "exp", "nbf", "access"],
    });
    return { account: payload.sub === "" ? undefined : payload.sub, access: payload.access };
  } catch {
    return undefined;
  }
}
