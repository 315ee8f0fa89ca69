import { beforeAll, describe, expect, it } from "vitest";
import { API_ROUTES } from "../support/api-routes.ts";
import { pushImage } from "../support/images.ts";
import {
  basicAuth,
  expectError,
  expectStatus,
  freshRepository,
  ORIGIN,
  sendAnonymously,
  sendWith,
} from "../support/registry.ts";
import { ADMIN, askSessionToken, cookieOf, keeping, OWN_PAGE, sessionOf, sessionToken } from "../support/sessions.ts";
import { claimsOf, forge, type TokenAnswer, unsigned } from "../support/tokens.ts";

const API = "registry:api:*";
const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

let session: string;
beforeAll(async () => {
  session = await sessionOf(ADMIN);
});

/** A session like the admin's, but for what is changed. */
async function forgeSession(claims: object, secret?: string): Promise<string> {
  const parts = { claims: { ...claimsOf(session), ...claims }, ...(secret !== undefined && { secret }) };
  return (await forge(parts)).Authorization.slice("Bearer ".length);
}

/** What docker keeps of the admin's log-in. */
async function refreshToken(): Promise<string> {
  const headers = { Authorization: basicAuth() };
  const response = await sendAnonymously("GET", "/token?service=stowage&offline_token=true", { headers });
  return (await response.json<TokenAnswer>()).refresh_token!;
}

describe("a session", () => {
  it("is taken as it was signed, which is what the forgeries below differ from", async () => {
    expect((await sessionToken(await forgeSession({}), API)).caller?.actor).toBe("account:admin");
  });

  it.each<[string, () => Promise<string> | string]>([
    ["that is none", () => "x"],
    ["whose time is over", async () => await forgeSession({ exp: Math.floor(Date.now() / 1000) - 1 })],
    ["that has not begun", async () => await forgeSession({ nbf: Math.floor(Date.now() / 1000) + 60 })],
    ["that another secret signed", async () => await forgeSession({}, "another secret that is as long as the one")],
    ["that nobody signed", async () => (await unsigned(claimsOf(session))).Authorization.slice("Bearer ".length)],
    ["of another registry", async () => await forgeSession({ iss: "another" })],
    ["for another audience", async () => await forgeSession({ aud: "stowage/refresh" })],
    ["that is a refresh token", refreshToken],
    ["that is a bearer token", async () => (await sessionToken(session, API)).token],
    ["of nobody", async () => await forgeSession({ subject: { kind: "account", name: "nobody", credentialId: "x" } })],
    ["of another password", async () => await forgeSession({ subject: { ...ADMIN_SUBJECT, credentialId: "x" } })],
    ["of an unknown kind", async () => await forgeSession({ subject: { kind: "root" } })],
    ["changed afterwards", () => session.replace(/\.(.)/, ".A$1")],
    ["of a megabyte", () => "a".repeat(1_048_576)],
  ])("%s is refused, and forgotten", async (_what, make) => {
    const response = await askSessionToken([API], keeping(await make()));
    expect(cookieOf(response)?.value).toBe("");
    await expectError(response, 401, "SESSION_ENDED");
  });

  it("is worth nothing elsewhere: not as a bearer token, a password or a refresh token", async () => {
    for (const authorization of [`Bearer ${session}`, basicAuth("admin", session), basicAuth("oidc", session)]) {
      for (const path of ["/v2/", "/api/caller"]) {
        const headers = { Authorization: authorization };
        await expectError(await sendAnonymously("GET", path, { headers }), 401, "UNAUTHORIZED");
      }
    }
    const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: session }).toString();
    await expectError(await sendAnonymously("POST", "/token", { headers: FORM, body: form }), 401, "UNAUTHORIZED");
  });

  it("holds no secret", () => {
    expect(JSON.stringify(claimsOf(session))).not.toContain("horse");
  });
});

const ADMIN_SUBJECT = { kind: "account", name: "admin" };

describe("the cookie opens nothing but the routes of sessions", () => {
  const others = API_ROUTES.filter(([, , requirement]) => requirement === "api" || requirement === "admin");
  const readers = API_ROUTES.filter(([, , requirement]) => requirement === "reader");
  const hidden = freshRepository();
  beforeAll(async () => {
    await pushImage(hidden, { tag: "1" });
  });

  it.each([
    ...others.map(([method, path]) => [method, path.replace("{name}", "nowhere")] as const),
    ...(["/v2/", "/v2/_catalog", "/v2/a/tags/list", "/v2/a/manifests/latest"] as const).map(
      (path) => ["GET", path] as const,
    ),
    ...[["DELETE", "/v2/a/manifests/latest"] as const, ["POST", "/v2/a/blobs/uploads/"] as const],
  ])("%s %s", async (method, path) => {
    await expectError(await sendAnonymously(method, path, { headers: keeping(session) }), 401, "UNAUTHORIZED");
  });

  it.each(readers)("%s %s answers as without it", async (method, path) => {
    const known = path === "/api/repositories" ? "" : `?repository=${hidden}&tag=1&time=${new Date().toISOString()}`;
    const address = path.includes("{name}") ? path.replace("{name}", hidden) : path + known;
    const plain = await sendAnonymously(method, address, { headers: OWN_PAGE });
    const kept = await sendAnonymously(method, address, { headers: keeping(session) });
    expect([kept.status, await kept.text()]).toEqual([plain.status, await plain.text()]);
  });

  it("at /token it is nobody", async () => {
    const path = "/token?service=stowage&scope=repository:private/x:pull,push";
    const response = await expectStatus(await sendAnonymously("GET", path, { headers: keeping(session) }), 200);
    expect(claimsOf((await response.json<TokenAnswer>()).token)).toMatchObject({ sub: "anyone", access: [] });
  });
});

const BODIES = [
  ["POST", "/api/session", () => JSON.stringify({ username: "admin", password: ADMIN.password })],
  ["POST", "/api/session/token", () => JSON.stringify({ scopes: [API] })],
  ["DELETE", "/api/session", () => undefined],
] as const;

describe.each(BODIES)("%s %s", (method, path, body) => {
  const send = async (headers: Readonly<Record<string, string>>, settings?: Readonly<Record<string, string>>) => {
    const sent = { headers: { Cookie: `stowage_session=${session}`, ...headers }, body: body() ?? null };
    if (settings)
      return await sendWith(settings, method, path, { ...sent, headers: { ...sent.headers, Authorization: "" } });
    return await sendAnonymously(method, path, sent);
  };
  const JSON_TYPE = { "Content-Type": "application/json" };

  it.each<[string, Readonly<Record<string, string>>]>([
    ["of another site", { "Sec-Fetch-Site": "cross-site" }],
    ["of a neighbour", { "Sec-Fetch-Site": "same-site" }],
    ["of a neighbour whose origin is not told", { ...OWN_PAGE, "Sec-Fetch-Site": "same-site" }],
    ["of something unheard of", { "Sec-Fetch-Site": "any" }],
    ["of another origin", { Origin: "https://evil.example" }],
    ["of another port", { Origin: `${ORIGIN}:8080` }],
    ["of an origin that begins like this one", { Origin: `${ORIGIN}.evil.example` }],
    ["of an origin that ends like this one", { Origin: "https://evil-registry.test" }],
    ["of an origin with this one as its user", { Origin: "http://registry.test@evil.example" }],
    ["of no origin in particular", { Origin: "null" }],
    ["of another origin that says it is this one", { ...OWN_PAGE, Origin: "https://evil.example" }],
  ])("is refused to a page %s", async (_whose, headers) => {
    const response = await send({ ...JSON_TYPE, ...headers });
    expect(cookieOf(response)).toBeUndefined();
    await expectError(response, 403, "DENIED");
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ["the registry's own page", OWN_PAGE],
    ["it where no TLS is, and the browser says less", { ...JSON_TYPE, Origin: ORIGIN }],
    ["it behind a proxy that ends TLS", { ...OWN_PAGE, Origin: "https://registry.test" }],
    ["what is no browser, or an old one", JSON_TYPE],
    ["someone at the address bar", { ...JSON_TYPE, "Sec-Fetch-Site": "none" }],
    ["another way to write the type", { "Content-Type": "Application/JSON; charset=utf-8" }],
  ])("answers to %s", async (_whose, headers) => {
    expect((await send(headers)).ok).toBe(true);
  });

  it("is never opened to other origins, whichever may call the registry", async () => {
    for (const CORS_ORIGINS of ["*", "https://one.example"]) {
      const from = { Origin: "https://one.example" };
      const asked = {
        ...from,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type",
      };
      const preflight = await sendWith({ CORS_ORIGINS }, "OPTIONS", path, { headers: asked });
      const refused = await send({ ...JSON_TYPE, ...from }, { CORS_ORIGINS });
      for (const response of [preflight, refused]) {
        expect([...response.headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
      }
      expect([preflight.status, refused.status]).toEqual([405, 403]);
    }
  });
});

describe.each(BODIES.filter(([method]) => method === "POST"))("%s %s", (_method, path, body) => {
  // The types that a form has, which a browser sends to any origin without asking.
  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "",
  ])("takes no %j", async (type) => {
    const headers = { Cookie: `stowage_session=${session}`, "Content-Type": type };
    const response = await sendAnonymously("POST", path, { headers, body: body() ?? null });
    expect(cookieOf(response)).toBeUndefined();
    await expectError(response, 400, "REQUEST_INVALID");
  });
});
