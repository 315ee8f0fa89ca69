import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { setPassword } from "../../src/auth/accounts.ts";
import { configOf } from "../../src/config.ts";
import type { Context } from "../../src/context.ts";
import { image, OCI_MANIFEST, pushBlob, serialise } from "../support/images.ts";
import { addAccount, askToken, bearerOf, createToken, type Person, sendAs, setVisibility } from "../support/people.ts";
import { basicAuth, expectError, expectStatus, freshRepository, send, sendAnonymously } from "../support/registry.ts";

const API = "registry:api:*";
const name = () => `heir-${crypto.randomUUID().slice(0, 8)}`;

const addsAnAdmin = async (headers: { Authorization: string }) =>
  await sendAnonymously("POST", "/api/accounts", { headers, body: JSON.stringify({ name: name(), role: "admin" }) });

describe("a bearer token of an admin", () => {
  it.each<[string, (person: Person) => Promise<unknown>]>([
    ["is removed", async (person) => await expectStatus(await send("DELETE", `/api/accounts/${person.name}`), 204)],
    [
      "has another password",
      async (person) =>
        await expectStatus(await send("PUT", `/api/accounts/${person.name}/password`, { body: "{}" }), 200),
    ],
  ])("who %s makes no successor in the minutes that it lasts", async (_what, change) => {
    const admin = await addAccount({}, "admin");
    const stolen = await bearerOf(admin, API);
    await expectStatus(await addsAnAdmin(stolen), 201);
    await change(admin);
    await expectError(await addsAnAdmin(stolen), 403, "DENIED");
    const order = { name: name(), repositories: ["**"], actions: ["pull"], expires: "never" };
    const body = JSON.stringify(order);
    await expectError(await sendAnonymously("POST", "/api/tokens", { headers: stolen, body }), 403, "DENIED");
  });
});

describe("a member's own change of password", () => {
  it("does not undo what an admin has set between the check and the change", async () => {
    const person = await addAccount();
    const config = configOf(env);
    const actor = { name: `account:${person.name}`, credential: "password" };
    const context = { config, db: env.DB, now: Date.now } as unknown as Context;
    const credential = async () =>
      await env.DB.prepare("SELECT credential_id FROM accounts WHERE name = ?1")
        .bind(person.name)
        .first<string>("credential_id");
    const replaces = (await credential())!;
    await expectStatus(await send("PUT", `/api/accounts/${person.name}/password`, { body: "{}" }), 200);
    const change = setPassword(context, { name: person.name, password: "a password of the thief", replaces }, actor);
    await expect(change).rejects.toMatchObject({ code: "CONFLICT" });
    const thief = { headers: { Authorization: basicAuth(person.name, "a password of the thief") } };
    await expectError(await sendAnonymously("GET", "/v2/", thief), 401, "UNAUTHORIZED");
  });
});

it("a manifest's media type is that of its first push, be its tag immutable or not", async () => {
  const repository = freshRepository();
  const { mediaType, ...bare } = image(await pushBlob(repository, "{}")) as { mediaType: string };
  const bytes = serialise(bare);
  const put = async (person: Person | undefined, type: string) => {
    const sent = { body: bytes, headers: { "Content-Type": type } };
    const path = `/v2/${repository}/manifests/v1`;
    return person ? await sendAs(person, "PUT", path, sent) : await send("PUT", path, sent);
  };
  await expectStatus(await put(undefined, mediaType), 201);
  const pusher = await createToken(repository, ["push"]);
  await expectStatus(await put(pusher, "application/vnd.docker.distribution.manifest.v2+json"), 201);
  const response = await send("GET", `/v2/${repository}/manifests/v1`);
  expect(response.headers.get("Content-Type")).toBe(OCI_MANIFEST);
});

describe("private", () => {
  it.each([
    ["app", "**"],
    ["app", "*"],
    ["*", "**"],
    ["a*", "*p"],
  ])("%s is refused while %s keeps some of it public, and that is named", async (asked, open) => {
    const prefix = freshRepository();
    await setVisibility(`${prefix}/${open}`, "public");
    const body = JSON.stringify({ visibility: "private" });
    const response = await send("PATCH", `/api/repositories/${prefix}/${asked}`, { body });
    expect((await expectError(response, 409, "CONFLICT")).message).toContain(`the rule for ${prefix}/${open}`);
    await setVisibility(`${prefix}/${open}`, "private");
    await setVisibility(`${prefix}/${asked}`, "private");
  });
});

it("the deletion of a repository that does not exist changes nothing", async () => {
  const repository = freshRepository();
  await setVisibility(repository, "public");
  await expectError(await send("DELETE", `/api/repositories/${repository}`), 404, "NAME_UNKNOWN");
  expect((await askToken(undefined, `repository:${repository}:pull`)).token).toBeTypeOf("string");
  const rules = await (
    await send("GET", `/api/policy/rules?subject=anyone&repository=${repository}`)
  ).json<{ rules: object[] }>();
  expect(rules.rules).toMatchObject([{ repository }]);
});

it("an access token works while nothing can be written", async () => {
  const repository = freshRepository();
  const robot = await createToken(repository, ["pull"]);
  await env.DB.prepare(
    "CREATE TRIGGER no_writes BEFORE UPDATE ON access_tokens BEGIN SELECT RAISE(ABORT, 'read-only'); END",
  ).run();
  try {
    await expectStatus(await sendAs(robot, "GET", "/v2/"), 200);
  } finally {
    await env.DB.prepare("DROP TRIGGER no_writes").run();
  }
});

it.each(["/v2/", "/v2/a/tags/list", "/v2/_catalog", "/api/caller"])("no cache keeps what %s answers", async (path) => {
  for (const headers of [{}, { Authorization: basicAuth() }]) {
    const response = await sendAnonymously("GET", path, { headers });
    expect(response.headers.get("Cache-Control")).toMatch(/^(private, no-cache|no-store)$/);
  }
});
