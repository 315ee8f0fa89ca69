import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { answerOf, callApi, expectDone, expectInvalid, expectRefusal } from "../support/api.ts";
import { addAccount, createToken, type Person, setVisibility } from "../support/people.ts";
import {
  basicAuth,
  expectError,
  expectStatus,
  freshRepository,
  sendAnonymously,
  sendWith,
} from "../support/registry.ts";
import {
  ADMIN,
  askSessionToken,
  cookieOf,
  keeping,
  OWN_PAGE,
  sessionOf,
  type SessionToken,
  sessionToken,
  signIn,
} from "../support/sessions.ts";
import { claimsOf } from "../support/tokens.ts";

const API = "registry:api:*";
const HALF_A_DAY_MS = 12 * 3_600_000;
/** To a challenge of another scheme, browsers open a window of their own. */
const CHALLENGE = 'Session realm="stowage"';
const CLEARED = { value: "", attributes: ["HttpOnly", "Max-Age=0", "Path=/api/session", "SameSite=Strict"] };

const bearing = ({ token }: SessionToken) => ({ Authorization: `Bearer ${token}` });

interface Signing {
  readonly username: string;
  readonly password: string;
  readonly actor: string;
  readonly role: string | null;
}

describe("signing in", () => {
  it.each<[string, () => Promise<Signing> | Signing]>([
    ["the bootstrap account", () => ({ ...ADMIN, actor: "account:admin", role: "admin" })],
    [
      "another admin",
      async () => {
        const person = await addAccount({}, "admin");
        return { ...person, actor: `account:${person.name}`, role: "admin" };
      },
    ],
    [
      "a member",
      async () => {
        const person = await addAccount();
        return { ...person, actor: `account:${person.name}`, role: "member" };
      },
    ],
    [
      "an access token under any name",
      async () => {
        const robot = await createToken("a", ["pull"]);
        return { ...robot, username: "whoever", actor: `token:${robot.name}`, role: null };
      },
    ],
  ])("as %s gives a cookie that no script reads, and who it is", async (_who, make) => {
    const { username, password, actor, role } = await make();
    const response = await signIn(username, password);
    const cookie = cookieOf(response)!;
    const before = Date.now();
    const answer = await answerOf<{ expiresAt: string }>(response);
    expect(answer).toEqual({ actor, role, expiresAt: expect.any(String) as string });
    expect(Math.abs(Date.parse(answer.expiresAt) - before - HALF_A_DAY_MS)).toBeLessThan(30_000);
    const [httpOnly, maxAge, ...others] = cookie.attributes;
    expect([httpOnly, ...others]).toEqual(["HttpOnly", "Path=/api/session", "SameSite=Strict"]);
    expect(Number(maxAge!.replace("Max-Age=", "")) / 3600).toBeCloseTo(12, 1);
    const { caller } = await sessionToken(cookie.value, API);
    expect(caller).toEqual({ actor, role });
  });

  it("over TLS gives a cookie that goes over nothing else", async () => {
    const body = JSON.stringify({ username: "admin", password: ADMIN.password });
    const headers = { ...OWN_PAGE, Origin: "https://registry.test" };
    const secure = "https://registry.test/api/session";
    const response = await expectStatus(await sendAnonymously("POST", secure, { headers, body }), 200);
    expect(cookieOf(response)!.attributes).toContain("Secure");
    const cleared = await sendAnonymously("DELETE", secure, { headers });
    expect(cookieOf(cleared)!.attributes).toEqual([...CLEARED.attributes, "Secure"].toSorted());
  });

  it("behind a proxy that ends TLS gives a cookie that goes over nothing else", async () => {
    const response = await signIn("admin", ADMIN.password, { ...OWN_PAGE, Origin: "https://registry.test" });
    expect(cookieOf(await expectStatus(response, 200))!.attributes).toContain("Secure");
  });

  it("lasts no longer than any log-in", async () => {
    const sent = { headers: OWN_PAGE, body: JSON.stringify({ username: "admin", password: ADMIN.password }) };
    const response = await sendWith({ REFRESH_TOKEN_TTL: "1h" }, "POST", "/api/session", sent);
    expect(cookieOf(response)!.attributes.find((one) => one.startsWith("Max-Age"))).toMatch(/^Max-Age=(3600|359\d)$/);
  });

  it.each<[string, () => Promise<[string, string]> | [string, string]]>([
    ["a wrong password", async () => [(await addAccount()).name, "not the password"]],
    ["a wrong password of the bootstrap account", () => ["admin", "not the password"]],
    ["an account that does not exist", () => ["nobody-of-that-name", "a password of some length"]],
    ["nothing at all", () => ["", ""]],
    ["an access token that is none", () => ["x", `stw_${"0".repeat(16)}_${"0".repeat(64)}`]],
    ["a token of nobody as oidc", () => ["oidc", "x.y.z"]],
    ["SQL", () => ["' OR 1=1 --", "' OR 1=1 --"]],
    ["a null byte", () => ["admin\0", ADMIN.password]],
    ["200,000 characters", () => ["admin", "x".repeat(200_000)]],
  ])("with %s is refused, and no browser opens a window for it", async (_what, make) => {
    const response = await signIn(...(await make()));
    expect(response.headers.get("WWW-Authenticate")).toBe(CHALLENGE);
    expect(cookieOf(response)).toBeUndefined();
    await expectError(response, 401, "UNAUTHORIZED");
  });

  it("is limited as every log-in", async () => {
    const person = await addAccount();
    const from = { ...OWN_PAGE, "CF-Connecting-IP": "203.0.113.77" };
    for (let time = 0; time < 10; time += 1) await expectStatus(await signIn(person.name, "wrong", from), 401);
    for (const password of ["wrong", person.password]) {
      const response = await signIn(person.name, password, from);
      expect(Number(response.headers.get("Retry-After"))).toBeGreaterThan(0);
      expect(cookieOf(response)).toBeUndefined();
      await expectError(response, 429, "TOOMANYREQUESTS");
    }
  });

  it.each<[string, unknown, string]>([
    ["no password", { username: "admin" }, "password"],
    ["a number", { username: 1, password: "x" }, "username"],
    ["more than that", { username: "admin", password: "x", remember: true }, "remember"],
  ])("takes a username and a password, not %s", async (_what, body, path) => {
    await expectInvalid(await callApi("POST", "session", body), path);
  });
});

describe("signing out", () => {
  it("clears the cookie, whether there is one or not", async () => {
    for (const headers of [keeping(await sessionOf(ADMIN)), OWN_PAGE]) {
      const response = await sendAnonymously("DELETE", "/api/session", { headers });
      expect(cookieOf(response)).toEqual(CLEARED);
      await expectDone(response);
    }
  });
});

describe("the token of a session", () => {
  it("allows what its holder may do of what was asked for, as one of the token endpoint", async () => {
    const repository = freshRepository();
    const person = await addAccount({ [repository]: ["pull", "push"] });
    const session = await sessionOf(person);
    const issued = await sessionToken(session, `repository:${repository}:pull,delete`, "repository:other:pull", API);
    const claims = claimsOf(issued.token) as { exp: number; access: unknown; sub: string };
    expect(claims).toMatchObject({ aud: "stowage", sub: `account:${person.name}`, credential: "password" });
    expect(claims.access).toEqual([
      { type: "repository", name: repository, actions: ["pull"] },
      { type: "registry", name: "api", actions: ["*"] },
    ]);
    expect(Date.parse(issued.expiresAt)).toBe(claims.exp * 1000);
    const tags = `/v2/${repository}/tags/list`;
    await expectError(await sendAnonymously("GET", tags, { headers: bearing(issued) }), 404, "NAME_UNKNOWN");
    await expectStatus(await sendAnonymously("GET", "/api/caller", { headers: bearing(issued) }), 200);
  });

  it("lets an admin administer", async () => {
    const headers = bearing(await sessionToken(await sessionOf(ADMIN), API));
    await expectStatus(await sendAnonymously("GET", "/api/accounts", { headers }), 200);
  });

  it("is anyone's without a session", async () => {
    const repository = freshRepository();
    await setVisibility(repository, "public");
    const scopes = [`repository:${repository}:pull,push`, "repository:private/x:pull", API];
    const issued = await sessionToken(undefined, ...scopes);
    expect(issued.caller).toBeNull();
    expect(claimsOf(issued.token)).toMatchObject({
      sub: "anyone",
      access: [{ type: "repository", name: repository, actions: ["pull"] }],
    });
    expect((await sessionToken(undefined)).caller).toBeNull();
    expect((await sessionToken("", API)).caller).toBeNull();
  });

  it("says who has signed in where nothing is asked for", async () => {
    expect((await sessionToken(await sessionOf(ADMIN))).caller).toEqual({ actor: "account:admin", role: "admin" });
  });

  it.each<[string, unknown, string]>([
    ["no scopes", {}, "scopes"],
    ["one that is no text", { scopes: [1] }, "scopes.0"],
    ["too many", { scopes: Array.from({ length: 33 }, () => API) }, "scopes"],
  ])("is refused for %s", async (_what, body, path) => {
    await expectInvalid(await callApi("POST", "session/token", body), path);
  });
});

/** Expects that a session does not hold any more, and that the browser forgets it. */
async function expectEnded(session: string): Promise<void> {
  const response = await askSessionToken([API], keeping(session));
  expect(cookieOf(response)).toEqual(CLEARED);
  expect(response.headers.get("WWW-Authenticate")).toBe(CHALLENGE);
  await expectRefusal(response, 401, "SESSION_ENDED", "sign in again");
}

describe("a session ends at once", () => {
  const ofAccount = (person: Person, rest = "") => `accounts/${person.name}${rest}`;

  it.each<[string, (person: Person) => Promise<Response>]>([
    ["its account has another password", async (person) => await callApi("PUT", ofAccount(person, "/password"), {})],
    ["its account is removed", async (person) => await callApi("DELETE", ofAccount(person))],
    [
      "its account is another one of that name",
      async (person) => {
        await callApi("DELETE", ofAccount(person));
        return await callApi("POST", "accounts", { name: person.name, password: person.password });
      },
    ],
  ])("when %s", async (_what, change) => {
    const person = await addAccount();
    const session = await sessionOf(person);
    await sessionToken(session, API);
    expect((await change(person)).ok).toBe(true);
    await expectEnded(session);
  });

  it("when its access token is revoked, or expires", async () => {
    const [revoked, expired] = [await createToken("a", ["pull"]), await createToken("a", ["pull"])];
    const sessions = [await sessionOf(revoked), await sessionOf(expired)];
    await expectDone(await callApi("DELETE", `tokens/${revoked.name}`));
    await env.DB.prepare("UPDATE access_tokens SET expires_at = 1 WHERE name = ?1").bind(expired.name).run();
    for (const session of sessions) await expectEnded(session);
  });

  it("when the bootstrap account has another password, or another secret signs", async () => {
    const session = await sessionOf(ADMIN);
    const sent = { headers: keeping(session), body: JSON.stringify({ scopes: [] }) };
    const ask = async (settings: object) => await sendWith({ ...settings }, "POST", "/api/session/token", sent);
    await expectStatus(await ask({}), 200);
    await expectError(await ask({ ADMIN_PASSWORD: "another password altogether" }), 401, "SESSION_ENDED");
    const secrets = { TOKEN_SECRET: "another secret, which is as long as it must be" };
    await expectError(await ask(secrets), 401, "SESSION_ENDED");
    await expectStatus(await ask({ ...secrets, TOKEN_SECRET_PREVIOUS: env.TOKEN_SECRET }), 200);
  });
});

it("an admin's token of a session makes no successor once the session has ended", async () => {
  const person = await addAccount({}, "admin");
  const headers = bearing(await sessionToken(await sessionOf(person), API));
  await expectStatus(await callApi("PUT", `accounts/${person.name}/password`, {}), 200);
  await expectError(await callApi("POST", "accounts", { name: "heir", role: "admin" }, headers), 403, "DENIED");
});

it("credentials of other kinds beside the cookie change nothing", async () => {
  const person = await addAccount();
  const headers = { ...keeping(await sessionOf(person)), Authorization: basicAuth() };
  const { caller } = await answerOf<SessionToken>(await askSessionToken([API], headers));
  expect(caller).toEqual({ actor: `account:${person.name}`, role: "member" });
  const alone = await answerOf<SessionToken>(await askSessionToken([API], { ...OWN_PAGE, Authorization: basicAuth() }));
  expect(alone.caller).toBeNull();
});
