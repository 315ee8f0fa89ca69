import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { pushBlob, pushImage } from "../support/images.ts";
import { addAccount, bearerOf, sendAs } from "../support/people.ts";
import { expectError, freshRepository, sendAnonymously } from "../support/registry.ts";
import { bearer, claimsOf, forge, unsigned } from "../support/tokens.ts";

const encode = (value: object) =>
  new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url", omitPadding: true });

/** The registry's own claims, whole: only the signature is wrong. */
async function ownClaims(): Promise<Record<string, unknown>> {
  return claimsOf((await forge()).Authorization.slice(7));
}

describe("a token whose claims are all as they should be", () => {
  it.each(["none", "None", "NONE", "nOnE"])("is refused with alg %s, with and without a signature", async (alg) => {
    const { Authorization } = await forge();
    const [header = "", claims = "", signature = ""] = Authorization.slice(7).split(".");
    const kid = (JSON.parse(atob(header)) as { kid: string }).kid;
    for (const end of ["", signature]) {
      const headers = { Authorization: `Bearer ${encode({ alg, typ: "JWT", kid })}.${claims}.${end}` };
      await expectError(await sendAnonymously("GET", "/v2/_catalog?n=1", { headers }), 401, "UNAUTHORIZED");
    }
    expect((await sendAnonymously("GET", "/v2/_catalog?n=1", { headers: { Authorization } })).status).toBe(200);
  });

  it("is refused without a signature", async () => {
    const headers = await unsigned(await ownClaims());
    await expectError(await sendAnonymously("GET", "/v2/_catalog?n=1", { headers }), 401, "UNAUTHORIZED");
  });

  it("is refused with a scope that was widened afterwards", async () => {
    const repository = freshRepository();
    const person = await addAccount({ [repository]: ["pull"] });
    const { Authorization } = await bearerOf(person, `repository:${repository}:pull`);
    const [header = "", claims = "", signature = ""] = Authorization.slice(7).split(".");
    const widened = {
      ...claimsOf(`${header}.${claims}`),
      access: [{ type: "repository", name: repository, actions: ["pull", "push"] }],
    };
    const headers = { Authorization: `Bearer ${header}.${encode(widened)}.${signature}` };
    await expectError(
      await sendAnonymously("POST", `/v2/${repository}/blobs/uploads/`, { headers }),
      401,
      "UNAUTHORIZED",
    );
  });
});

describe("header splitting", () => {
  const EVIL = "%0d%0aX-Evil:%201";
  it.each<[string, string]>([
    ["GET", `/v2/a${EVIL}/tags/list`],
    ["GET", `/v2/a/manifests/v1${EVIL}`],
    ["PUT", `/v2/a/manifests/v1${EVIL}`],
    ["PUT", `/v2/a/manifests/v1?tag=v2${EVIL}`],
    ["GET", `/v2/a/blobs/sha256:0${EVIL}`],
    ["GET", `/v2/a/blobs/uploads/x${EVIL}`],
    ["PATCH", `/v2/a/blobs/uploads/x${EVIL}`],
    ["POST", `/v2/a/blobs/uploads/?mount=sha256:0${EVIL}&from=b${EVIL}`],
    ["GET", `/v2/a/referrers/sha256:${"0".repeat(64)}?artifactType=x${EVIL}`],
    ["GET", `/v2/_catalog?n=1&last=${EVIL}`],
    ["GET", `/api/accounts?n=1&last=${EVIL}`],
    ["GET", `/token?scope=repository:a${EVIL}:pull`],
  ])("by %s %s comes to nothing", async (method, path) => {
    const admin = await bearer("repository:a:*", "registry:catalog:*", "registry:api:*");
    for (const headers of [{}, admin]) {
      const response = await sendAnonymously(method, path, { headers });
      expect(response.headers.get("X-Evil")).toBeNull();
      expect(response.status).toBeLessThan(500);
      for (const [, value] of response.headers) expect(value).not.toMatch(/[\r\n]/);
      await response.body?.cancel();
    }
  });
});

it.each(["/token", "/token?scope=repository:a:pull"])("a megabyte of Authorization is refused by %s", async (path) => {
  const headers = { Authorization: `Basic ${"YWRtaW46".repeat(131_072)}` };
  await expectError(await sendAnonymously("GET", path, { headers }), 401, "UNAUTHORIZED");
});

it("a blob of another repository is not there under one's own name, by any method and scheme", async () => {
  const [closed, own] = [freshRepository(), freshRepository()];
  const { digest } = await pushBlob(closed, crypto.randomUUID());
  await pushImage(own);
  const person = await addAccount({ [own]: ["pull", "push", "delete"] });
  for (const headers of [person.basic, await bearerOf(person, `repository:${own}:*`)]) {
    await expectError(await sendAnonymously("GET", `/v2/${own}/blobs/${digest}`, { headers }), 404, "BLOB_UNKNOWN");
    await expectError(await sendAnonymously("DELETE", `/v2/${own}/blobs/${digest}`, { headers }), 404, "BLOB_UNKNOWN");
    expect((await sendAnonymously("HEAD", `/v2/${own}/blobs/${digest}`, { headers })).status).toBe(404);
  }
  await expectError(await sendAs(person, "GET", `/v2/${closed}/blobs/${digest}`), 403, "DENIED");
});

it("the token endpoint counts failures of its form as those of its header", async () => {
  const person = await addAccount();
  const form = async (password: string) =>
    await sendAnonymously("POST", "/token", {
      headers: { "CF-Connecting-IP": "198.51.100.250", "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ grant_type: "password", username: person.name, password }).toString(),
    });
  for (let time = 0; time < 10; time += 1) await expectError(await form("wrong"), 401, "UNAUTHORIZED");
  await expectError(await form(person.password), 429, "TOOMANYREQUESTS");
  expect(env.ADMIN_PASSWORD).toBeDefined();
});
