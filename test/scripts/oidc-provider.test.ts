import { decodeJwt, decodeProtectedHeader } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KeySets } from "../../src/auth/key-sets.ts";
import { type OidcVerdict, verifyOidcToken } from "../../src/auth/oidc.ts";
import { grantsOf, type TrustRule } from "../../src/policy/trust.ts";
import { type OidcProvider, startOidcProvider } from "../e2e/support/oidc-provider.ts";

let provider: OidcProvider;
let stranger: OidcProvider;
beforeAll(async () => {
  [provider, stranger] = await Promise.all([startOidcProvider(), startOidcProvider()]);
});
afterAll(async () => {
  await Promise.all([provider.close(), stranger.close()]);
});

const ruleOf = (change: Partial<TrustRule> = {}): TrustRule => ({
  ...{ name: "ci", issuer: provider.issuer, audience: "stowage", keys: undefined },
  ...{ claims: { ref: "*main", ref_protected: "true" }, repositories: ["ci/**"], actions: ["pull", "push"] },
  ...change,
});

async function verify(token: string, rule: TrustRule, keySets = new KeySets()): Promise<OidcVerdict> {
  return await verifyOidcToken(token, {
    network: { fetch, now: Date.now },
    rulesOf: () => Promise.resolve([rule]),
    registryOrigin: "http://127.0.0.1:1",
    keySets,
  });
}

describe("a token of the provider", () => {
  test("is what GitHub Actions gives a job", async () => {
    const token = await provider.githubToken();
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: "RS256", typ: "JWT", kid: expect.any(String) as string });
    expect(decodeJwt(token)).toMatchObject({
      ...{ iss: provider.issuer, aud: "stowage", sub: "repo:octo-org/octo-repo:ref:refs/heads/main" },
      ...{ repository: "octo-org/octo-repo", repository_owner: "octo-org", environment: "production" },
    });
    expect(decodeJwt(token)).not.toHaveProperty("client_id");
  });

  test("is what GitLab CI gives a job", async () => {
    expect(decodeJwt(await provider.gitlabToken())).toMatchObject({
      ...{ iss: provider.issuer, aud: "stowage", sub: "project_path:group/project:ref_type:branch:ref:main" },
      ...{ project_path: "group/project", namespace_path: "group", pipeline_source: "push" },
    });
  });

  test("has the claims and the audience that are asked for", async () => {
    const token = await provider.githubToken({ aud: "https://registry.example/x y", ref: "refs/tags/v1", actor: null });
    expect(decodeJwt(token)).toMatchObject({ aud: "https://registry.example/x y", ref: "refs/tags/v1" });
    expect(decodeJwt(token)).not.toHaveProperty("actor");
  });
});

describe("over HTTP", () => {
  test.each(["RS256", "ES256"] as const)("a GitHub token signed with %s is verified", async (algorithm) => {
    const token = await provider.githubToken({}, algorithm);
    expect(decodeProtectedHeader(token).alg).toBe(algorithm);
    const rule = ruleOf({ claims: { repository_owner: "octo-org" }, repositories: ["${repository}/**"] });
    const verdict = await verify(token, rule);
    expect(verdict).toMatchObject({
      ...{ kind: "identity", issuer: provider.issuer, subject: "repo:octo-org/octo-repo:ref:refs/heads/main" },
    });
    expect(verdict.kind === "identity" && grantsOf(rule, verdict.claims)).toEqual([
      { repository: "octo-org/octo-repo/**", actions: ["pull", "push"] },
    ]);
  });

  test.each(["RS256", "ES256"] as const)("a GitLab token signed with %s is verified", async (algorithm) => {
    const rule = ruleOf({ claims: { namespace_path: "group" } });
    expect(await verify(await provider.gitlabToken({}, algorithm), rule)).toMatchObject({ kind: "identity" });
  });

  test.each<[string, () => Promise<string>]>([
    ["for another audience", () => provider.githubToken({ aud: "elsewhere" })],
    ["of another branch", () => provider.githubToken({ ref: "refs/heads/evil" })],
    ["that has expired", () => provider.githubToken({ exp: Math.floor(Date.now() / 1000) - 61 })],
    ["that never expires", () => provider.githubToken({ exp: null })],
    ["without a subject", () => provider.githubToken({ sub: null })],
    ["of another provider", () => stranger.githubToken()],
    ["of another provider in this one's name", () => stranger.githubToken({ iss: provider.issuer })],
  ])("a token %s is rejected", async (_what, token) => {
    expect(await verify(await token(), ruleOf())).toMatchObject({ kind: "rejected" });
  });

  test("a provider that has gone leaves the question open, and its tokens good where its keys are known", async () => {
    const gone = await startOidcProvider();
    const token = await gone.githubToken();
    const rule = ruleOf({ issuer: gone.issuer });
    const keySets = new KeySets();
    expect(await verify(token, rule, keySets)).toMatchObject({ kind: "identity" });
    await gone.close();
    expect(await verify(token, rule, keySets)).toMatchObject({ kind: "identity" });
    expect(await verify(token, rule)).toMatchObject({
      ...{ kind: "unavailable", reason: expect.stringContaining(`${gone.issuer} cannot be reached`) as string },
    });
  });
});
