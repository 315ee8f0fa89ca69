import { base64url, exportSPKI, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { verifyOidcToken } from "../../src/auth/oidc.ts";
import {
  claimsOf,
  freshIssuer,
  type IssuerKey,
  makeKey,
  NOW,
  publish,
  signText,
  signToken,
  type TokenParts,
} from "../support/issuer.ts";
import { rsa, ruleOf, trusting } from "../support/trust.ts";

const SECONDS = NOW / 1000;

/** Another's key, under the id of the issuer's. */
const stranger = await makeKey("RS256", "rsa");

const SECRETS: [string, Uint8Array][] = [
  ["public key as PEM", new TextEncoder().encode(await exportSPKI(rsa.publicKey))],
  ["public key as JSON", new TextEncoder().encode(JSON.stringify(rsa.publicJwk))],
  ["public key's modulus", base64url.decode(rsa.publicJwk.n!)],
];

const encode = (value: unknown) => base64url.encode(JSON.stringify(value));

function changeClaims(part: string): string {
  const claims = JSON.parse(new TextDecoder().decode(base64url.decode(part))) as object;
  return encode({ ...claims, repository: "octo-org/other" });
}

describe("a token is rejected", () => {
  it.each<[string, TokenParts, string, IssuerKey?]>([
    ["for another audience", { claims: { aud: "elsewhere" } }, 'unexpected "aud" claim value'],
    ["for other audiences", { claims: { aud: ["elsewhere", "stowage2"] } }, 'unexpected "aud" claim value'],
    ["for no audience", { claims: { aud: undefined } }, 'missing required "aud" claim'],
    ["that has expired", { claims: { exp: SECONDS - 60 } }, '"exp" claim timestamp check failed'],
    ["that never expires", { claims: { exp: undefined } }, 'missing required "exp" claim'],
    ["that is not valid yet", { claims: { nbf: SECONDS + 61 } }, '"nbf" claim timestamp check failed'],
    ["that is of the future", { claims: { iat: SECONDS + 61 } }, "the token is of the future"],
    ["that states its time as text", { claims: { iat: "now" } }, '"iat" claim must be a number'],
    ["without a subject", { claims: { sub: undefined } }, 'missing required "sub" claim'],
    ["with an empty subject", { claims: { sub: "" } }, "the token names no subject"],
    ["with a subject that is no text", { claims: { sub: ["admin"] } }, "the token names no subject"],
    ["whose claims match no rule", { claims: { repository_owner: "evil-org" } }, "matches the token's claims"],
    [
      "without the claim that the rule asks for",
      { claims: { repository_owner: undefined } },
      "matches the token's claims",
    ],
    ["of another issuer's key", {}, "signature verification failed", stranger],
    [
      "of another issuer's key without its id",
      { header: { kid: undefined } },
      "signature verification failed",
      stranger,
    ],
    ["under the id of another key", { header: { kid: "elliptic" } }, "no applicable key found"],
    ["under an unknown id", { header: { kid: "../../rsa" } }, "no applicable key found"],
    [
      "with its own key in its header",
      { header: { jwk: stranger.publicJwk } },
      "signature verification failed",
      stranger,
    ],
    [
      "with its own keys' URL in its header",
      { header: { jku: "https://evil.example/keys" } },
      "signature verification failed",
      stranger,
    ],
    ["that needs what nobody knows", { header: { crit: ["new"], new: true } }, '"new" is not recognized'],
  ])("%s", async (_what, parts, reason, key) => {
    const { network, sign, verify } = trusting();
    const verdict = await verify(await sign(parts, key));
    expect(verdict).toEqual({ kind: "rejected", reason: expect.stringContaining(reason) as string });
    expect(network.calls.filter((url) => url.includes("evil"))).toEqual([]);
  });

  it("whose issuer no rule names, and fetches nothing", async () => {
    const { network, rulesOf, verify } = trusting();
    const issuer = freshIssuer();
    const verdict = await verify(await signToken(stranger, issuer));
    expect(verdict).toEqual({ kind: "rejected", reason: `no trust rule names the issuer ${issuer}` });
    expect(rulesOf).toHaveBeenCalledWith(issuer);
    expect(network.calls).toEqual([]);
  });

  it.each([
    ...[
      "stowage",
      "",
      7,
      null,
      ["https://a.example"],
      "https://a.example?x",
      "https://a.example/#",
      "http://a.example",
    ],
    ...["file:///etc/passwd", `https://${"a".repeat(255)}.example`],
  ])("whose issuer is %j, and asks nobody for rules", async (iss) => {
    const { network, rulesOf, verify, sign } = trusting();
    expect(await verify(await sign({ claims: { iss } }))).toMatchObject({ kind: "rejected" });
    expect(rulesOf).not.toHaveBeenCalled();
    expect(network.calls).toEqual([]);
  });

  it.each(["%s/", "%s/.", "%s:443", "%s "])("whose issuer is written %j", async (form) => {
    const { issuer, network, verify, sign } = trusting();
    const verdict = await verify(await sign({ claims: { iss: form.replace("%s", issuer) } }));
    expect(verdict).toMatchObject({ kind: "rejected" });
    expect(network.calls).toEqual([]);
  });

  it("if rules of another issuer are found for it", async () => {
    const { issuer, verification, sign } = trusting();
    const rulesOf = () => Promise.resolve([ruleOf(freshIssuer())]);
    const verdict = await verifyOidcToken(await sign(), { ...verification, rulesOf });
    expect(verdict).toEqual({ kind: "rejected", reason: `no trust rule names the issuer ${issuer}` });
  });

  it.each<[string, (token: string) => string]>([
    ["nothing", () => ""],
    ["garbage", () => "garbage"],
    ["dots", () => ".."],
    ["more dots", () => "...."],
    ["garbage in three parts", () => "a.b.c"],
    ["an account's password", () => "correct horse battery staple"],
    ["without its signature", (token) => token.replace(/[^.]*$/, "")],
    [
      "with a changed signature",
      (token) => token.replace(/\.(.)([^.]*)$/, (_all, a, b) => `.${a === "A" ? "B" : "A"}${b}`),
    ],
    ["with changed claims", (token) => token.replace(/\.[^.]+\./, (part) => `.${changeClaims(part.slice(1, -1))}.`)],
    ["with a fourth part", (token) => `${token}.a`],
    ["in brackets", (token) => ` ${token}`],
    ["a header that is no object", (token) => token.replace(/^[^.]+/, encode("RS256"))],
    ["claims that are no object", (token) => token.replace(/\.[^.]+\./, `.${encode([1])}.`)],
    ["1 MB of text", () => "a".repeat(1_000_000)],
    ["1 MB of parts", () => "a.".repeat(500_000)],
  ])("that is %s", async (_what, change) => {
    const { verify, sign } = trusting();
    expect(await verify(change(await sign()))).toMatchObject({ kind: "rejected" });
  });

  it("that expires at infinity, which JSON can write", async () => {
    const { issuer, verify } = trusting();
    const text = JSON.stringify(claimsOf(issuer));
    expect(await verify(await signText(rsa, text))).toMatchObject({ kind: "identity" });
    expect(await verify(await signText(rsa, text.replace(/"exp":\d+/, '"exp":1e999')))).toMatchObject({
      kind: "rejected",
    });
  });

  it("that is longer than 16 KiB, though it would verify", async () => {
    const { rulesOf, verify, sign } = trusting();
    const reason = "the token is longer than 16384 characters";
    expect(await verify(await sign({ claims: { pad: "a".repeat(13_000) } }))).toMatchObject({
      kind: "rejected",
      reason,
    });
    expect(rulesOf).not.toHaveBeenCalled();
    expect(await verify(await sign({ claims: { pad: "a".repeat(11_000) } }))).toMatchObject({ kind: "identity" });
  });

  it.each(SECRETS.flatMap(([what, secret]) => ["HS256", "HS384", "HS512"].map((alg) => [alg, what, secret] as const)))(
    "that is signed by %s with the %s",
    async (alg, _what, secret) => {
      const { issuer, rulesOf, verify } = trusting();
      const token = await new SignJWT(claimsOf(issuer)).setProtectedHeader({ alg, kid: "rsa" }).sign(secret);
      expect(await verify(token)).toMatchObject({ kind: "rejected" });
      expect(rulesOf).not.toHaveBeenCalled();
    },
  );

  it.each([
    "none",
    "None",
    "NONE",
    "",
    "HS256",
    "RS1",
    "ML-DSA-44",
    "toString",
    "__proto__",
    null,
    7,
    ["RS256"],
    undefined,
  ])("whose algorithm is %j", async (alg) => {
    const { rulesOf, verify, sign } = trusting();
    const [, claims = "", signature = ""] = (await sign()).split(".");
    for (const end of ["", signature]) {
      const verdict = await verify(`${encode({ alg, kid: "rsa" })}.${claims}.${end}`);
      expect(verdict).toMatchObject({ kind: "rejected" });
    }
    expect(rulesOf).not.toHaveBeenCalled();
  });

  it("of a symmetric key that its issuer publishes", async () => {
    const { issuer, network, verify } = trusting();
    const secret = "a secret of the tests that is long enough to sign with";
    network.answer(publish(issuer, () => [rsa.publicJwk, { kty: "oct", kid: "oct", k: base64url.encode(secret) }]));
    const token = await new SignJWT(claimsOf(issuer))
      .setProtectedHeader({ alg: "HS256", kid: "oct" })
      .sign(new TextEncoder().encode(secret));
    expect(await verify(token)).toMatchObject({ kind: "rejected" });
  });

  it.each<[string, object]>([
    ["for encryption", { use: "enc" }],
    ["for another algorithm", { alg: "PS256" }],
    ["that is no number", { n: "!" }],
    ["that is short", { n: rsa.publicJwk.n!.slice(0, 86) }],
  ])("of a key %s", async (_what, change) => {
    const { issuer, network, verify, sign } = trusting();
    network.answer(publish(issuer, () => [{ ...rsa.publicJwk, ...change }]));
    expect(await verify(await sign())).toMatchObject({ kind: "rejected" });
  });
});
