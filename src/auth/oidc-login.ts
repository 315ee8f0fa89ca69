import type { Context } from "../context.ts";
import { logInfo } from "../log.ts";
import type { Rule } from "../metadata/policy.ts";
import { findTrust, type RecordedTrustRule } from "../metadata/trust.ts";
import { OciError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { type Claims, grantsOf, matchesClaims, type TrustRule } from "../policy/trust.ts";
import type { Authority } from "./identity.ts";
import { verifyOidcToken } from "./oidc.ts";

/** Identities of some issuers are as long as their paths; records hold so much of one. */
const ACTOR_MAX_LENGTH = 256;

/** An identity of another issuer, as the rules that let it in make it. */
function authorityOf(issuer: string, claims: Claims, trusted: readonly TrustRule[], rules: readonly Rule[]): Authority {
  const [first] = trusted;
  const subject = String(claims.sub).replace(/[\p{Cc}\p{Cf}]/gu, "?");
  const name = `oidc:${first?.name ?? ""}:${subject}`.slice(0, ACTOR_MAX_LENGTH);
  const subjects = trusted.map((rule) => `oidc:${rule.name}` as const);
  const grants = trusted.flatMap((rule) => grantsOf(rule, claims));
  return {
    identity: { actor: { name, credential: `oidc ${issuer}` }, role: undefined, subjects, grants },
    // Those of other trust rules of the issuer, which did not let it in, came along.
    rules: rules.filter(({ subject }) => subject === "anyone" || (subjects as string[]).includes(subject)),
  };
}

/** What became of a token of another issuer as a password. */
export type OidcLogin =
  | { readonly authority: Authority; readonly claims: Claims; readonly trust: TrustProof }
  | { readonly rejected: string };

/**
 * The rules that a token's own signature has satisfied, each with its creation time. Rules of one issuer may have keys of their
 * own, and one may be removed and another take its name: a kept log-in holds for none but these.
 */
type TrustProof = Readonly<Record<string, number>>;

/**
 * Lets a token of another issuer in, if a trust rule does. One D1 round trip, and at times two requests to the issuer. Why not
 * goes to the log: whoever sends the token may be anybody.
 * @throws OciError UNAVAILABLE while the issuer's keys are not to be had.
 */
export async function verifyOidcLogin(
  context: Context,
  token: string,
  repositories: readonly RepositoryName[],
  registryOrigin: string,
): Promise<OidcLogin> {
  let rules: readonly Rule[] = [];
  let recorded: readonly RecordedTrustRule[] = [];
  const rulesOf = async (issuer: string) => {
    const found = await findTrust(context.db, issuer, repositories);
    rules = found.rules;
    recorded = found.trustRules;
    return found.trustRules;
  };
  const verdict = await verifyOidcToken(token, { network: context, rulesOf, registryOrigin });
  switch (verdict.kind) {
    case "identity": {
      const { issuer, claims, rules: trusted } = verdict;
      const names = trusted.map(({ name }) => name);
      const proof = recorded.filter(({ name }) => names.includes(name)).map(({ name, createdAt }) => [name, createdAt]);
      const trust = Object.fromEntries(proof) as TrustProof;
      return { authority: authorityOf(issuer, claims, trusted, rules), claims, trust };
    }
    case "rejected":
      logInfo("an OIDC token was rejected", { reason: verdict.reason });
      return { rejected: "the token is not one that a trust rule of this registry lets in" };
    case "unavailable":
      logInfo("an OIDC token could not be verified", { reason: verdict.reason });
      throw new OciError("UNAVAILABLE", {
        message: "the keys of the token's issuer are not to be had now; try again",
        headers: { "Retry-After": "30" },
      });
  }
}

/** The authority of claims that were verified at a log-in, by the rules as they are now. One D1 round trip. */
export async function authorityOfClaims(
  { db }: Context,
  { claims, trust }: { readonly claims: Claims; readonly trust: TrustProof },
  repositories: readonly RepositoryName[],
): Promise<Authority | undefined> {
  const issuer = typeof claims.iss === "string" ? claims.iss : "";
  const { trustRules, rules } = await findTrust(db, issuer, repositories);
  const audiences = [claims.aud].flat();
  const trusted = trustRules.filter(
    (rule) => trust[rule.name] === rule.createdAt && audiences.includes(rule.audience) && matchesClaims(rule, claims),
  );
  return trusted.length > 0 ? authorityOf(issuer, claims, trusted, rules) : undefined;
}
