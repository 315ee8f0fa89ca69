import { beforeAll, describe, expect, it } from "vitest";
import {
  answerOf,
  type AuditEvent,
  callApi,
  eventsAbout,
  expectInvalid,
  expectRefusal,
  freshName,
  readPages,
} from "../support/api.ts";
import { absent, image, pushBlob, pushImage, putManifest } from "../support/images.ts";
import { addAccount, bearerOf, createToken, type Person, sendAs } from "../support/people.ts";
import { expectError, expectStatus, freshRepository, send } from "../support/registry.ts";
import { emptyStorage } from "../support/empty-storage.ts";

// Events of files whose clock is set forward would lie in the future, and those after them too.
beforeAll(emptyStorage);

const DIGEST = `sha256:${"0".repeat(64)}`;

/** The parts of an event that an operation decides. */
const essence = ({ actor, credential, action, repository, tag, digest }: AuditEvent) => ({
  ...{ actor, credential, action, repository, tag, digest },
});

async function eventsOf(query: string): Promise<AuditEvent[]> {
  return (await answerOf<{ events: AuditEvent[] }>(await callApi("GET", `audit?${query}`))).events;
}

const NOTHING = { repository: null, tag: null, digest: null };

describe("an event is recorded once", () => {
  let admin: Person;
  let robot: Person;
  const repository = freshRepository();
  beforeAll(async () => {
    admin = await addAccount({}, "admin");
    robot = await createToken(`${repository}/**`, ["pull", "push", "delete"]);
  });

  const byAdmin = () => ({ actor: `account:${admin.name}`, credential: "password" });
  const byRobot = () => ({ actor: `token:${robot.name}`, credential: `token ${robot.password.split("_")[1]!}` });

  it("for what is done with an account", async () => {
    const name = freshName();
    const administer = async (method: string, path: string, body?: object) =>
      await callApi(method, path, body, await bearerOf(admin, "registry:api:*"));
    await expectStatus(await administer("POST", "accounts", { name, role: "member" }), 201);
    await expectStatus(await administer("PUT", `accounts/${name}/password`, {}), 200);
    await expectStatus(await administer("DELETE", `accounts/${name}`), 204);
    const events = await eventsAbout(name);
    expect(events.map(essence)).toEqual(
      ["account.add", "account.password", "account.remove"].map((action) => ({ action, ...NOTHING, ...byAdmin() })),
    );
    expect(events.map(({ detail }) => detail)).toEqual([{ name, role: "member" }, { name }, { name }]);
    expect(events.every(({ occurredAt }) => Math.abs(Date.parse(occurredAt) - Date.now()) < 60_000)).toBe(true);
  });

  it("for what is done with an access token", async () => {
    const name = freshName();
    const order = { name, repositories: ["a/*", "b"], actions: ["pull"], expires: "never" };
    const { id } = await answerOf<{ id: string }>(await callApi("POST", "tokens", order, admin.basic), 201);
    await expectStatus(await callApi("DELETE", `tokens/${name}`, undefined, admin.basic), 204);
    const events = await eventsAbout(name);
    expect(events.map(essence)).toEqual(
      ["token.create", "token.revoke"].map((action) => ({ action, ...NOTHING, ...byAdmin() })),
    );
    const created = { name, id, repositories: ["a/*", "b"], actions: ["pull"], expiresAt: null };
    expect(events.map(({ detail }) => detail)).toEqual([created, { name }]);
  });

  it("for what is done with rules", async () => {
    const subject = `account:${admin.name}`;
    const pattern = `${freshRepository()}/*`;
    const rule = { subject, repository: pattern, actions: ["pull", "push"] };
    await answerOf(await callApi("POST", "policy/rules", rule, admin.basic));
    const query = new URLSearchParams({ subject, repository: pattern }).toString();
    await answerOf(await callApi("DELETE", `policy/rules?${query}&actions=push`, undefined, admin.basic));
    await expectStatus(await callApi("DELETE", `policy/rules?${query}`, undefined, admin.basic), 204);
    const events = await eventsAbout(pattern);
    expect(events.map(essence)).toEqual(
      ["policy.grant", "policy.revoke", "policy.revoke"].map((action) => ({
        ...{ action, ...NOTHING, ...byAdmin() },
        repository: pattern,
      })),
    );
    expect(events.map(({ detail }) => detail)).toEqual(
      [["pull", "push"], ["push"], ["pull", "push", "delete"]].map((actions) => ({ subject, actions })),
    );
  });

  it("for what is done with trust rules", async () => {
    const name = freshName();
    const { keys, ...rule } = {
      ...{ name, issuer: `https://${name}.example`, audience: "stowage", claims: { sub: "a*" } },
      ...{ repositories: ["${repository}"], actions: ["pull"] },
      keys: { keys: [{ kty: "OKP", crv: "Ed25519", x: "a-public-key" }] },
    };
    await expectStatus(await callApi("POST", "trust", { ...rule, keys }, admin.basic), 201);
    await expectStatus(await callApi("DELETE", `trust/${name}`, undefined, admin.basic), 204);
    const events = await eventsAbout(name);
    expect(events.map(essence)).toEqual(
      ["trust.add", "trust.remove"].map((action) => ({ action, ...NOTHING, ...byAdmin() })),
    );
    expect(events.map(({ detail }) => detail)).toEqual([rule, { name }]);
  });

  it("for what is done with a repository", async () => {
    const name = freshRepository();
    await pushBlob(name, "x");
    const settings = { visibility: "public", immutableTags: true, exceptTags: ["dev"], expiringTags: true };
    const others = { immutableTags: false, expiringTags: false };
    await answerOf(await callApi("PATCH", `repositories/${name}`, settings, admin.basic));
    await answerOf(await callApi("PATCH", `repositories/${name}`, others, admin.basic));
    await expectStatus(await callApi("DELETE", `repositories/${name}`, undefined, admin.basic), 204);
    const events = await eventsAbout(name);
    expect(events.map(essence)).toEqual(
      ["repository.set", "repository.set", "repository.delete"].map((action) => ({
        ...{ action, ...NOTHING, ...byAdmin() },
        repository: name,
      })),
    );
    expect(events.map(({ detail }) => detail)).toEqual([settings, others, null]);
  });

  it("for what is done with its content, by Basic and by token", async () => {
    const name = `${repository}/content`;
    const headers = await bearerOf(robot, `repository:${name}:pull,push,delete`);
    const blob = await pushBlob(name, "{}");
    const spare = await pushBlob(name, "spare");
    const body = JSON.stringify(image(blob));
    const type = { "Content-Type": "application/vnd.oci.image.manifest.v1+json" };
    const put = async (reference: string) =>
      await send("PUT", `/v2/${name}/manifests/${reference}`, { body, headers: { ...type, ...headers } });
    const pushed = await expectStatus(await put("v1"), 201);
    const digest = pushed.headers.get("Docker-Content-Digest")!;
    await expectStatus(await put(`${digest}?tag=v2&tag=v3`), 201);
    await expectStatus(await put(digest), 201);
    for (const path of ["manifests/v1", `manifests/${digest}`, `blobs/${spare.digest}`]) {
      await expectStatus(await sendAs(robot, "DELETE", `/v2/${name}/${path}`), 202);
    }
    const events = await eventsAbout(name);
    expect(events.map(essence)).toEqual(
      [
        { action: "manifest.push", tag: "v1", digest },
        { action: "manifest.push", tag: "v2", digest },
        { action: "manifest.push", tag: null, digest },
        { action: "tag.delete", tag: "v1", digest: null },
        { action: "manifest.delete", tag: null, digest },
        { action: "blob.delete", tag: null, digest: spare.digest },
      ].map((event) => ({ ...event, repository: name, ...byRobot() })),
    );
    expect(events.map(({ detail }) => detail)).toEqual([null, { tags: ["v2", "v3"] }, null, null, null, null]);
  });
});

describe("nothing is recorded", () => {
  let admin: Person;
  let member: Person;
  beforeAll(async () => {
    admin = await addAccount({}, "admin");
    member = await addAccount();
  });

  it("of what failed or was refused", async () => {
    const repository = freshRepository();
    const { digest } = await pushImage(repository, { tag: "v1" });
    const config = await pushBlob(repository, "{}");
    const holder = { ...image(config) };
    await expectStatus(await putManifest(repository, "held", holder), 201);
    const nowhere = freshRepository();
    const nobody = freshName();
    const rule = { subject: `account:${nobody}`, repository, actions: ["pull"] };
    const refused: [number, () => Promise<Response>][] = [
      [404, async () => await sendAs(admin, "DELETE", `/v2/${repository}/manifests/v9`)],
      [404, async () => await sendAs(admin, "DELETE", `/v2/${repository}/manifests/${DIGEST}`)],
      [404, async () => await sendAs(admin, "DELETE", `/v2/${nowhere}/manifests/v1`)],
      [404, async () => await sendAs(admin, "DELETE", `/v2/${repository}/blobs/${DIGEST}`)],
      [405, async () => await sendAs(admin, "DELETE", `/v2/${repository}/blobs/${config.digest}`)],
      [404, async () => await callApi("DELETE", `repositories/${nowhere}`, undefined, admin.basic)],
      [409, async () => await callApi("POST", "accounts", { name: member.name }, admin.basic)],
      [400, async () => await callApi("POST", "accounts", { name: nobody, password: "short" }, admin.basic)],
      [404, async () => await callApi("DELETE", `accounts/${nobody}`, undefined, admin.basic)],
      [404, async () => await callApi("DELETE", `tokens/${nobody}`, undefined, admin.basic)],
      [404, async () => await callApi("DELETE", `trust/${nobody}`, undefined, admin.basic)],
      [404, async () => await callApi("POST", "policy/rules", rule, admin.basic)],
      [403, async () => await callApi("POST", "accounts", { name: nobody }, member.basic)],
      [403, async () => await sendAs(member, "DELETE", `/v2/${repository}/manifests/${digest}`)],
    ];
    for (const [index, [status, act]] of refused.entries())
      expect([index, (await act()).status]).toEqual([index, status]);
    const manifest = JSON.stringify(image(await absent()));
    const sent = { body: manifest, headers: { "Content-Type": "application/vnd.oci.image.manifest.v1+json" } };
    await expectError(await sendAs(admin, "PUT", `/v2/${repository}/manifests/v2`, sent), 404, "MANIFEST_BLOB_UNKNOWN");
    for (const person of [admin, member]) {
      expect(await eventsOf(`actor=account:${person.name}`)).toEqual([]);
    }
    expect(await eventsAbout(nobody)).toEqual([]);
  });

  it("of what only looks", async () => {
    const repository = freshRepository();
    await pushImage(repository, { tag: "v1" });
    const paths = [`/v2/${repository}/tags/list`, `/v2/${repository}/manifests/v1`, "/api/accounts", "/api/audit"];
    for (const path of paths) await expectStatus(await sendAs(admin, "GET", path), 200);
    expect(await eventsOf(`actor=account:${admin.name}`)).toEqual([]);
  });

  it("of a push that moves an immutable tag, or a deletion of one", async () => {
    const repository = freshRepository();
    const { digest } = await pushImage(repository, { tag: "v1" });
    await answerOf(await callApi("PATCH", `repositories/${repository}`, { immutableTags: true }));
    const count = (await eventsAbout(repository)).length;
    await expectRefusal(await putManifest(repository, "v1", image(await pushBlob(repository, "{}"))), 403, "DENIED");
    for (const reference of ["v1", digest]) {
      await expectError(await send("DELETE", `/v2/${repository}/manifests/${reference}`), 403, "DENIED");
    }
    expect(await eventsAbout(repository)).toHaveLength(count);
  });
});

describe("the list of events", () => {
  const repository = freshRepository();
  let one: Person;
  let other: Person;
  beforeAll(async () => {
    [one, other] = [await addAccount({}, "admin"), await addAccount({}, "admin")];
    for (const [person, settings] of [
      [one, { visibility: "public" }],
      [other, { visibility: "private" }],
      [one, { immutableTags: true }],
      [other, { immutableTags: false }],
      [one, { visibility: "public" }],
    ] as const) {
      await answerOf(await callApi("PATCH", `repositories/${repository}`, settings, person.basic));
    }
    const rule = { subject: `account:${one.name}`, repository, actions: ["pull"] };
    await answerOf(await callApi("POST", "policy/rules", rule, one.basic));
  });

  const encoded = encodeURIComponent(repository);

  it("is newest first, and shorter by filters, alone and together", async () => {
    const all = await eventsOf(`repository=${encoded}`);
    expect(all.map(({ action }) => action)).toEqual(["policy.grant", ...Array<string>(5).fill("repository.set")]);
    expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).toSorted((a, b) => b - a));
    const mine = `actor=account:${one.name}`;
    expect(await eventsOf(mine)).toEqual(all.filter(({ actor }) => actor === `account:${one.name}`));
    expect(await eventsOf(`${mine}&action=repository.set`)).toHaveLength(3);
    expect(await eventsOf(`${mine}&action=policy.grant&repository=${encoded}`)).toEqual([all[0]]);
    expect(await eventsOf(`repository=${encoded}&action=account.add`)).toEqual([]);
    expect(await eventsOf(`actor=account:${freshName()}`)).toEqual([]);
    expect((await eventsOf("action=account.add")).every(({ action }) => action === "account.add")).toBe(true);
  });

  it.each([1, 2, 4])("comes in pages of %i, each event once", async (n) => {
    const all = await eventsOf(`repository=${encoded}`);
    const pages = await readPages<AuditEvent>(`audit?n=${n}&repository=${encoded}`, "events");
    expect(pages.flat()).toEqual(all);
    expect(pages[0]).toHaveLength(n);
    const unfiltered = await readPages<AuditEvent>(`audit?n=${n}`, "events", 3);
    const ids = unfiltered.flat().map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => b - a));
  });

  it("begins at a time, whichever way that is written", async () => {
    const all = await eventsOf(`repository=${encoded}`);
    const since = all[2]!.occurredAt;
    const expected = all.filter(({ occurredAt }) => Date.parse(occurredAt) >= Date.parse(since));
    const at = Date.parse(since);
    const inParis = new Date(at + 2 * 3_600_000).toISOString().replace("Z", "+02:00");
    const inNewYork = new Date(at - 5 * 3_600_000).toISOString().replace("Z", "-05:00");
    for (const time of [since, inParis, inNewYork, since.replace("Z", "000Z")]) {
      expect(await eventsOf(`repository=${encoded}&since=${encodeURIComponent(time)}`)).toEqual(expected);
    }
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    expect(await eventsOf(`repository=${encoded}&since=${soon}`)).toEqual([]);
    expect(await eventsOf(`repository=${encoded}&since=9999-12-31T23:59:59Z`)).toEqual([]);
    expect(await eventsOf(`repository=${encoded}&since=0001-01-01T00:00:00Z`)).toEqual(all);
    expect(await eventsOf(`repository=${encoded}&since=2024-02-29T12:00:00Z`)).toEqual(all);
  });

  it.each([
    ...["", "yesterday", "1h", "2026-01-01", "2026-01-01T00:00", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00"],
    ...["2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "1767225600"],
    ...[
      "2026-01-01T00:00:00%2B02",
      "2026-01-01T00:00:00%2B0200",
      "2026-01-01T00:00:00+02:00",
      "2026-01-01T00:00:00%2B25:00",
    ],
    ...["%EF%BC%92026-01-01T00:00:00Z", "2026-01-01T00:00:00Z,"],
  ])("does not begin at %j", async (since) => {
    await expectInvalid(await callApi("GET", `audit?since=${since}`), "since");
  });

  it.each(["x", "-1", "1.5", "1e3", "12345678901234567"])("does not go on after %s", async (last) => {
    const response = await callApi("GET", `audit?last=${last}`);
    await expectRefusal(response, 400, "PAGINATION_NUMBER_INVALID", "Link");
  });

  it.each([
    ["untill=x", "untill"],
    ["actor=a&actor=b", "actor"],
    ["subject=account:a", "subject"],
  ])("has no parameters like %s", async (query, path) => {
    await expectInvalid(await callApi("GET", `audit?${query}`), path);
  });

  it("keeps the order of what happens at the same time", async () => {
    const name = freshRepository();
    const tags = Array.from({ length: 8 }, (_, number) => `t${number}`);
    const config = await pushBlob(name, "{}");
    await Promise.all(tags.map(async (tag) => await expectStatus(await putManifest(name, tag, image(config)), 201)));
    const events = await eventsOf(`repository=${encodeURIComponent(name)}`);
    expect(events.map(({ tag }) => tag).toSorted()).toEqual(tags);
    expect(new Set(events.map(({ id }) => id)).size).toBe(tags.length);
  });
});
