import { type JWTPayload, jwtVerify, SignJWT } from "jose";
import * as v from "valibot";
import type { Config } from "../config.ts";
import type { Access } from "./access.ts";
import { ANONYMOUS, type Identity } from "./identity.ts";
import { signingKeys } from "./keys.ts";
import { recallToken, rememberToken } from "./verified-tokens.ts";

/** Issuer and audience: the registry signs its tokens for itself, whatever host names it has. */
export const TOKEN_SERVICE = "stowage";

/**
 * What keeps a log-in: the refresh token of a client, the session of a browser. Each gets tokens and nothing else, and has an
 * audience of its own, so that none is taken for another.
 */
const KEEPER_AUDIENCES = { refresh: "stowage/refresh", session: "stowage/session" } as const;

type Keeper = keyof typeof KEEPER_AUDIENCES;

/** No other is accepted, so that nobody can choose a weaker one. */
const ALGORITHM = "HS256";

/** The clock of who verifies may be behind that of who signed; ahead, it only ends a token so much earlier. */
const CLOCK_SKEW_SECONDS = 30;

/** A bearer token: who has it, and what it allows. */
export interface Token {
  readonly identity: Identity;
  readonly access: readonly Access[];
}

/** Docker's "Token Authentication Specification": what the token endpoint gives. */
export interface IssuedToken {
  readonly token: string;
  readonly issuedAt: Date;
  /** Seconds. */
  readonly expiresIn: number;
}

/** Our own words, signed by us: their shape is checked as that of any that come from outside. */
const ClaimsSchema = v.object({
  sub: v.string(),
  nbf: v.number(),
  exp: v.number(),
  credential: v.string(),
  role: v.optional(v.picklist(["admin", "member"])),
  credentialId: v.optional(v.string()),
  subjects: v.array(v.string()),
  grants: v.array(v.object({ repository: v.string(), actions: v.array(v.string()) })),
  access: v.array(v.object({ type: v.string(), name: v.string(), actions: v.array(v.string()) })),
});

async function sign(
  config: Config,
  payload: JWTPayload,
  audience: string,
  { now, lifeMs }: { now: number; lifeMs: number },
): Promise<{ text: string; issuedAt: number }> {
  const { current } = await signingKeys(config);
  const issuedAt = Math.floor(now / 1000);
  const text = await new SignJWT(payload)
    .setProtectedHeader({ alg: ALGORITHM, typ: "JWT", kid: current.id })
    .setIssuer(TOKEN_SERVICE)
    .setAudience(audience)
    .setJti(crypto.randomUUID())
    .setIssuedAt(issuedAt)
    .setNotBefore(issuedAt - CLOCK_SKEW_SECONDS)
    .setExpirationTime(issuedAt + Math.floor(lifeMs / 1000))
    .sign(current.secret);
  return { text, issuedAt };
}

/** The claims of a token that this registry signed, for this audience, and that is valid now. No database is asked. */
async function verify(config: Config, text: string, audience: string, now: number): Promise<JWTPayload | undefined> {
  const { byId } = await signingKeys(config);
  try {
    const findKey = ({ kid = "" }: { kid?: string }): Uint8Array => {
      const key = byId.get(kid);
      if (!key) throw new Error("the token is signed by a key that is not known");
      return key;
    };
    const { payload } = await jwtVerify(text, findKey, {
      algorithms: [ALGORITHM],
      issuer: TOKEN_SERVICE,
      audience,
      currentDate: new Date(now),
      requiredClaims: ["sub", "exp", "nbf"],
    });
    return payload;
  } catch {
    return undefined;
  }
}

/** Signs a token for exactly this access. What lists show is asked of the rules as they are then. */
export async function issueToken(config: Config, { identity, access }: Token, now: number): Promise<IssuedToken> {
  const { actor, role, credentialId, subjects } = identity;
  const grants = access.some(({ type }) => type === "registry") ? identity.grants : [];
  const payload = { sub: actor.name, credential: actor.credential, role, credentialId, subjects, grants, access };
  const { text, issuedAt } = await sign(config, payload, TOKEN_SERVICE, { now, lifeMs: config.tokenTtlMs });
  return { token: text, issuedAt: new Date(issuedAt * 1000), expiresIn: Math.floor(config.tokenTtlMs / 1000) };
}

/** The token that this text is, if this registry signed it and it is valid now. No database is asked. */
export async function verifyToken(config: Config, text: string, now: number): Promise<Token | undefined> {
  const known = recallToken(config, text, now);
  if (known) return known;
  const claims = v.safeParse(ClaimsSchema, await verify(config, text, TOKEN_SERVICE, now));
  if (!claims.success) return undefined;
  const { sub: name, credential, role, credentialId, subjects, grants, access } = claims.output;
  const identity = { actor: { name, credential }, role, credentialId, subjects, grants } as unknown as Identity;
  const isAnonymous = name === ANONYMOUS.actor.name;
  const token = { identity: isAnonymous ? ANONYMOUS : identity, access: access as unknown as Access[] };
  rememberToken(config, text, { token, notBefore: claims.output.nbf, expiresAt: claims.output.exp }, now);
  return token;
}

/** What may be kept instead of a password: by what to find out, each time, whether the log-in still holds. */
export type RefreshSubject =
  | { readonly kind: "account"; readonly name: string; readonly credentialId: string }
  | { readonly kind: "token"; readonly id: string }
  | {
      readonly kind: "oidc";
      readonly claims: Readonly<Record<string, unknown>>;
      readonly trust: Readonly<Record<string, number>>;
    };

/** A job may take longer than the token of its issuer lives; it logs in once. */
const OIDC_LOGIN_MS = 3_600_000;

/** A working day, and the evening after it. */
const SESSION_MS = 12 * 3_600_000;

/** A log-in that was signed, to be kept. */
export interface KeptLogin {
  readonly text: string;
  readonly expiresAt: Date;
}

async function keep(
  config: Config,
  subject: RefreshSubject,
  keeper: Keeper,
  { now, maxMs }: { now: number; maxMs: number },
): Promise<KeptLogin> {
  const lifeMs = Math.min(maxMs, config.refreshTokenTtlMs, subject.kind === "oidc" ? OIDC_LOGIN_MS : Infinity);
  const sub = subject.kind === "account" ? subject.name : subject.kind;
  const { text, issuedAt } = await sign(config, { sub, subject }, KEEPER_AUDIENCES[keeper], { now, lifeMs });
  return { text, expiresAt: new Date(issuedAt * 1000 + lifeMs) };
}

/** Signs a refresh token: Docker's "identity token". */
export async function issueRefreshToken(config: Config, subject: RefreshSubject, now: number): Promise<string> {
  return (await keep(config, subject, "refresh", { now, maxMs: Infinity })).text;
}

/** Signs the session of a browser: 12 hours, or REFRESH_TOKEN_TTL where that is less. */
export async function issueSession(config: Config, subject: RefreshSubject, now: number): Promise<KeptLogin> {
  return await keep(config, subject, "session", { now, maxMs: SESSION_MS });
}

const RefreshSchema = v.object({
  subject: v.variant("kind", [
    v.object({ kind: v.literal("account"), name: v.string(), credentialId: v.string() }),
    v.object({ kind: v.literal("token"), id: v.string() }),
    v.object({
      ...{
        kind: v.literal("oidc"),
        claims: v.record(v.string(), v.unknown()),
        trust: v.record(v.string(), v.number()),
      },
    }),
  ]),
});

/** Whose log-in this keeps, if this registry signed it, for this keeper, and it is valid now. */
export async function verifyKeptLogin(
  config: Config,
  text: string,
  keeper: Keeper,
  now: number,
): Promise<RefreshSubject | undefined> {
  const claims = v.safeParse(RefreshSchema, await verify(config, text, KEEPER_AUDIENCES[keeper], now));
  return claims.success ? claims.output.subject : undefined;
}
