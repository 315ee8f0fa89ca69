import { vi } from "vitest";
import { KeySets } from "../../src/auth/key-sets.ts";
import { type OidcVerdict, type TokenVerification, verifyOidcToken } from "../../src/auth/oidc.ts";
import type { TrustRule } from "../../src/policy/trust.ts";
import {
  freshIssuer,
  type IssuerKey,
  makeKey,
  publish,
  REGISTRY_ORIGIN,
  scriptNetwork,
  signToken,
  type TokenParts,
} from "./issuer.ts";

/** The keys of the issuer that is trusted. */
export const rsa = await makeKey("RS256", "rsa");
export const elliptic = await makeKey("ES256", "elliptic");

/** A rule for GitHub, but for what is changed. */
export function ruleOf(issuer: string, change: Partial<TrustRule> = {}): TrustRule {
  return {
    ...{ name: "github", issuer, audience: "stowage", claims: { repository_owner: "octo-org" }, keys: undefined },
    ...{ repositories: ["${repository}/**"], actions: ["pull", "push"] },
    ...change,
  };
}

/** A registry that trusts an issuer of its own, whose keys are the RSA and the elliptic one. */
export function trusting(changes: readonly Partial<TrustRule>[] = [{}], issuer = freshIssuer()) {
  const network = scriptNetwork(publish(issuer, () => [rsa.publicJwk, elliptic.publicJwk]));
  const rules = changes.map((change) => ruleOf(issuer, change));
  const rulesOf = vi.fn((asked: string) => Promise.resolve(rules.filter((rule) => rule.issuer === asked)));
  const verification: TokenVerification = { network, rulesOf, registryOrigin: REGISTRY_ORIGIN, keySets: new KeySets() };
  return {
    issuer,
    network,
    rulesOf,
    verification,
    verify: async (token: string): Promise<OidcVerdict> => await verifyOidcToken(token, verification),
    sign: async (parts?: TokenParts, key: IssuerKey = rsa) => await signToken(key, issuer, parts),
  };
}
