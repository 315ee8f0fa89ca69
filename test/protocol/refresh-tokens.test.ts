import { describe, expect, it } from "vitest";
import { addAccount, createToken, type Person } from "../support/people.ts";
import {
  basicAuth,
  expectError,
  expectStatus,
  freshRepository,
  send,
  sendAnonymously,
  sendWith,
  type Sent,
} from "../support/registry.ts";
import { claimsOf, forge, type TokenAnswer } from "../support/tokens.ts";

const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

function form(fields: Readonly<Record<string, string>>): Sent {
  const body = new URLSearchParams(fields).toString();
  return { headers: { ...FORM, "Content-Length": String(body.length) }, body };
}

/** Logs in as docker does, and gives what it keeps. */
async function logIn(basic: string): Promise<string> {
  const path = "/token?service=stowage&client_id=docker&offline_token=true&account=x";
  const response = await sendAnonymously("GET", path, { headers: { Authorization: basic } });
  const { refresh_token: kept } = await (await expectStatus(response, 200)).json<TokenAnswer>();
  expect(kept).toBeTypeOf("string");
  return kept!;
}

async function refresh(kept: string, scope = ""): Promise<Response> {
  const fields = { grant_type: "refresh_token", service: "stowage", client_id: "docker", refresh_token: kept, scope };
  return await sendAnonymously("POST", "/token", form(fields));
}

async function accessOf(response: Response): Promise<unknown> {
  const { access_token: token } = await (await expectStatus(response, 200)).json<TokenAnswer>();
  return claimsOf(token).access;
}

const loggedIn = async (person: Person) => await logIn(person.basic.Authorization);

describe("a refresh token", () => {
  it.each(["GET", "POST"])("is given by %s to who asks for one, and logs in", async (method) => {
    const repository = freshRepository();
    const person = await addAccount({ [repository]: ["pull"] });
    const fields = {
      grant_type: "password",
      username: person.username,
      password: person.password,
      access_type: "offline",
    };
    const response =
      method === "GET"
        ? await sendAnonymously("GET", "/token?offline_token=true", { headers: person.basic })
        : await sendAnonymously("POST", "/token", form(fields));
    const { refresh_token: kept } = await (await expectStatus(response, 200)).json<TokenAnswer>();
    expect(await accessOf(await refresh(kept!, `repository:${repository}:pull,push`))).toEqual([
      { type: "repository", name: repository, actions: ["pull"] },
    ]);
  });

  it("is given to nobody who does not ask, or has no account", async () => {
    const person = await addAccount();
    for (const [path, headers] of [
      ["/token", person.basic],
      ["/token?offline_token=false", person.basic],
      ["/token?offline_token=true&scope=repository:a:pull", {}],
    ] as const) {
      const response = await expectStatus(await sendAnonymously("GET", path, { headers }), 200);
      expect(await response.json()).not.toHaveProperty("refresh_token");
    }
  });

  it("is no bearer token, and no password", async () => {
    const kept = await logIn(basicAuth());
    for (const authorization of [`Bearer ${kept}`, basicAuth("admin", kept), basicAuth("oidc", kept)]) {
      const response = await sendAnonymously("GET", "/v2/", { headers: { Authorization: authorization } });
      await expectError(response, 401, "UNAUTHORIZED");
    }
  });

  it("holds no secret", async () => {
    const kept = await logIn(basicAuth());
    expect(JSON.stringify(claimsOf(kept))).not.toContain("horse");
  });

  it.each<[string, () => Promise<string>]>([
    ["that is none", async () => await Promise.resolve("x")],
    ["that is empty", async () => await Promise.resolve("")],
    ["that is a bearer token", async () => (await forge()).Authorization.slice(7)],
    [
      "of another key",
      async () => {
        const claims = { aud: "stowage/refresh", subject: { kind: "account", name: "admin", credentialId: "x" } };
        return (
          await forge({ claims, secret: "another secret that is as long as the one that signs" })
        ).Authorization.slice(7);
      },
    ],
    [
      "for another password",
      async () => {
        const claims = { aud: "stowage/refresh", subject: { kind: "account", name: "admin", credentialId: "x" } };
        return (await forge({ claims })).Authorization.slice(7);
      },
    ],
    [
      "for nobody known",
      async () => {
        const claims = { aud: "stowage/refresh", subject: { kind: "account", name: "nobody", credentialId: "x" } };
        return (await forge({ claims })).Authorization.slice(7);
      },
    ],
    [
      "of an unknown kind",
      async () =>
        (await forge({ claims: { aud: "stowage/refresh", subject: { kind: "root" } } })).Authorization.slice(7),
    ],
    ["changed afterwards", async () => (await logIn(basicAuth())).replace(/\.(.)/, ".A$1")],
  ])("%s is refused, with advice", async (_what, make) => {
    const { message } = await expectError(await refresh(await make()), 401, "UNAUTHORIZED");
    expect(message).toContain("log in again");
  });

  it("of the bootstrap account ends with its password", async () => {
    const kept = await logIn(basicAuth());
    await accessOf(await refresh(kept));
    const path = "/token";
    const fields = { grant_type: "refresh_token", refresh_token: kept };
    const changed = { ADMIN_PASSWORD: "another password altogether" };
    await expectError(await sendWith(changed, "POST", path, form(fields)), 401, "UNAUTHORIZED");
  });

  it("of an account ends with its password, and with the account", async () => {
    const person = await addAccount();
    const first = await loggedIn(person);
    const changed = await expectStatus(await send("PUT", `/api/accounts/${person.name}/password`, { body: "{}" }), 200);
    await expectError(await refresh(first), 401, "UNAUTHORIZED");
    await expectError(await sendAnonymously("GET", "/v2/", { headers: person.basic }), 401, "UNAUTHORIZED");
    const { password } = await changed.json<{ password: string }>();
    const second = await logIn(basicAuth(person.name, password));
    await accessOf(await refresh(second));
    await expectStatus(await send("DELETE", `/api/accounts/${person.name}`), 204);
    await expectError(await refresh(second), 401, "UNAUTHORIZED");
    await expectStatus(
      await send("POST", "/api/accounts", { body: JSON.stringify({ name: person.name, password }) }),
      201,
    );
    await expectError(await refresh(second), 401, "UNAUTHORIZED");
  });

  it("of an access token ends when that is revoked", async () => {
    const repository = freshRepository();
    const robot = await createToken(repository, ["pull"]);
    const kept = await loggedIn(robot);
    expect(await accessOf(await refresh(kept, `repository:${repository}:*`))).toEqual([
      { type: "repository", name: repository, actions: ["pull"] },
    ]);
    await expectStatus(await send("DELETE", `/api/tokens/${robot.name}`), 204);
    await expectError(await refresh(kept), 401, "UNAUTHORIZED");
  });

  it("gets what rules allow now, not what they allowed when it was given", async () => {
    const repository = freshRepository();
    const person = await addAccount({ [repository]: ["pull", "push"] });
    const kept = await loggedIn(person);
    const rule = `/api/policy/rules?subject=account:${person.name}&repository=${repository}&actions=push`;
    await expectStatus(await send("DELETE", rule), 200);
    expect(await accessOf(await refresh(kept, `repository:${repository}:pull,push`))).toMatchObject([
      { actions: ["pull"] },
    ]);
  });
});

describe("the keys that sign", () => {
  const OLD = "the secret that signed until a moment ago, long enough";
  const NEW = "the secret that signs from now on, which is as long";
  const before = { TOKEN_SECRET: OLD };
  const during = { TOKEN_SECRET: NEW, TOKEN_SECRET_PREVIOUS: OLD };
  const after = { TOKEN_SECRET: NEW };
  const tokenBy = async (settings: Record<string, string>) =>
    await (await sendWith(settings, "GET", "/token?scope=registry:catalog:*&offline_token=true")).json<TokenAnswer>();
  const isAccepted = async (settings: Record<string, string>, token: string) => {
    const response = await sendWith(settings, "GET", "/v2/_catalog?n=1", {
      headers: { Authorization: `Bearer ${token}` },
    });
    return response.status === 200;
  };

  it("are two while one follows the other, and each token says which it is of", async () => {
    const [old, fresh] = [await tokenBy(before), await tokenBy(during)];
    const kid = ({ token }: TokenAnswer) => (JSON.parse(atob(token.split(".")[0]!)) as { kid: string }).kid;
    expect(kid(old)).toMatch(/^[0-9a-f]{8}$/);
    expect(kid(fresh)).not.toBe(kid(old));
    expect(await isAccepted(during, old.token)).toBe(true);
    expect(await isAccepted(during, fresh.token)).toBe(true);
    expect(await isAccepted(after, old.token)).toBe(false);
    expect(await isAccepted(after, fresh.token)).toBe(true);
    expect(await isAccepted(before, fresh.token)).toBe(false);
  });

  it("keep a log-in while the one that signed it is known", async () => {
    const { refresh_token: kept = "" } = await tokenBy(before);
    const fields = { grant_type: "refresh_token", refresh_token: kept };
    await expectStatus(await sendWith(during, "POST", "/token", form(fields)), 200);
    await expectError(await sendWith(after, "POST", "/token", form(fields)), 401, "UNAUTHORIZED");
  });
});
