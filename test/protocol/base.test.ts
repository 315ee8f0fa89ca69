import { expect, it } from "vitest";
import { pushImage } from "../support/images.ts";
import { setVisibility } from "../support/people.ts";
import {
  basicAuth,
  expectError,
  freshRepository,
  MALFORMED_BASIC,
  send,
  sendAnonymously,
  sendWith,
} from "../support/registry.ts";
import { bearer } from "../support/tokens.ts";

const CHALLENGE = 'Bearer realm="http://registry.test/token",service="stowage"';

it.each(["/v2/", "/v2"])("answers an account on %s", async (path) => {
  const response = await send("GET", path);
  expect([response.status, await response.text()]).toEqual([200, "{}"]);
  expect(response.headers.get("Content-Type")).toBe("application/json");
  expect(response.headers.get("Docker-Distribution-API-Version")).toBe("registry/2.0");
  expect((await send("HEAD", path)).status).toBe(200);
});

it("answers a token without any scope, as after docker login", async () => {
  expect((await sendAnonymously("GET", "/v2/", { headers: await bearer() })).status).toBe(200);
});

it.each([
  ["100MB", "90000000"],
  ["5GB", "4500000000"],
  ["unlimited", null],
])("states how large a chunk may be where the edge lets %s through", async (REQUEST_BODY_MAX, length) => {
  const ping = await sendWith({ REQUEST_BODY_MAX }, "GET", "/v2/");
  expect(ping.headers.get("OCI-Chunk-Max-Length")).toBe(length);
  const upload = await sendWith({ REQUEST_BODY_MAX }, "POST", `/v2/${freshRepository()}/blobs/uploads/`);
  expect([upload.status, upload.headers.get("OCI-Chunk-Max-Length")]).toEqual([202, length]);
});

it("challenges an anonymous caller by Bearer alone, with every parameter quoted", async () => {
  const response = await sendAnonymously("GET", "/v2/");
  expect(response.headers.get("WWW-Authenticate")).toBe(CHALLENGE);
  expect(response.headers.get("Docker-Distribution-API-Version")).toBe("registry/2.0");
  await expectError(response, 401, "UNAUTHORIZED");
});

it.each([
  ["an empty Basic pair", basicAuth("", "")],
  ["an unknown scheme", "Negotiate abc"],
  ["nothing", ""],
])("takes %s for no credentials", async (_name, Authorization) => {
  const response = await sendAnonymously("GET", "/v2/", { headers: { Authorization } });
  expect(response.headers.get("WWW-Authenticate")).toBe(CHALLENGE);
  await expectError(response, 401, "UNAUTHORIZED");
});

it.each([
  ["a wrong password", basicAuth("admin", "wrong")],
  ["a wrong username", basicAuth("root")],
  ["an empty password", basicAuth("admin", "")],
  ["an empty username", basicAuth("")],
  ["a longer password", basicAuth("admin", "correct horse battery staple ")],
])("refuses %s", async (_name, Authorization) => {
  const response = await sendAnonymously("GET", "/v2/", { headers: { Authorization } });
  expect(response.headers.get("WWW-Authenticate")).toBe(CHALLENGE);
  const { message } = await expectError(response, 401, "UNAUTHORIZED");
  expect(message).toBe("wrong username or password");
});

it.each(MALFORMED_BASIC)("refuses Basic that is %s, even where anyone may pull", async (_name, Authorization) => {
  const repository = freshRepository();
  await pushImage(repository, { tag: "v1" });
  await setVisibility(repository, "public");
  for (const path of ["/v2/", `/v2/${repository}/tags/list`]) {
    const response = await sendAnonymously("GET", path, { headers: { Authorization } });
    expect(response.headers.get("WWW-Authenticate")).toMatch(/^Bearer realm="http:\/\/registry\.test\/token"/);
    const { message } = await expectError(response, 401, "UNAUTHORIZED");
    expect(message).toBe("the Basic credentials are malformed");
  }
});

it("names the schemes without regard to case", async () => {
  const basic = basicAuth().replace("Basic", "bAsIc");
  expect((await sendAnonymously("GET", "/v2/", { headers: { Authorization: basic } })).status).toBe(200);
  const { Authorization } = await bearer();
  const headers = { Authorization: Authorization.replace("Bearer", "bearer") };
  expect((await sendAnonymously("GET", "/v2/", { headers })).status).toBe(200);
});

it("puts the token endpoint where the client found the registry", async () => {
  const response = await sendAnonymously("GET", "https://other.example:8443/v2/");
  expect(response.headers.get("WWW-Authenticate")).toContain('realm="https://other.example:8443/token"');
});
