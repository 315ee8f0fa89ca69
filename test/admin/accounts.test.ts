import { env } from "cloudflare:workers";
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
  readPages,
} from "../support/api.ts";
import { addAccount, askToken, grant, type Person, sendAs } from "../support/people.ts";
import { basicAuth, expectError, expectStatus, freshRepository, sendAnonymously } from "../support/registry.ts";
import { pushImage } from "../support/images.ts";
import { captureLogs } from "../support/logs.ts";

interface Account {
  readonly name: string;
  readonly role: string;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly password?: string;
}

const GOOD_PASSWORD = "a password of many words";

async function logIn(username: string, password: string): Promise<number> {
  const { status } = await sendAnonymously("GET", "/v2/", {
    headers: { Authorization: basicAuth(username, password) },
  });
  return status;
}

const listed = async (name: string) => await findListed<Account>("accounts", "accounts", name);

/** The refresh token of a log-in, and what it is good for. */
async function keepLogIn(person: Person): Promise<() => Promise<Response>> {
  const path = "/token?service=stowage&offline_token=true";
  const response = await sendAnonymously("GET", path, { headers: person.basic });
  const { refresh_token: kept } = await response.json<{ refresh_token: string }>();
  const form = { grant_type: "refresh_token", service: "stowage", client_id: "test", refresh_token: kept };
  return async () =>
    await sendAnonymously("POST", "/token", {
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(form).toString(),
    });
}

describe("an account is added", () => {
  it.each(["member", "admin"])("as %s", async (role) => {
    const name = freshName();
    const added = await answerOf<Account>(
      await callApi("POST", "accounts", { name, role, password: GOOD_PASSWORD }),
      201,
    );
    expect(added).toEqual({ name, role, createdAt: expect.any(String) as string, createdBy: "account:admin" });
    expect(Math.abs(Date.parse(added.createdAt) - Date.now())).toBeLessThan(60_000);
    expect(await listed(name)).toEqual(added);
    expect(await logIn(name, GOOD_PASSWORD)).toBe(200);
  });

  it("as a member with a password that nobody chose, where nothing else is said", async () => {
    const names = [freshName(), freshName()];
    const passwords: string[] = [];
    for (const name of names) {
      const { role, password } = await answerOf<Account>(await callApi("POST", "accounts", { name }), 201);
      expect(role).toBe("member");
      expect(password).toMatch(/^[a-z2-9]{24}$/);
      expect(await logIn(name, password!)).toBe(200);
      passwords.push(password!);
    }
    expect(new Set(passwords).size).toBe(2);
  });

  it.each(["a", "0", "a.b_c-d", "a".repeat(64)])("under the name %s", async (name) => {
    const known = await listed(name);
    if (known) await expectDone(await callApi("DELETE", `accounts/${name}`));
    await answerOf(await callApi("POST", "accounts", { name, password: GOOD_PASSWORD }), 201);
    await expectDone(await callApi("DELETE", `accounts/${name}`));
  });

  it("once under a name: the one that is there stays as it is", async () => {
    const { name, password } = await addAccount();
    const again = { name, role: "admin", password: GOOD_PASSWORD };
    await expectRefusal(await callApi("POST", "accounts", again), 409, "CONFLICT", name, "already");
    expect(await listed(name)).toMatchObject({ role: "member" });
    expect([await logIn(name, password), await logIn(name, GOOD_PASSWORD)]).toEqual([200, 401]);
    expect((await eventsAbout(name)).map(({ action }) => action)).toEqual(["account.add"]);
  });

  it("once, however many ask at the same time", async () => {
    const name = freshName();
    const answers = await Promise.all([1, 2, 3].map(async () => await callApi("POST", "accounts", { name })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    expect(await eventsAbout(name)).toHaveLength(1);
  });

  it.each(["admin", "oidc"])("not as %s, which has a meaning of its own", async (name) => {
    const response = await callApi("POST", "accounts", { name, password: GOOD_PASSWORD });
    await expectRefusal(response, 409, "CONFLICT", name, "choose another");
  });
});

const NAMES: unknown[] = [
  ...[
    "",
    " ",
    "A",
    "Alice",
    "al ice",
    "é",
    "名前",
    "a/b",
    "a%2fb",
    "..",
    ".",
    "a..",
    "-a",
    "a-",
    "_a",
    "*",
    "a*",
    "a:b",
  ],
  ...["a\u0000b", "a\n", "a".repeat(65), null, 1, true, [], {}, ["a"]],
];

describe("what is no account is refused:", () => {
  it.each(NAMES)("the name %j", async (name) => {
    await expectInvalid(await callApi("POST", "accounts", { name }), "name");
  });

  it.each([
    ["no name", {}, "name"],
    ["an unknown role", { name: "a", role: "owner" }, "role"],
    ["a role in capitals", { name: "a", role: "Admin" }, "role"],
    ["no role at all", { name: "a", role: null }, "role"],
    ["a password of 11 characters", { name: "a", password: "x".repeat(11) }, "password"],
    ["a password of 257 characters", { name: "a", password: "x".repeat(257) }, "password"],
    ["a password that looks like an access token", { name: "a", password: "stw_0123456789abcdef" }, "password"],
    ["an empty password", { name: "a", password: "" }, "password"],
    ["a number as password", { name: "a", password: 123_456_789_012 }, "password"],
    ["a member that nobody knows", { name: "a", Role: "admin" }, "Role"],
    ["a list", [], ""],
    ["a member that JavaScript has a meaning for", '{"name":"a","__proto__":{"role":"admin"}}', "__proto__"],
    ["a text", '"a"', ""],
    ["null", "null", ""],
  ])("%s", async (_what, body, path) => {
    await expectInvalid(await callApi("POST", "accounts", body), path);
  });

  it.each([
    ["nothing", undefined],
    ["no JSON", "{"],
    ["a form", "name=a"],
    ["two values", "{} {}"],
  ])("%s", async (_what, body) => {
    await expectRefusal(await callApi("POST", "accounts", body), 400, "REQUEST_INVALID", "the body is no JSON");
  });

  it("a body of 300 KiB", async () => {
    const body = { name: freshName(), password: "x".repeat(300 * 1024) };
    await expectRefusal(await callApi("POST", "accounts", body), 400, "REQUEST_INVALID", "larger than 256 KiB");
  });
});

describe("the list of accounts", () => {
  it("comes in pages, each account once, in order, and without the bootstrap account", async () => {
    const add = async (name: string) => await callApi("POST", "accounts", { name, password: GOOD_PASSWORD });
    const all = await expectPagesByName("accounts", "accounts", add);
    expect(all).not.toContain("admin");
    expect(await readPages("accounts?last=zzzzzzzz", "accounts")).toEqual([[]]);
  });

  it.each(["-1", "x", "1.5", "1e3", "９"])("has no page of n=%s", async (n) => {
    await expectError(await callApi("GET", `accounts?n=${n}`), 400, "PAGINATION_NUMBER_INVALID");
  });
});

describe("a removed account", () => {
  it("can do nothing any more", async () => {
    const person = await addAccount({}, "admin");
    const refresh = await keepLogIn(person);
    await expectStatus(await refresh(), 200);
    await expectDone(await callApi("DELETE", `accounts/${person.name}`));
    expect(await logIn(person.name, person.password)).toBe(401);
    await expectError(await refresh(), 401, "UNAUTHORIZED");
    expect(await listed(person.name)).toBeUndefined();
    await expectRefusal(await callApi("DELETE", `accounts/${person.name}`), 404, "NOT_FOUND", person.name);
    const actions = (await eventsAbout(person.name)).map(({ action }) => action);
    expect(actions).toEqual(["account.add", "account.remove"]);
  });

  it("takes its rules away: another one of its name has none of its rights", async () => {
    const repository = freshRepository();
    await pushImage(repository, { tag: "v1" });
    const person = await addAccount({ [repository]: ["pull"], [`${repository}/**`]: ["push"] });
    await expectStatus(await sendAs(person, "GET", `/v2/${repository}/tags/list`), 200);
    const refresh = await keepLogIn(person);
    await expectDone(await callApi("DELETE", `accounts/${person.name}`));
    const again = { name: person.name, password: person.password };
    await answerOf(await callApi("POST", "accounts", again), 201);
    await expectError(await sendAs(person, "GET", `/v2/${repository}/tags/list`), 403, "DENIED");
    await expectError(await refresh(), 401, "UNAUTHORIZED");
    const { rules } = await answerOf<{ rules: unknown[] }>(
      await callApi("GET", `policy/rules?subject=account:${person.name}`),
    );
    expect(rules).toEqual([]);
  });

  it("is not the bootstrap account", async () => {
    await expectRefusal(await callApi("DELETE", "accounts/admin"), 409, "CONFLICT", "ADMIN_PASSWORD");
  });

  it.each(["A", "a%2fb", "%2A", "a%00", "%C3%A9", "a%25", "a".repeat(65)])("is not %s", async (name) => {
    await expectError(await callApi("DELETE", `accounts/${name}`), 400, "NAME_INVALID");
    await expectError(await callApi("PUT", `accounts/${name}/password`, {}), 400, "NAME_INVALID");
  });
});

describe("another password", () => {
  const path = ({ name }: Person) => `accounts/${name}/password`;

  it("of an admin's choice ends the old one, and what was kept with it, at once", async () => {
    const person = await addAccount();
    const refresh = await keepLogIn(person);
    expect(await logIn(person.name, person.password)).toBe(200);
    const answer = await answerOf(await callApi("PUT", path(person), { password: GOOD_PASSWORD }));
    expect(answer).toEqual({ name: person.name });
    expect(await logIn(person.name, person.password)).toBe(401);
    expect(await logIn(person.name, GOOD_PASSWORD)).toBe(200);
    await expectError(await refresh(), 401, "UNAUTHORIZED");
    const headers = { Authorization: basicAuth(person.name, person.password) };
    await expectError(await sendAnonymously("GET", "/token", { headers }), 401, "UNAUTHORIZED");
  });

  it("is made where none is given", async () => {
    const person = await addAccount();
    const { password } = await answerOf<Account>(await callApi("PUT", path(person), {}));
    expect(password).toMatch(/^[a-z2-9]{24}$/);
    expect([await logIn(person.name, password!), await logIn(person.name, person.password)]).toEqual([200, 401]);
  });

  it("keeps the rules", async () => {
    const person = await addAccount();
    await grant(`account:${person.name}`, { "kept/*": ["pull"] });
    await answerOf(await callApi("PUT", path(person), { password: GOOD_PASSWORD }));
    const headers = { Authorization: basicAuth(person.name, GOOD_PASSWORD) };
    const { token } = await askToken({ ...person, basic: headers }, "repository:kept/a:pull");
    expect(atob(token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/"))).toContain('"kept/a"');
  });

  it("is a member's own, with the one before", async () => {
    const person = await addAccount();
    const change = { password: GOOD_PASSWORD, currentPassword: person.password };
    await answerOf(await callApi("PUT", path(person), change, person.basic));
    expect([await logIn(person.name, person.password), await logIn(person.name, GOOD_PASSWORD)]).toEqual([401, 200]);
    const [, event] = await eventsAbout(person.name);
    expect(event).toMatchObject({ action: "account.password", actor: `account:${person.name}` });
  });

  it.each<[string, object]>([
    ["without the one before", { password: GOOD_PASSWORD }],
    ["with a wrong one", { password: GOOD_PASSWORD, currentPassword: "not the password" }],
    ["with an empty one", { password: GOOD_PASSWORD, currentPassword: "" }],
    ["with one that was made for it, and is not sent", {}],
  ])("is refused to a member %s", async (_how, change) => {
    const person = await addAccount();
    const response = await callApi("PUT", path(person), change, person.basic);
    await expectRefusal(response, 403, "DENIED", "currentPassword must be the password of this account");
    expect(await logIn(person.name, person.password)).toBe(200);
    expect(await eventsAbout(person.name)).toHaveLength(1);
  });

  it("of somebody else is refused to a member, whether or not there is such an account", async () => {
    const [person, other] = [await addAccount(), await addAccount()];
    for (const name of [other.name, freshName(), "admin"]) {
      const change = { password: GOOD_PASSWORD, currentPassword: other.password };
      const response = await callApi("PUT", `accounts/${name}/password`, change, person.basic);
      await expectRefusal(response, 403, "DENIED", "only an admin may set the password of another account");
    }
    expect(await logIn(other.name, other.password)).toBe(200);
  });

  it("is not guessed by who has stolen a log-in: failures count as failed log-ins", async () => {
    const person = await addAccount();
    const headers = { ...person.basic, "CF-Connecting-IP": "2001:db8:1:2::3" };
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1) {
      const change = { password: GOOD_PASSWORD, currentPassword: `guess number ${attempt}` };
      statuses.push((await callApi("PUT", path(person), change, headers)).status);
    }
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(403));
    expect(statuses.at(-1)).toBe(429);
  });

  it.each<[string, unknown, string]>([
    ["a short one", { password: "short" }, "password"],
    ["a list", { password: ["x"] }, "password"],
    ["a current one that is no text", { currentPassword: 1 }, "currentPassword"],
    ["a misspelt one", { pasword: GOOD_PASSWORD }, "pasword"],
  ])("is not %s", async (_what, change, part) => {
    const person = await addAccount();
    await expectInvalid(await callApi("PUT", path(person), change), part);
    expect(await logIn(person.name, person.password)).toBe(200);
  });

  it("is not set where there is no such account", async () => {
    const name = freshName();
    await expectRefusal(await callApi("PUT", `accounts/${name}/password`, {}), 404, "NOT_FOUND", name);
    await expectRefusal(await callApi("PUT", "accounts/admin/password", {}), 409, "CONFLICT", "ADMIN_PASSWORD");
    expect(await eventsAbout(name)).toEqual([]);
  });
});

it("a password appears once and nowhere else", async () => {
  const logs = captureLogs();
  const name = freshName();
  const made = await answerOf<Account>(await callApi("POST", "accounts", { name }), 201);
  await callApi("PUT", `accounts/${name}/password`, { password: GOOD_PASSWORD });
  const second = await answerOf<Account>(await callApi("PUT", `accounts/${name}/password`, {}));
  const secrets = [made.password!, GOOD_PASSWORD, second.password!];
  await logIn(name, made.password!);
  const shown = [
    JSON.stringify(await listed(name)),
    JSON.stringify(await eventsAbout(name)),
    logs.join(),
    JSON.stringify((await env.DB.prepare("SELECT * FROM accounts WHERE name = ?1").bind(name).all()).results),
  ];
  for (const text of shown) for (const secret of secrets) expect(text).not.toContain(secret);
  expect(shown[0]).not.toMatch(/hash|pbkdf2|credential/i);
});
