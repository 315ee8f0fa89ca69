import { describe, expect, it } from "vitest";
import { pushBlob, pushImage } from "../support/images.ts";
import { basicAuth, expectError, freshRepository, sendAnonymously } from "../support/registry.ts";
import { bearer, forge, unsigned } from "../support/tokens.ts";

const REALM = 'realm="http://registry.test/token",service="stowage"';
const NO_DIGEST = `sha256:${"0".repeat(64)}`;

/** Every route of a repository with the scope that its challenge asks for. */
const ROUTES: [method: string, path: string, actions: string][] = [
  ["GET", "tags/list", "pull"],
  ["GET", `referrers/${NO_DIGEST}`, "pull"],
  ["GET", "manifests/latest", "pull"],
  ["HEAD", "manifests/latest", "pull"],
  ["PUT", "manifests/latest", "pull,push"],
  ["DELETE", "manifests/latest", "delete"],
  ["GET", `blobs/${NO_DIGEST}`, "pull"],
  ["HEAD", `blobs/${NO_DIGEST}`, "pull"],
  ["DELETE", `blobs/${NO_DIGEST}`, "delete"],
  ["POST", "blobs/uploads/", "pull,push"],
  ["GET", "blobs/uploads/x", "pull,push"],
  ["PATCH", "blobs/uploads/x", "pull,push"],
  ["PUT", "blobs/uploads/x", "pull,push"],
  ["DELETE", "blobs/uploads/x", "pull,push"],
];

it.each(ROUTES)("challenges an anonymous %s %s for its scope", async (method, path, actions) => {
  const response = await sendAnonymously(method, `/v2/a/b/${path}`);
  expect(response.status).toBe(401);
  expect(response.headers.get("WWW-Authenticate")).toBe(`Bearer ${REALM},scope="repository:a/b:${actions}"`);
});

it.each(ROUTES)("refuses %s %s to a token of another repository", async (method, path, actions) => {
  const response = await sendAnonymously(method, `/v2/a/b/${path}`, { headers: await bearer("repository:a:*") });
  expect(response.status).toBe(401);
  expect(response.headers.get("WWW-Authenticate")).toBe(
    `Bearer ${REALM},scope="repository:a/b:${actions}",error="insufficient_scope"`,
  );
});

it("challenges the catalog for the registry's scope", async () => {
  const response = await sendAnonymously("GET", "/v2/_catalog");
  expect(response.headers.get("WWW-Authenticate")).toBe(`Bearer ${REALM},scope="registry:catalog:*"`);
  await expectError(response, 401, "UNAUTHORIZED");
  const headers = await bearer("registry:catalog:*");
  expect((await sendAnonymously("GET", "/v2/_catalog", { headers })).status).toBe(200);
});

describe("a token", () => {
  it.each(ROUTES.filter(([, , actions]) => actions !== "pull"))("to pull cannot %s %s", async (method, path) => {
    const headers = await bearer("repository:a/b:pull");
    expect((await sendAnonymously(method, `/v2/a/b/${path}`, { headers })).status).toBe(401);
  });

  it("to push cannot delete, and to delete cannot push", async () => {
    const repository = freshRepository();
    const { digest } = await pushImage(repository);
    const path = `/v2/${repository}/manifests/${digest}`;
    const push = await bearer(`repository:${repository}:pull,push`);
    const remove = await bearer(`repository:${repository}:delete`);
    await expectError(await sendAnonymously("DELETE", path, { headers: push }), 401, "UNAUTHORIZED");
    const upload = `/v2/${repository}/blobs/uploads/`;
    await expectError(await sendAnonymously("POST", upload, { headers: remove }), 401, "UNAUTHORIZED");
    expect((await sendAnonymously("POST", upload, { headers: push })).status).toBe(202);
    expect((await sendAnonymously("DELETE", path, { headers: remove })).status).toBe(202);
  });

  it("given to nobody opens nothing", async () => {
    const scope = "repository:a:pull";
    const answer = await sendAnonymously("GET", `/token?scope=${scope}`);
    const { token } = await answer.json<{ token: string }>();
    const response = await sendAnonymously("GET", "/v2/a/tags/list", { headers: { Authorization: `Bearer ${token}` } });
    expect(response.headers.get("WWW-Authenticate")).toBe(
      `Bearer ${REALM},scope="${scope}",error="insufficient_scope"`,
    );
    expect(await expectError(response, 401, "UNAUTHORIZED")).toMatchObject({ message: "authentication required" });
  });

  it("like the registry's own is accepted", async () => {
    expect((await sendAnonymously("GET", "/v2/_catalog", { headers: await forge() })).status).toBe(200);
  });

  const past = Math.floor(Date.now() / 1000) - 3_600;
  const access = [{ type: "registry", name: "catalog", actions: ["*"] }];
  const OWN = { ...{ iss: "stowage", aud: "stowage", sub: "account:admin", credential: "password" }, access };
  it.each<[string, () => Promise<{ Authorization: string }> | { Authorization: string }]>([
    ["without a signature", async () => await unsigned({ ...OWN, exp: 9e9, nbf: 0 })],
    ["of another key", async () => await forge({ secret: "another secret that is as long as the one that signs" })],
    ["of another algorithm", async () => await forge({ algorithm: "HS512" })],
    ["that has expired", async () => await forge({ claims: { exp: past } })],
    ["that is not valid yet", async () => await forge({ claims: { nbf: past + 7_200 } })],
    ["that never expires", async () => await forge({ claims: { exp: undefined } })],
    ["for another audience", async () => await forge({ claims: { aud: "elsewhere" } })],
    ["of another issuer", async () => await forge({ claims: { iss: "elsewhere" } })],
    ["without an account", async () => await forge({ claims: { sub: undefined } })],
    ["without access", async () => await forge({ claims: { access: undefined } })],
    ["that is garbage", () => ({ Authorization: "Bearer garbage" })],
    ["changed afterwards", async () => ({ Authorization: (await forge()).Authorization.replace(/\.(.)/, ".A$1") })],
  ])("%s is refused", async (_name, make) => {
    const response = await sendAnonymously("GET", "/v2/_catalog", { headers: await make() });
    expect(response.headers.get("WWW-Authenticate")).toBe(
      `Bearer ${REALM},scope="registry:catalog:*",error="invalid_token"`,
    );
    await expectError(response, 401, "UNAUTHORIZED");
  });
});

it("lets Basic in on every endpoint", async () => {
  const repository = freshRepository();
  const { digest } = await pushBlob(repository, "basic");
  const headers = { Authorization: basicAuth() };
  expect((await sendAnonymously("GET", `/v2/${repository}/blobs/${digest}`, { headers })).status).toBe(200);
  const wrong = { Authorization: basicAuth("admin", "wrong") };
  const refused = await sendAnonymously("GET", `/v2/${repository}/blobs/${digest}`, { headers: wrong });
  await expectError(refused, 401, "UNAUTHORIZED");
});
