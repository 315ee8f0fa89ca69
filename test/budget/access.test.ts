import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { makeBytes, toBytes } from "../support/content.ts";
import { CountedRegistry, type Measured } from "../support/counted-registry.ts";
import { addAccount, createToken, type Person, setVisibility } from "../support/people.ts";
import { makeImage, type ManifestContent } from "../support/manifest-content.ts";
import * as push from "../support/pushes.ts";
import { basicAuth, freshRepository } from "../support/registry.ts";
import { ADMIN } from "../support/sessions.ts";

const registry = new CountedRegistry();
const open = freshRepository();
const closed = freshRepository();
let image: ManifestContent;
let blob: { readonly digest: string };
let member: Person;
let robot: Person;

beforeAll(async () => {
  for (const repository of [open, closed]) {
    blob = await push.storeBlob(registry, repository, makeBytes(1_000));
    image = await makeImage([blob as Awaited<ReturnType<typeof push.storeBlob>>]);
    expect((await push.pushManifest(registry, repository, "v1", image)).status).toBe(201);
  }
  await setVisibility(open, "public");
  member = await addAccount({ [closed]: ["pull", "push"] });
  robot = await createToken(closed, ["pull", "push"]);
});

const NO_CREDENTIALS = basicAuth("", "");

async function send(authorization: string, path: string): Promise<Measured> {
  return await registry.send("GET", path, { headers: { Authorization: authorization } });
}

async function tokenFor(authorization: string, scope: string): Promise<Measured & { bearer: string }> {
  const measured = await send(authorization, `/token?service=stowage&scope=${scope}`);
  const { token } = JSON.parse(new TextDecoder().decode(measured.bytes)) as { token: string };
  return { ...measured, bearer: `Bearer ${token}` };
}

/** A request of the page. */
async function post(path: string, body: object, cookie = ""): Promise<Measured> {
  const headers = { "Content-Type": "application/json", Cookie: cookie };
  return await registry.send("POST", path, { headers, body: { bytes: toBytes(JSON.stringify(body)) } });
}

const manifest = (repository: string) => `/v2/${repository}/manifests/v1`;

describe("what it costs to be authorised, beside what is asked for", () => {
  it.each<[string, () => string, string, number]>([
    ["the bootstrap account", () => basicAuth(), closed, 0],
    ["an account", () => member.basic.Authorization, closed, 1],
    ["an access token", () => robot.basic.Authorization, closed, 1],
    ["nobody, from a public repository", () => NO_CREDENTIALS, open, 1],
  ])(
    "for %s: D1 round trips by Basic, one for a token, none with it",
    async (_who, authorization, repository, basic) => {
      // The first use of an access token in an hour is noted.
      await send(authorization(), manifest(repository));
      const direct = await send(authorization(), manifest(repository));
      expect([direct.status, direct.usage.roundTrips]).toEqual([200, basic + 1]);
      const token = await tokenFor(authorization(), `repository:${repository}:pull`);
      expect([token.status, token.usage.roundTrips]).toEqual([200, basic]);
      for (const path of [
        manifest(repository),
        `/v2/${repository}/blobs/${blob.digest}`,
        `/v2/${repository}/tags/list`,
      ]) {
        const pulled = await send(token.bearer, path);
        expect([path, pulled.status, pulled.usage.roundTrips]).toEqual([path, 200, 1]);
      }
      const catalog = await tokenFor(authorization(), "registry:catalog:*");
      expect((await send(catalog.bearer, "/v2/_catalog?n=1")).usage.roundTrips).toBe(1);
    },
  );

  it.each<[string, () => Person | undefined, number]>([
    ["the bootstrap account", () => undefined, 0],
    ["an account", () => member, 1],
    ["an access token", () => robot, 1],
  ])("for a session of %s: D1 round trips to open it, and for each of its tokens", async (_who, person, each) => {
    const { username, password } = person() ?? ADMIN;
    const opened = await post("/api/session", { username, password });
    const [cookie = ""] = (opened.headers.get("Set-Cookie") ?? "").split(";");
    const body = { scopes: [`repository:${closed}:pull`, `repository:${open}:pull`, "registry:api:*"] };
    const token = await post("/api/session/token", body, cookie);
    const all = [opened, token];
    expect(all.map(({ status, usage }) => [status, usage.roundTrips])).toEqual([
      [200, each],
      [200, each],
    ]);
  });

  it("a token for nobody asks for the rules of repositories, where it is for any", async () => {
    const cost = async (...scopes: string[]) => (await post("/api/session/token", { scopes })).usage.roundTrips;
    expect([await cost(), await cost("registry:api:*"), await cost(`repository:${open}:pull`)]).toEqual([0, 0, 1]);
  });

  it("a refusal to a token asks no database", async () => {
    const token = await tokenFor(member.basic.Authorization, `repository:${closed}:pull`);
    const refused = await send(token.bearer, manifest(open));
    expect([refused.status, refused.usage.roundTrips]).toEqual([401, 0]);
  });

  it("a token for 32 repositories costs no more round trips than for one", async () => {
    const scopes = Array.from({ length: 32 }, (_, number) => `repository:${closed}-${number}:pull`).join("%20");
    expect((await tokenFor(member.basic.Authorization, scopes)).usage.roundTrips).toBe(1);
  });
});

it("rules of others, and rules for other repositories, are not read", async () => {
  const scope = `repository:${closed}:pull`;
  const { usage: before } = await tokenFor(member.basic.Authorization, scope);
  await env.DB.batch(
    [`account:${member.name}`, "anyone", "account:somebody-else"].map((subject) =>
      env.DB.prepare(
        `WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 1000)
         INSERT INTO policy_rules (subject, repository, actions, created_at, created_by)
         SELECT ?1, 'many/r' || value, '["pull"]', 0, 'test' FROM n`,
      ).bind(subject),
    ),
  );
  const { usage: after } = await tokenFor(member.basic.Authorization, scope);
  expect(after.rowsRead).toBeLessThanOrEqual(before.rowsRead + 2);
});
