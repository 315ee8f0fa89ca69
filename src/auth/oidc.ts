import { decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from "jose";
import { isIssuer } from "../policy/issuer.ts";
import { type Claims, matchesClaims, type TrustRule } from "../policy/trust.ts";
import { type KeyFinder, KeySetError, KeySets, type Network, toFinder } from "./key-sets.ts";

/** CI systems' tokens have some 2 KiB. */
const TOKEN_LENGTH_MAX = 16 * 1024;

/** How far clocks may be apart (RFC 7519, section 4.1.4: no more than a few minutes). */
const CLOCK_TOLERANCE_SECONDS = 60;

/** Signatures that only a private key makes. Neither `none` nor HS256, for which a public key would do as the secret. */
const ALGORITHMS: readonly string[] = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"],
  ...["EdDSA", "Ed25519"],
];

/** Who a token proves to be. */
export interface OidcIdentity {
  readonly kind: "identity";
  readonly issuer: string;
  /** `sub`: unique for this issuer only. */
  readonly subject: string;
  readonly claims: Claims;
  /** All that let it in; one at least. */
  readonly rules: readonly TrustRule[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What became of a token. Reasons are for the log: a client that is not let in learns none. */
export type OidcVerdict =
  | OidcIdentity
  /** The token is not one that lets in, and will not become one. */
  | { readonly kind: "rejected"; readonly reason: string }
  /** Its issuer's keys are not to be had now: nobody knows. */
  | { readonly kind: "unavailable"; readonly reason: string };

export interface TokenVerification {
  readonly network: Network;
  /** The trust rules of an issuer. It is asked before anything is verified, so with any issuer that a client likes. */
  readonly rulesOf: (issuer: string) => Promise<readonly TrustRule[]>;
  /** The registry's own origin, whose keys are never asked for. */
  readonly registryOrigin: string;
  /** Of this isolate, unless others are given. */
  readonly keySets?: KeySets;
}

const isolateKeySets = new KeySets();

/**
 * Verifies a token of an OpenID Connect issuer against the rules that name this issuer: its signature, its time, its
 * audience, and their conditions (OpenID Connect Core 1.0, section 3.1.3.7; RFC 8725, section 3). Nothing is fetched
 * unless a rule without keys of its own names the issuer. Costs one call of `rulesOf`; throws what that throws.
 */
export async function verifyOidcToken(token: string, verification: TokenVerification): Promise<OidcVerdict> {
  const { network, rulesOf, registryOrigin, keySets = isolateKeySets } = verification;
  const issuer = readIssuer(token);
  if (typeof issuer !== "string") return issuer;
  const rules = (await rulesOf(issuer)).filter((rule) => rule.issuer === issuer);
  if (rules.length === 0) return rejected(`no trust rule names the issuer ${issuer}`);
  const now = network.now();
  const remote = rules.filter(({ keys }) => keys === undefined);
  const published = keySets.finderOf({ network, issuer, registryOrigin });
  const verdicts = await Promise.all([
    ...rules.flatMap((rule) => (rule.keys ? [verify(token, toFinder(rule.keys), issuer, [rule], now)] : [])),
    ...(remote.length > 0 ? [verify(token, published, issuer, remote, now)] : []),
  ]);
  return combine(verdicts);
}

/** `iss` as the token states it, whom nobody has verified yet: it serves to find rules. */
function readIssuer(token: string): string | OidcVerdict {
  if (token.length > TOKEN_LENGTH_MAX) return rejected(`the token is longer than ${TOKEN_LENGTH_MAX} characters`);
  let algorithm: unknown;
  let issuer: unknown;
  try {
    algorithm = decodeProtectedHeader(token).alg;
    issuer = decodeJwt(token).iss;
  } catch {
    return rejected("it is no token");
  }
  if (typeof algorithm !== "string" || !ALGORITHMS.includes(algorithm)) {
    return rejected("the token is not signed with an algorithm of public keys");
  }
  return typeof issuer === "string" && isIssuer(issuer) ? issuer : rejected("the token names no issuer");
}

/** Verifies with the keys that `find` gives, and finds those of the rules that let the token in. */
async function verify(
  token: string,
  find: KeyFinder,
  issuer: string,
  rules: readonly TrustRule[],
  now: number,
): Promise<OidcVerdict> {
  let claims: JWTPayload;
  try {
    const verified = await jwtVerify(token, find, {
      algorithms: [...ALGORITHMS],
      issuer,
      audience: rules.map(({ audience }) => audience),
      requiredClaims: ["sub", "exp"],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(now),
    });
    claims = verified.payload;
  } catch (error) {
    if (error instanceof KeySetError) return { kind: "unavailable", reason: error.message };
    // Those of jose are JOSEErrors; a key that cannot be imported, or is too short, throws other ones.
    return rejected(`the token does not verify: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { sub: subject, exp, iat } = claims;
  if (typeof subject !== "string" || subject === "") return rejected("the token names no subject");
  // JSON holds numbers that become infinite.
  if (exp === undefined || !Number.isFinite(exp)) return rejected("the token does not expire");
  // Only those that have a greatest age are checked for this by jose.
  if (iat !== undefined && iat > now / 1000 + CLOCK_TOLERANCE_SECONDS) return rejected("the token is of the future");
  const audiences = [claims.aud].flat();
  const matching = rules.filter((rule) => audiences.includes(rule.audience) && matchesClaims(rule, claims));
  if (matching.length === 0) return rejected(`no trust rule for the issuer ${issuer} matches the token's claims`);
  return { kind: "identity", issuer, subject, claims, rules: matching, expiresAt: exp * 1000 };
}

/** One identity of all that let in; else an issuer that may still come back; else a refusal. */
function combine(verdicts: readonly OidcVerdict[]): OidcVerdict {
  const identities = verdicts.filter((verdict) => verdict.kind === "identity");
  const [identity] = identities;
  if (identity) return { ...identity, rules: identities.flatMap(({ rules }) => rules) };
  const refusal = verdicts.find(({ kind }) => kind === "unavailable") ?? verdicts[0];
  return refusal ?? rejected("no trust rule matches");
}

function rejected(reason: string): OidcVerdict {
  return { kind: "rejected", reason };
}
