import { decodeJwt } from "jose";
import { describe, expect, it } from "vitest";
import { pushImage } from "../support/images.ts";
import { freshIssuer, type IssuerKey, makeKey, signToken } from "../support/issuer.ts";
import { addAccount, bearerOf, grant, type Person, sendAs } from "../support/people.ts";
import {
  basicAuth,
  expectError,
  expectStatus,
  freshRepository,
  ORIGIN,
  send,
  sendAnonymously,
} from "../support/registry.ts";
import { claimsOf, type TokenAnswer } from "../support/tokens.ts";

const key = await makeKey("RS256", "ci");
let count = 0;

interface Trust {
  readonly name: string;
  readonly issuer: string;
  /** Someone who logs in with a token of these claims. */
  readonly log: (claims?: object) => Promise<Person>;
}

/** Trusts an issuer, which cannot be reached, by the keys that it has. */
async function trust(rule: object = {}, issuer = freshIssuer(), keys: readonly IssuerKey[] = [key]): Promise<Trust> {
  const name = `ci-${Date.now().toString(36)}-${(count += 1)}`;
  const body = {
    ...{ name, issuer, audience: "stowage", claims: { repository_owner: "octo-org", ref: "refs/heads/*" } },
    ...{ repositories: ["ghcr/${repository}"], actions: ["pull", "push"] },
    keys: { keys: keys.map(({ publicJwk }) => publicJwk) },
    ...rule,
  };
  await expectStatus(await send("POST", "/api/trust", { body: JSON.stringify(body) }), 201);
  const log = async (claims: object = {}): Promise<Person> => {
    const now = Math.floor(Date.now() / 1000);
    const password = await signToken(key, issuer, { claims: { iat: now, nbf: now, exp: now + 300, ...claims } });
    return { name, username: "oidc", password, basic: { Authorization: basicAuth("oidc", password) } };
  };
  return { name, issuer, log };
}

async function accessOf(person: Person, ...scopes: string[]): Promise<unknown> {
  const { Authorization } = await bearerOf(person, ...scopes);
  return claimsOf(Authorization.slice(7)).access;
}

const START = (repository: string) => `/v2/${repository}/blobs/uploads/`;

describe("a token of a trusted issuer as the password of oidc", () => {
  it("opens what its claims put into the rule's patterns, and nothing else", async () => {
    const { log } = await trust();
    const job = await log({ repository: "Octo-Org/Octo-Repo" });
    await expectStatus(await sendAs(job, "GET", "/v2/"), 200);
    await expectStatus(await sendAs(job, "POST", START("ghcr/octo-org/octo-repo")), 202);
    for (const repository of [
      "ghcr/octo-org/other",
      "ghcr/octo-org",
      "octo-org/octo-repo",
      "ghcr/octo-org/octo-repo/sub",
    ]) {
      await expectError(await sendAs(job, "POST", START(repository)), 403, "DENIED");
    }
    await expectError(await sendAs(job, "DELETE", "/v2/ghcr/octo-org/octo-repo/manifests/v1"), 403, "DENIED");
    expect(await accessOf(job, "repository:ghcr/octo-org/octo-repo:pull,push,delete", "repository:a:pull")).toEqual([
      { type: "repository", name: "ghcr/octo-org/octo-repo", actions: ["pull", "push"] },
    ]);
  });

  it("names itself in records by its rule and its own subject", async () => {
    const repository = freshRepository();
    const { name, issuer, log } = await trust({ repositories: [repository], actions: ["pull", "push", "delete"] });
    await pushImage(repository, { tag: "v1" });
    await expectStatus(await sendAs(await log(), "DELETE", `/v2/${repository}/manifests/v1`), 202);
    const { events } = await (
      await send("GET", `/api/audit?repository=${repository}&n=1`)
    ).json<{ events: object[] }>();
    const actor = `oidc:${name}:repo:octo-org/octo-repo:ref:refs/heads/main`;
    expect(events).toMatchObject([{ action: "tag.delete", actor, credential: `oidc ${issuer}`, tag: "v1" }]);
  });

  it("gets what rules grant to the identities of its trust rule, not of another of the same issuer", async () => {
    const issuer = freshIssuer();
    const [main, release] = [await trust({}, issuer), await trust({ claims: { ref: "refs/tags/*" } }, issuer)];
    const [forMain, forRelease] = [freshRepository(), freshRepository()];
    await grant(`oidc:${main.name}`, { [forMain]: ["pull"] });
    await grant(`oidc:${release.name}`, { [forRelease]: ["pull"] });
    const job = await main.log();
    const scopes = [forMain, forRelease].map((name) => `repository:${name}:pull`);
    expect(await accessOf(job, ...scopes)).toMatchObject([{ name: forMain }]);
    const tagged = await main.log({ ref: "refs/tags/v1" });
    expect(await accessOf(tagged, ...scopes)).toMatchObject([{ name: forRelease }]);
  });

  it("lists what it may pull, by Basic and by Bearer", async () => {
    const prefix = freshRepository();
    const { log } = await trust({ repositories: [`${prefix}/\${repository}`, `${prefix}/x/*`], actions: ["pull"] });
    for (const name of ["octo-org/octo-repo", "octo-org/other", "x/a", "x/a/b"]) await pushImage(`${prefix}/${name}`);
    const job = await log();
    for (const headers of [job.basic, await bearerOf(job, "registry:catalog:*")]) {
      const response = await sendAnonymously("GET", `/v2/_catalog?last=${prefix}&n=5`, { headers });
      const { repositories } = await response.json<{ repositories: string[] }>();
      expect(repositories.filter((name) => name.startsWith(prefix))).toEqual([
        `${prefix}/octo-org/octo-repo`,
        `${prefix}/x/a`,
      ]);
    }
  });

  it("is no admin, and no account", async () => {
    const { log } = await trust({ repositories: ["**"], actions: ["pull", "push", "delete"] });
    await expectError(await sendAs(await log(), "GET", "/api/accounts"), 403, "DENIED");
    const person = await addAccount();
    const { password } = await log();
    const headers = { Authorization: basicAuth(person.name, password) };
    await expectError(await sendAnonymously("GET", "/v2/", { headers }), 401, "UNAUTHORIZED");
  });

  it.each<[string, object]>([
    ["a claim that the rule does not fit", { ref: "refs/tags/v1" }],
    ["another owner", { repository_owner: "other-org" }],
    ["another audience", { aud: "elsewhere" }],
    ["no audience", { aud: undefined }],
    ["an end in the past", { exp: 1_700_000_000 }],
    ["a beginning in the future", { nbf: 4_000_000_000 }],
    ["no end", { exp: undefined }],
    ["no subject", { sub: undefined }],
  ])("does not log in with %s", async (_what, claims) => {
    const { log } = await trust();
    const job = await log(claims);
    const refused = await expectError(await sendAs(job, "GET", "/v2/"), 401, "UNAUTHORIZED");
    expect(refused.message).toBe("the token is not one that a trust rule of this registry lets in");
    await expectError(await sendAs(job, "GET", "/token"), 401, "UNAUTHORIZED");
  });

  it("does not log in with another issuer's key, or after its rule is removed", async () => {
    const { log } = await trust({}, freshIssuer(), [await makeKey("RS256", "ci")]);
    await expectError(await sendAs(await log(), "GET", "/v2/"), 401, "UNAUTHORIZED");
    const trusted = await trust();
    const job = await trusted.log();
    await expectStatus(await sendAs(job, "GET", "/v2/"), 200);
    await expectStatus(await send("DELETE", `/api/trust/${trusted.name}`), 204);
    await expectError(await sendAs(job, "GET", "/v2/"), 401, "UNAUTHORIZED");
  });
});

describe("a log-in that docker keeps", () => {
  async function keep(job: Person): Promise<string> {
    const answer = await sendAs(job, "GET", "/token?offline_token=true");
    return (await (await expectStatus(answer, 200)).json<TokenAnswer>()).refresh_token!;
  }

  async function refresh(kept: string, scope: string): Promise<Response> {
    const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: kept, scope }).toString();
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    return await sendAnonymously("POST", "/token", { headers, body });
  }

  it("lasts for an hour, so that a long job can push at its end", async () => {
    const { log } = await trust();
    const kept = await keep(await log());
    const { iat = 0, exp = 0 } = decodeJwt(kept);
    expect(exp - iat).toBe(3_600);
    const answer = await expectStatus(await refresh(kept, "repository:ghcr/octo-org/octo-repo:pull,push"), 200);
    const { token } = await answer.json<TokenAnswer>();
    const headers = { Authorization: `Bearer ${token}` };
    await expectStatus(await sendAnonymously("POST", START("ghcr/octo-org/octo-repo"), { headers }), 202);
  });

  it("holds for the rules whose keys have verified the token, and for no other of the issuer", async () => {
    const issuer = freshIssuer();
    const dev = await trust({ repositories: ["dev/**"] }, issuer);
    await trust({ repositories: ["prod/**"] }, issuer, [await makeKey("RS256", "prod")]);
    const kept = await keep(await dev.log());
    const answer = await refresh(kept, "repository:dev/app:pull,push repository:prod/app:pull,push");
    const { token } = await (await expectStatus(answer, 200)).json<TokenAnswer>();
    expect(claimsOf(token).access).toEqual([{ type: "repository", name: "dev/app", actions: ["pull", "push"] }]);
  });

  it("ends with its trust rule", async () => {
    const { name, log } = await trust();
    const kept = await keep(await log());
    await expectStatus(await send("DELETE", `/api/trust/${name}`), 204);
    await expectError(await refresh(kept, ""), 401, "UNAUTHORIZED");
  });
});

describe("an issuer", () => {
  it("that is this registry is refused", async () => {
    const body = JSON.stringify({
      ...{ name: "self", issuer: ORIGIN, audience: "x", claims: { sub: "x" }, repositories: ["a"], actions: ["pull"] },
    });
    const { message } = await expectError(await send("POST", "/api/trust", { body }), 400, "REQUEST_INVALID");
    expect(message).toContain("this registry itself");
  });

  it("whose keys cannot be had leaves the question open, and is asked again no sooner than told", async () => {
    const { log } = await trust({ keys: undefined }, "http://127.0.0.1:1");
    const response = await sendAs(await log(), "GET", "/v2/");
    expect(response.headers.get("Retry-After")).toBe("30");
    await expectError(response, 503, "UNAVAILABLE");
  });
});
