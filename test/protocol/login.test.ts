import { describe, expect, it } from "vitest";
import { addAccount, createToken } from "../support/people.ts";
import {
  basicAuth,
  expectError,
  expectStatus,
  freshRepository,
  sendAnonymously,
  sendWith,
} from "../support/registry.ts";
import { claimsOf, type TokenAnswer } from "../support/tokens.ts";

let host = 0;
/** A client's address that no other test has. */
const freshAddress = () => `198.51.100.${(host += 1)}`;

async function knock(address: string, authorization: string, path = "/v2/"): Promise<Response> {
  return await sendAnonymously("GET", path, { headers: { Authorization: authorization, "CF-Connecting-IP": address } });
}

describe("after ten failures in a minute", () => {
  it.each(["/v2/", "/token", "/v2/a/tags/list", "/api/caller"])(
    "%s answers 429, even to the right password",
    async (path) => {
      const person = await addAccount({ a: ["pull"] });
      const address = freshAddress();
      for (let time = 0; time < 10; time += 1) {
        await expectError(await knock(address, basicAuth(person.name, "wrong"), path), 401, "UNAUTHORIZED");
      }
      const response = await knock(address, person.basic.Authorization, path);
      expect(Number(response.headers.get("Retry-After"))).toBeGreaterThan(0);
      expect(Number(response.headers.get("Retry-After"))).toBeLessThanOrEqual(60);
      const { message } = await expectError(response, 429, "TOOMANYREQUESTS");
      expect(message).toMatch(/^too many failed log-ins: wait \d+ seconds$/);
      expect((await knock(freshAddress(), person.basic.Authorization, path)).status).not.toBe(429);
    },
  );

  it("a token that was got before goes on", async () => {
    const person = await addAccount();
    const address = freshAddress();
    const { token } = await (await knock(address, person.basic.Authorization, "/token")).json<TokenAnswer>();
    for (let time = 0; time < 10; time += 1) await knock(address, basicAuth(person.name, "wrong"));
    await expectStatus(await knock(address, `Bearer ${token}`), 200);
  });

  it("no more than ten of many guesses at once are answered", async () => {
    const person = await addAccount();
    const address = freshAddress();
    const guesses = Array.from({ length: 30 }, (_, guess) => (guess === 25 ? person.password : `wrong ${guess}`));
    const statuses = await Promise.all(
      guesses.map(async (guess) => (await knock(address, basicAuth(person.name, guess))).status),
    );
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(10);
    expect(statuses[25]).toBe(429);
  });

  it.each<[string, () => Promise<string>]>([
    ["an access token", async () => (await createToken(freshRepository(), ["pull"])).basic.Authorization],
    ["a token of another issuer", async () => await Promise.resolve(basicAuth("oidc", "x.y.z"))],
  ])(
    "%s, which nobody guesses, is not locked out by others, and their address is after a hundred",
    async (_what, make) => {
      const [here, there] = [freshAddress(), freshAddress()];
      const authorization = await make();
      const wrong = basicAuth(
        authorization.includes("b2lkYzp") ? "oidc" : "x",
        authorization.includes("b2lkYzp") ? "a.b.c" : "stw_x",
      );
      for (let time = 0; time < 100; time += 1) await knock(there, wrong);
      await expectError(await knock(there, wrong), 429, "TOOMANYREQUESTS");
      expect((await knock(here, authorization)).status).not.toBe(429);
    },
  );
});

describe("what never logs in", () => {
  it.each<[string, () => Promise<string> | string]>([
    ["an account that does not exist", () => basicAuth("nobody", "correct horse battery staple")],
    ["the admin's password under another name", () => basicAuth("root", "correct horse battery staple")],
    ["an empty username", () => basicAuth("", "correct horse battery staple")],
    ["a username in upper case", () => basicAuth("ADMIN", "correct horse battery staple")],
    ["a username of 70,000 characters", () => basicAuth("a".repeat(30_000), "x")],
    [
      "an access token that is cut",
      async () => basicAuth("x", (await createToken("a", ["pull"])).password.slice(0, -1)),
    ],
    ["an access token with more", async () => basicAuth("x", `${(await createToken("a", ["pull"])).password}0`)],
    [
      "an access token in upper case",
      async () => basicAuth("x", (await createToken("a", ["pull"])).password.toUpperCase()),
    ],
    ["only a prefix", () => basicAuth("x", "stw_")],
    ["a token of nobody as oidc", () => basicAuth("oidc", "x.y.z")],
    ["nothing as oidc", () => basicAuth("oidc", "")],
    ["SQL", () => basicAuth("' OR 1=1 --", "' OR 1=1 --")],
    ["a null byte", () => basicAuth("admin\0", "correct horse battery staple")],
    ["a megabyte of Basic", () => `Basic ${"YWRtaW46".repeat(131_072)}`],
    ["a megabyte of Bearer", () => `Bearer ${"a".repeat(1_048_576)}`],
    ["another scheme", () => "Digest username=admin"],
  ])("%s", async (_what, make) => {
    const response = await knock(freshAddress(), await make());
    expect(response.headers.get("WWW-Authenticate")).toMatch(
      /^Bearer realm="http:\/\/registry\.test\/token",service="stowage"/,
    );
    await expectError(response, 401, "UNAUTHORIZED");
  });

  it("an access token that has expired", async () => {
    const robot = await createToken(freshRepository(), ["pull"], "1s");
    await expectStatus(await knock(freshAddress(), robot.basic.Authorization), 200);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await expectError(await knock(freshAddress(), robot.basic.Authorization), 401, "UNAUTHORIZED");
  });
});

describe("a password that was stored under fewer iterations", () => {
  it("goes on, and is stored anew", async () => {
    const { DB } = (await import("cloudflare:workers")).env;
    const person = await addAccount();
    const hash = async () =>
      (await DB.prepare("SELECT password_hash FROM accounts WHERE name = ?1")
        .bind(person.name)
        .first<string>("password_hash"))!;
    expect(await hash()).toMatch(/^pbkdf2-sha512:100000:/);
    const { Authorization } = person.basic;
    await expectStatus(
      await sendWith({ PASSWORD_ITERATIONS: "20000" }, "GET", "/v2/", { headers: { Authorization } }),
      200,
    );
    expect(await hash()).toMatch(/^pbkdf2-sha512:20000:/);
    await expectStatus(await sendWith({}, "GET", "/v2/", { headers: { Authorization } }), 200);
    expect(await hash()).toMatch(/^pbkdf2-sha512:100000:/);
  });
});

it("a token names its account, how it was proved, and only what was asked for", async () => {
  const person = await addAccount({ "**": ["pull", "push", "delete"] });
  const { token } = await (
    await knock(freshAddress(), person.basic.Authorization, "/token?scope=repository:a:pull")
  ).json<TokenAnswer>();
  expect(claimsOf(token)).toMatchObject({
    ...{ iss: "stowage", aud: "stowage", sub: `account:${person.name}`, credential: "password", role: "member" },
    access: [{ type: "repository", name: "a", actions: ["pull"] }],
  });
});
