import { beforeAll, describe, expect, it } from "vitest";
import { callApi, expectRefusal } from "../support/api.ts";
import { API_ROUTES, type Requirement } from "../support/api-routes.ts";
import { addAccount, bearerOf, createToken, type Person } from "../support/people.ts";
import { basicAuth, expectError, expectStatus, sendAnonymously } from "../support/registry.ts";
import { bearer, forge } from "../support/tokens.ts";

const CHALLENGE = 'Bearer realm="http://registry.test/token",service="stowage",scope="registry:api:*"';
const API_SCOPE = "registry:api:*";

let member: Person;
let otherAdmin: Person;
let robot: Person;

beforeAll(async () => {
  member = await addAccount();
  otherAdmin = await addAccount({}, "admin");
  robot = await createToken("**", ["pull", "push", "delete"]);
});

/** Routes of these requirements, each as a path of something that is nowhere. */
const routesOf = (...requirements: Requirement[]) =>
  API_ROUTES.filter(([, , requirement]) => requirements.includes(requirement)).map(
    ([method, path]) => [method, path.replace("{name}", "nowhere")] as const,
  );

describe.each(routesOf("api", "admin"))("%s %s", (method, path) => {
  it.each<[string, () => Promise<string | undefined> | string | undefined, string]>([
    ["without credentials", () => undefined, ""],
    ["with wrong credentials", () => basicAuth("admin", "not the password"), ""],
    ["with credentials of nobody", () => basicAuth("nobody-of-that-name", "a password of some length"), ""],
    ["with the empty pair", () => basicAuth("", ""), ""],
    ["with a token for the catalog", async () => (await bearer("registry:catalog:*")).Authorization, "scope"],
    ["with a token for a repository", async () => (await bearer("repository:nowhere:*")).Authorization, "scope"],
    ["with a token of nobody", async () => (await bearerOf(undefined, API_SCOPE)).Authorization, "scope"],
    ["with a forged token", async () => (await forge({ secret: "x".repeat(40) })).Authorization, "token"],
    ["with an access token that is none", () => basicAuth("x", `stw_${"0".repeat(16)}_${"0".repeat(64)}`), ""],
  ])("challenges a request %s", async (_how, authorization, error) => {
    const header = await authorization();
    const response = await sendAnonymously(method, path, { headers: header ? { Authorization: header } : {} });
    const errors: Record<string, string> = { scope: ',error="insufficient_scope"', token: ',error="invalid_token"' };
    expect(response.headers.get("WWW-Authenticate")).toBe(`${CHALLENGE}${errors[error] ?? ""}`);
    await expectError(response, 401, "UNAUTHORIZED");
  });
});

describe.each(routesOf("admin"))("%s %s", (method, path) => {
  it.each<[string, () => Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>]>([
    ["a member", () => member.basic],
    ["a member's token", async () => await bearerOf(member, API_SCOPE)],
    ["an access token", () => robot.basic],
    ["an access token as a bearer", () => ({ Authorization: `Bearer ${robot.password}` })],
    ["an access token's token", async () => await bearerOf(robot, API_SCOPE)],
  ])("is refused to %s", async (_who, headers) => {
    const response = await sendAnonymously(method, path, { headers: await headers() });
    await expectRefusal(response, 403, "DENIED", "is no admin: ask one");
  });

  it.each<[string, () => Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>]>([
    ["the bootstrap account", () => ({ Authorization: basicAuth() })],
    ["its token", async () => await bearer(API_SCOPE)],
    ["another admin", () => otherAdmin.basic],
    ["another admin's token", async () => await bearerOf(otherAdmin, API_SCOPE)],
  ])("is open to %s", async (_who, headers) => {
    const { status } = await sendAnonymously(method, path, { headers: await headers() });
    expect([200, 400, 404]).toContain(status);
  });
});

it("the caller is whoever proved to be it", async () => {
  const callers: [Readonly<Record<string, string>>, string, string | null, unknown][] = [
    [{ Authorization: basicAuth() }, "account:admin", "admin", "password"],
    [member.basic, `account:${member.name}`, "member", "password"],
    [await bearerOf(member, API_SCOPE), `account:${member.name}`, "member", "password"],
    [robot.basic, `token:${robot.name}`, null, `token ${robot.password.split("_")[1]!}`],
  ];
  for (const [headers, actor, role, credential] of callers) {
    const response = await expectStatus(await callApi("GET", "caller", undefined, headers), 200);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(await response.json()).toEqual({ actor, role, credential });
  }
});

it.each([
  ["PUT", "accounts", "GET, POST"],
  ["GET", "accounts/somebody", "DELETE"],
  ["POST", "accounts/somebody/password", "PUT"],
  ["PATCH", "policy/rules", "GET, POST, DELETE"],
  ["POST", "repositories/a/b", "GET, PATCH, DELETE"],
  ["DELETE", "audit", "GET"],
])("answers %s %s with what is allowed there", async (method, path, allowed) => {
  const response = await callApi(method, path);
  expect(response.headers.get("Allow")).toBe(allowed);
  await expectError(response, 405, "UNSUPPORTED");
});

it.each(["", "account", "accounts/a/b", "accounts/a/b/password", "accounts/..", "policy", "policy/x", "trust/a/b"])(
  "knows no endpoint /api/%s",
  async (path) => {
    await expectError(await callApi("GET", path), 404, "NOT_FOUND");
  },
);
