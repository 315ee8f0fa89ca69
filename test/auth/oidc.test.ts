import { describe, expect, it } from "vitest";
import { type OidcVerdict, verifyOidcToken } from "../../src/auth/oidc.ts";
import { parseKeySet } from "../../src/policy/trust.ts";
import { makeKey, NOW, publish, REGISTRY_ORIGIN, type TokenParts } from "../support/issuer.ts";
import { rsa, trusting } from "../support/trust.ts";

const offline = await makeKey("ES256", "offline");
const SECONDS = NOW / 1000;

const nameOf = (verdict: OidcVerdict) =>
  verdict.kind === "identity" ? verdict.rules.map(({ name }) => name) : verdict;

describe("a token", () => {
  it("proves an identity, with its claims and the rules that let it in", async () => {
    const { issuer, network, rulesOf, sign, verify } = trusting();
    expect(await verify(await sign())).toMatchObject({
      kind: "identity",
      issuer,
      subject: "repo:octo-org/octo-repo:ref:refs/heads/main",
      claims: { repository: "octo-org/octo-repo", ref: "refs/heads/main" },
      rules: [{ name: "github" }],
      expiresAt: NOW + 300_000,
    });
    expect(rulesOf.mock.calls).toEqual([[issuer]]);
    expect(network.calls).toEqual([`${issuer}/.well-known/openid-configuration`, `${issuer}/keys`]);
  });

  it.each(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"])(
    "may be signed with %s",
    async (algorithm) => {
      const { issuer, network, sign, verify } = trusting();
      const key = await makeKey(algorithm, "key");
      network.answer(publish(issuer, () => [key.publicJwk]));
      expect(nameOf(await verify(await sign({}, key)))).toEqual(["github"]);
    },
  );

  it.each<[string, TokenParts]>([
    ["for several audiences", { claims: { aud: ["elsewhere", "stowage"] } }],
    ["that has expired a moment ago", { claims: { exp: SECONDS - 59 } }],
    ["that is valid in a moment", { claims: { nbf: SECONDS + 60, iat: SECONDS + 60 } }],
    ["that does not say since when it is valid", { claims: { nbf: undefined, iat: undefined } }],
    ["of another type", { header: { typ: "at+jwt" } }],
  ])("%s is accepted", async (_what, parts) => {
    const { sign, verify } = trusting();
    expect(nameOf(await verify(await sign(parts)))).toEqual(["github"]);
  });

  it("without a key id is accepted while there is one key for it", async () => {
    const { issuer, network, sign, verify } = trusting();
    const token = await sign({ header: { kid: undefined } });
    expect(nameOf(await verify(token))).toEqual(["github"]);
    const other = await makeKey("RS256", "other");
    network.answer(publish(issuer, () => [rsa.publicJwk, other.publicJwk]));
    network.pass(10 * 60_000);
    const fresh = { exp: network.now() / 1000 + 300 };
    expect(await verify(await sign({ header: { kid: undefined }, claims: fresh }))).toMatchObject({ kind: "rejected" });
    expect(nameOf(await verify(await sign({ claims: fresh })))).toEqual(["github"]);
  });

  it("of a key that the issuer has since made is accepted", async () => {
    const { issuer, network, sign, verify } = trusting();
    await verify(await sign());
    const next = await makeKey("ES256", "next");
    network.answer(publish(issuer, () => [next.publicJwk]));
    expect(await verify(await sign({}, next))).toMatchObject({ kind: "rejected" });
    network.pass(30_000);
    expect(nameOf(await verify(await sign({}, next)))).toEqual(["github"]);
  });
});

describe("rules", () => {
  it("that match all count", async () => {
    const { network, verify, sign } = trusting([
      { name: "owner" },
      { name: "branch", claims: { ref: "refs/heads/*" } },
      { name: "tag", claims: { ref: "refs/tags/*" } },
      { name: "other-audience", audience: "elsewhere" },
      { name: "no-condition", claims: {} },
    ]);
    expect(nameOf(await verify(await sign()))).toEqual(["owner", "branch"]);
    expect(nameOf(await verify(await sign({ claims: { aud: ["elsewhere"] } })))).toEqual(["other-audience"]);
    expect(network.calls).toHaveLength(2);
  });

  const keys = parseKeySet({ keys: [offline.publicJwk] });

  it("with keys of their own fetch nothing, and take no other keys", async () => {
    const { network, verify, sign } = trusting([{ keys }]);
    expect(nameOf(await verify(await sign({}, offline)))).toEqual(["github"]);
    expect(await verify(await sign())).toMatchObject({ kind: "rejected" });
    expect(network.calls).toEqual([]);
  });

  it("with and without keys of their own stand side by side", async () => {
    const { verify, sign } = trusting([{ name: "offline", keys }, { name: "online" }]);
    expect(nameOf(await verify(await sign({}, offline)))).toEqual(["offline"]);
    expect(nameOf(await verify(await sign()))).toEqual(["online"]);
  });

  it("with keys of their own count while the issuer is away", async () => {
    const { network, verify, sign } = trusting([{ name: "online" }, { name: "offline", keys }]);
    network.answer(() => undefined);
    expect(nameOf(await verify(await sign({}, offline)))).toEqual(["offline"]);
  });
});

describe("an issuer", () => {
  it("that is away leaves the question open", async () => {
    const { issuer, network, verify, sign } = trusting();
    network.answer(() => undefined);
    const reason = `issuer ${issuer} answered with status 404`;
    expect(await verify(await sign())).toEqual({ kind: "unavailable", reason });
  });

  it("that is the registry itself is not asked, but may be trusted with keys given beforehand", async () => {
    const { network, verify, sign } = trusting([{}], REGISTRY_ORIGIN);
    expect(await verify(await sign())).toMatchObject({ kind: "unavailable" });
    expect(network.calls).toEqual([]);
    const withKeys = trusting([{ keys: parseKeySet({ keys: [offline.publicJwk] }) }], REGISTRY_ORIGIN);
    expect(nameOf(await withKeys.verify(await withKeys.sign({}, offline)))).toEqual(["github"]);
  });

  it("is asked by the isolate once, whichever request it is", async () => {
    const { network, verification, sign } = trusting();
    const { rulesOf, registryOrigin } = verification;
    for (let request = 0; request < 3; request++) {
      const verdict = await verifyOidcToken(await sign(), { network, rulesOf, registryOrigin });
      expect(nameOf(verdict)).toEqual(["github"]);
    }
    expect(network.calls).toHaveLength(2);
  });
});
