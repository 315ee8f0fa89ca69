import { describe, expect, it } from "vitest";
import {
  answerOf,
  callApi,
  eventsAbout,
  expectDone,
  expectInvalid,
  expectPagesByName,
  expectRefusal,
  findListed,
  freshName,
} from "../support/api.ts";
import { type IssuerKey, makeKey, signToken } from "../support/issuer.ts";
import { captureLogs } from "../support/logs.ts";
import { grant } from "../support/people.ts";
import { basicAuth, expectError, expectStatus, freshRepository, sendAnonymously } from "../support/registry.ts";
import { pushImage } from "../support/images.ts";

interface TrustRule {
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
  readonly claims: Readonly<Record<string, string>>;
  readonly repositories: readonly string[];
  readonly actions: readonly string[];
  readonly hasKeys: boolean;
  readonly createdAt: string;
  readonly createdBy: string;
}

const freshIssuer = () => `https://${freshName("issuer")}.example`;

const ruleWith = (change: object = {}) => ({
  ...{ name: freshName(), issuer: freshIssuer(), audience: "stowage", claims: { ref: "refs/heads/*" } },
  ...{ repositories: ["ghcr/${repository}"], actions: ["pull", "push"] },
  ...change,
});

async function add(change: object = {}): Promise<TrustRule> {
  return await answerOf(await callApi("POST", "trust", ruleWith(change)), 201);
}

async function refuse(change: object, ...words: string[]): Promise<void> {
  await expectRefusal(await callApi("POST", "trust", ruleWith(change)), 400, "REQUEST_INVALID", ...words);
}

const listed = async (name: string) => await findListed<TrustRule>("trust", "rules", name);

/** A token that is good now: those of the scripted issuer are of another time. */
async function loginWith(key: IssuerKey, issuer: string, claims: object = {}): Promise<{ Authorization: string }> {
  const now = Math.floor(Date.now() / 1000);
  const times = { iat: now, nbf: now, exp: now + 300 };
  return { Authorization: basicAuth("oidc", await signToken(key, issuer, { claims: { ...times, ...claims } })) };
}

describe("a trust rule", () => {
  it("is shown as it was added, but for its keys", async () => {
    const { publicJwk } = await makeKey("ES256", "one");
    const rule = ruleWith();
    const keys = { keys: [publicJwk] };
    const added = await answerOf<TrustRule>(await callApi("POST", "trust", { ...rule, keys }), 201);
    expect(added).toEqual({
      ...{ ...rule, hasKeys: true, createdBy: "account:admin" },
      createdAt: expect.any(String) as string,
    });
    expect(await listed(rule.name)).toEqual(added);
    expect(JSON.stringify(added)).not.toContain(publicJwk.x);
  });

  it("has no keys of its own where none are given", async () => {
    expect(await add()).toMatchObject({ hasKeys: false });
  });

  it("lets tokens of its issuer in, and what is granted to them, until it is removed with all that", async () => {
    const key = await makeKey("RS256", "key");
    const issuer = freshIssuer();
    const [own, granted] = [freshRepository(), freshRepository()];
    for (const repository of [own, granted]) await pushImage(repository);
    const change = { issuer, claims: { repository_owner: "octo-org" }, keys: { keys: [key.publicJwk] } };
    const { name } = await add({ ...change, repositories: [own], actions: ["pull"] });
    await grant(`oidc:${name}`, { [granted]: ["pull"] });
    const headers = await loginWith(key, issuer);
    const read = async (repository: string) => await sendAnonymously("GET", `/v2/${repository}/tags/list`, { headers });
    for (const repository of [own, granted]) await expectStatus(await read(repository), 200);
    expect(await answerOf(await callApi("GET", "caller", undefined, headers))).toMatchObject({
      ...{ role: null, credential: `oidc ${issuer}` },
      actor: `oidc:${name}:repo:octo-org/octo-repo:ref:refs/heads/main`,
    });
    await expectDone(await callApi("DELETE", `trust/${name}`));
    await expectError(await read(own), 401, "UNAUTHORIZED");
    expect(await listed(name)).toBeUndefined();
    await add({ ...change, name, repositories: ["elsewhere"] });
    for (const repository of [own, granted]) await expectError(await read(repository), 403, "DENIED");
    await expectRefusal(await callApi("DELETE", `trust/${freshName()}`), 404, "NOT_FOUND", "there is no trust rule");
    await expectError(await callApi("DELETE", "trust/a%2fb"), 400, "NAME_INVALID");
  });

  it("is there once under a name, and the one that is there stays", async () => {
    const first = await add();
    const response = await callApi("POST", "trust", ruleWith({ name: first.name }));
    await expectRefusal(response, 409, "CONFLICT", first.name, "remove it first");
    expect(await listed(first.name)).toEqual(first);
    expect(await eventsAbout(first.name)).toHaveLength(1);
  });

  it("is one of at most 100 of an issuer", async () => {
    const issuer = freshIssuer();
    for (let count = 0; count < 100; count += 1) await add({ issuer });
    const name = freshName();
    await expectRefusal(
      await callApi("POST", "trust", ruleWith({ name, issuer })),
      409,
      "CONFLICT",
      "100",
      "join some",
    );
    expect(await eventsAbout(name)).toEqual([]);
  });
});

describe("what is no trust rule is refused:", () => {
  it.each(["", "A", "a/b", "..", "é", "*", "a".repeat(65), null, 1])("the name %j", async (name) => {
    await expectInvalid(await callApi("POST", "trust", ruleWith({ name })), "name");
  });

  it.each([
    ...["", "github", "http://issuer.example", "https://", "https:///x", "https://a.example?x", "https://a.example#x"],
    ...["https://user@a.example", "https://a.example\\x", "https://a b.example", "ftp://a.example", "//a.example"],
    `https://${"a".repeat(250)}.example`,
  ])("the issuer %j", async (issuer) => {
    await refuse({ issuer }, "issuer");
  });

  it("the registry itself as issuer", async () => {
    await refuse({ issuer: "http://registry.test" }, "issuer");
    const response = await sendAnonymously("POST", "https://registry.test/api/trust", {
      headers: { Authorization: basicAuth() },
      body: JSON.stringify(ruleWith({ issuer: "https://registry.test/elsewhere" })),
    });
    await expectRefusal(response, 400, "REQUEST_INVALID", "this registry itself");
  });

  it.each<[string, object, string]>([
    ["no audience", { audience: "" }, "audience"],
    ["a long audience", { audience: "a".repeat(256) }, "audience"],
    ["no condition", { claims: {} }, "claims"],
    ["a condition that anything fulfils", { claims: { sub: "*" } }, "sub"],
    ["a condition that anything fulfils, too", { claims: { ref: "x", sub: "**" } }, "sub"],
    ["an empty condition", { claims: { sub: "" } }, "sub"],
    ["a claim without a name", { claims: { "": "x" } }, "name"],
    ["many claims", { claims: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`c${n}`, "x"])) }, "claims"],
    ["a long condition", { claims: { sub: "x".repeat(256) } }, "sub"],
    ["no repositories", { repositories: [] }, "repositories"],
    ["many repositories", { repositories: Array(33).fill("a") }, "repositories"],
    ["a template in capitals", { repositories: ["A/${repository}"] }, "A/${repository}"],
    ["a template that is not closed", { repositories: ["a/${repository"] }, "a/${repository"],
    ["a template without a claim", { repositories: ["a/${}"] }, "a/${}"],
    ["a template that climbs", { repositories: ["../${repository}"] }, "../${repository}"],
    ["an escape", { repositories: ["a%2f${repository}"] }, "a%2f"],
    ["unicode", { repositories: ["é/${repository}"] }, "é/"],
    ["keys without a key", { keys: { keys: [] } }, "keys"],
    ["keys that are none", { keys: "https://a.example/keys" }, "keys"],
    ["a secret as key", { keys: { keys: [{ kty: "oct", k: "c2VjcmV0" }] } }, "keys"],
    ["a private key", { keys: { keys: [{ kty: "OKP", crv: "Ed25519", x: "x", d: "secret" }] } }, "keys"],
    ["no keys at all", { keys: null }, "keys"],
  ])("%s", async (_what, change, word) => {
    await refuse(change, word);
  });

  it.each<[string, object, string]>([
    ["no issuer", { issuer: undefined }, "issuer"],
    ["an issuer in a list", { issuer: ["https://a.example"] }, "issuer"],
    ["an audience in a list", { audience: ["a"] }, "audience"],
    ["claims as a text", { claims: "ref=x" }, "claims"],
    ["a number as a condition", { claims: { run: 1 } }, "claims.run"],
    ["repositories as a text", { repositories: "a" }, "repositories"],
    ["a number as a template", { repositories: [1] }, "repositories.0"],
    ["no actions", { actions: [] }, "actions"],
    ["an unknown action", { actions: ["admin"] }, "actions.0"],
    ["a claim of a misspelt name", { claim: { sub: "x" } }, "claim"],
    ["claims beside the rule", { subject: "x" }, "subject"],
  ])("%s", async (_what, change, path) => {
    await expectInvalid(await callApi("POST", "trust", ruleWith(change)), path);
  });

  it.each(["constructor", "prototype", "__proto__"])("a condition on %s, which would get lost", async (claim) => {
    const body = JSON.stringify(ruleWith()).replace('"ref"', `"${claim}":"x","ref"`);
    await expectInvalid(await callApi("POST", "trust", body), claim);
  });

  it("keys of 300 KiB", async () => {
    const keys = { keys: [{ kty: "RSA", n: "x".repeat(300 * 1024), e: "AQAB" }] };
    await refuse({ keys }, "larger than 256 KiB");
  });

  it("a private key, without a word of it in answer or log", async () => {
    const logs = captureLogs();
    const d = "cHJpdmF0ZS1wYXJ0LW9mLXRoZS1rZXk";
    const body = ruleWith({ keys: { keys: [{ kty: "OKP", crv: "Ed25519", x: "x", d }] } });
    const text = await (await callApi("POST", "trust", body)).text();
    expect(text + logs.join()).not.toContain(d);
  });
});

it("the list of trust rules comes in pages, each once and in order", async () => {
  await expectPagesByName("trust", "rules", async (name) => await add({ name }));
});
