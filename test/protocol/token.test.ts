import { describe, expect, it } from "vitest";
import { basicAuth, expectError, expectStatus, MALFORMED_BASIC, sendAnonymously } from "../support/registry.ts";
import { claimsOf, type TokenAnswer, tokenPath } from "../support/tokens.ts";
import { streamOf } from "../support/uploads.ts";

const ADMIN = { headers: { Authorization: basicAuth() } };

async function tokenOf(response: Response): Promise<TokenAnswer> {
  return await (await expectStatus(response, 200)).json<TokenAnswer>();
}

async function post(form: Readonly<Record<string, string>>): Promise<Response> {
  return await sendAnonymously("POST", "/token", {
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(form).toString(),
  });
}

async function postChunked(form: string): Promise<Response> {
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  return await sendAnonymously("POST", "/token", { headers, body: streamOf(new TextEncoder().encode(form)) });
}

/** RFC 7235, section 3.1: who answers 401 MUST send a challenge. That of the token endpoint is Basic. Gives the message. */
async function expectRefused(response: Response): Promise<string> {
  expect(response.headers.get("WWW-Authenticate")).toBe('Basic realm="stowage"');
  return (await expectError(response, 401, "UNAUTHORIZED")).message;
}

describe("GET", () => {
  it("gives a token under both names, how long it lives, and since when", async () => {
    const response = await sendAnonymously("GET", "/token?account=admin&client_id=docker&service=stowage", ADMIN);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    const answer = await tokenOf(response);
    expect(answer.access_token).toBe(answer.token);
    expect(answer.expires_in).toBe(300);
    expect(answer.issued_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    expect(Math.abs(Date.parse(answer.issued_at) - Date.now())).toBeLessThan(10_000);
    expect(answer).not.toHaveProperty("refresh_token");
  });

  it.each<[string, string[], unknown[]]>([
    ["nothing", [], []],
    ["a scope", ["repository:a/b:pull"], [{ type: "repository", name: "a/b", actions: ["pull"] }]],
    [
      "several scopes",
      ["repository:a:pull,push", "repository:b:pull"],
      [
        { type: "repository", name: "a", actions: ["pull", "push"] },
        { type: "repository", name: "b", actions: ["pull"] },
      ],
    ],
    ["every action", ["repository:a:*"], [{ type: "repository", name: "a", actions: ["pull", "push", "delete"] }]],
    ["known actions alone", ["repository:a:fly,pull"], [{ type: "repository", name: "a", actions: ["pull"] }]],
    ["the catalog", ["registry:catalog:*"], [{ type: "registry", name: "catalog", actions: ["*"] }]],
    ["a class of repository", ["repository(plugin):a:pull"], [{ type: "repository", name: "a", actions: ["pull"] }]],
    [
      "nothing that it does not know",
      ["repository:A:pull", "galaxy:x:*", "x", "registry:other:*", "repository:a:"],
      [],
    ],
  ])("grants %s of what was asked", async (_name, scopes, access) => {
    const { token } = await tokenOf(await sendAnonymously("GET", tokenPath(...scopes), ADMIN));
    expect(claimsOf(token)).toMatchObject({ iss: "stowage", aud: "stowage", sub: "account:admin", access });
  });

  it("makes no token of unbounded size", async () => {
    const scopes = Array.from({ length: 500 }, (_, number) => `repository:r${number}:pull`);
    const { token } = await tokenOf(await sendAnonymously("GET", tokenPath(...scopes), ADMIN));
    expect(token.length).toBeLessThan(8_000);
  });

  it("gives an anonymous caller with a scope a token that grants nothing", async () => {
    for (const headers of [{}, { Authorization: basicAuth("", "") }]) {
      const { token } = await tokenOf(await sendAnonymously("GET", tokenPath("repository:a:pull,push"), { headers }));
      expect(claimsOf(token).access).toEqual([]);
    }
  });

  it("refuses to log in without credentials", async () => {
    await expectRefused(await sendAnonymously("GET", "/token?service=stowage"));
  });

  it.each([tokenPath(), tokenPath("repository:a:pull")])("refuses wrong credentials for %s", async (path) => {
    const headers = { Authorization: basicAuth("admin", "wrong") };
    await expectRefused(await sendAnonymously("GET", path, { headers }));
  });

  it.each(MALFORMED_BASIC)("refuses Basic that is %s, with and without a scope", async (_name, Authorization) => {
    for (const path of [tokenPath(), tokenPath("repository:a:pull")]) {
      const message = await expectRefused(await sendAnonymously("GET", path, { headers: { Authorization } }));
      expect(message).toBe("the Basic credentials are malformed");
    }
  });
});

describe("POST", () => {
  const LOGIN = { grant_type: "password", service: "stowage", client_id: "containerd", access_type: "offline" };

  it("gives a token for scopes in one text", async () => {
    const scope = "repository:a:pull repository:b:pull,push";
    const response = await post({ ...LOGIN, username: "admin", password: "correct horse battery staple", scope });
    const { access_token: token } = await tokenOf(response);
    expect(claimsOf(token)).toMatchObject({ sub: "account:admin", access: [{ name: "a" }, { name: "b" }] });
  });

  it("refuses wrong credentials", async () => {
    await expectRefused(await post({ ...LOGIN, username: "admin", password: "wrong" }));
    await expectRefused(await post(LOGIN));
    await expectRefused(await post({ ...LOGIN, grant_type: "refresh_token", refresh_token: "x" }));
  });

  it("takes a form whose length nobody states, with the scopes one by one, as podman sends it", async () => {
    const login = await sendAnonymously("GET", "/token?service=stowage&offline_token=true", ADMIN);
    const { refresh_token: kept = "" } = await tokenOf(login);
    const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: kept, service: "stowage" });
    for (const scope of ["repository:a:pull,push", "repository:b:pull"]) form.append("scope", scope);
    const { token } = await tokenOf(await postChunked(form.toString()));
    expect(claimsOf(token)).toMatchObject({ sub: "account:admin", access: [{ name: "a" }, { name: "b" }] });
  });

  it("reads no more than a form of such a body", async () => {
    const response = await expectStatus(await postChunked(`grant_type=password&username=${"a".repeat(70_000)}`), 400);
    expect(await response.json()).toMatchObject({ error: "invalid_request" });
  });

  it.each([
    [{ grant_type: "authorization_code" }, "unsupported_grant_type"],
    [{}, "unsupported_grant_type"],
    [{ grant_type: "password", username: "a".repeat(70_000) }, "invalid_request"],
  ])("answers 400 where a client should fall back to GET: %#", async (form, error) => {
    const response = await expectStatus(await post(form), 400);
    expect(await response.json()).toMatchObject({ error });
  });
});

it("knows no other method", async () => {
  expect([404, 405]).toContain((await sendAnonymously("DELETE", "/token")).status);
});
