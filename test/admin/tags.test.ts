import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { collectAll, tick } from "../support/aging.ts";
import { type Descriptor, image, index, pushBlob, pushImage, pushManifest } from "../support/images.ts";
import { expectError, expectStatus, freshRepository, nextLink, send } from "../support/registry.ts";

async function call(method: string, path: string, body?: object): Promise<Response> {
  return await send(method, `/api/tags${path}`, body ? { body: JSON.stringify(body) } : {});
}

async function answer<T>(response: Response): Promise<T> {
  return await (await expectStatus(response, 200)).json<T>();
}

const target = async (repository: string, reference: string) =>
  (await send("HEAD", `/v2/${repository}/manifests/${reference}`)).headers.get("Docker-Content-Digest");
const remove = async (repository: string, reference: string) =>
  await expectStatus(await send("DELETE", `/v2/${repository}/manifests/${reference}`), 202);

interface Event {
  readonly digest: string | null;
  readonly previousDigest: string | null;
  readonly actor: string;
  readonly occurredAt: string;
  readonly isAvailable: boolean;
}

const history = async (repository: string, tag: string) =>
  (await answer<{ events: Event[] }>(await call("GET", `/history?repository=${repository}&tag=${tag}`))).events;

/** A repository whose tag v1 has named two images, one after the other. */
async function makeHistory(): Promise<{ repository: string; old: Descriptor; now: Descriptor }> {
  const repository = freshRepository();
  const old = await pushImage(repository, { tag: "v1" });
  const now = await pushImage(repository, { tag: "v1" });
  return { repository, old, now };
}

describe("the history of a tag", () => {
  it("tells each move, newest first, who made it, and what can be restored", async () => {
    const { repository, old, now } = await makeHistory();
    await remove(repository, "v1");
    const actor = "account:admin";
    expect(await history(repository, "v1")).toMatchObject([
      { digest: null, previousDigest: now.digest, actor, isAvailable: false },
      { digest: now.digest, previousDigest: old.digest, actor, isAvailable: true },
      { digest: old.digest, previousDigest: null, actor, isAvailable: true },
    ]);
    await collectAll(repository);
    expect((await history(repository, "v1")).map(({ isAvailable }) => isAvailable)).toEqual([false, false, false]);
  });

  it("comes in pages", async () => {
    const { repository } = await makeHistory();
    const first = await expectStatus(await call("GET", `/history?repository=${repository}&tag=v1&n=1`), 200);
    const second = await answer<{ events: Event[] }>(await send("GET", nextLink(first)!));
    expect(second.events).toHaveLength(1);
    expect(second.events[0]!.previousDigest).toBeNull();
  });

  it("tells what a tag named at a time", async () => {
    const { repository, old, now } = await makeHistory();
    await env.DB.prepare(
      `UPDATE tag_events SET occurred_at = CASE digest WHEN ?2 THEN 1000000 ELSE 2000000 END
       WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1)`,
    )
      .bind(repository, old.digest)
      .run();
    const at = async (ms: number) =>
      await call("GET", `/at?repository=${repository}&tag=v1&time=${new Date(ms).toISOString()}`);
    expect(await answer(await at(1_500_000))).toMatchObject({ digest: old.digest });
    expect(await answer(await at(2_000_000))).toMatchObject({ digest: now.digest });
    await expectError(await at(999_999), 404, "MANIFEST_UNKNOWN");
    await remove(repository, "v1");
    expect(await answer(await at(Date.now() + 1_000))).toMatchObject({ digest: null });
  });
});

describe("a tag that is restored", () => {
  const restore = async (repository: string, digest?: string) =>
    await call("POST", "/restore", { repository, tag: "v1", ...(digest !== undefined && { digest }) });

  it("names again what it named before its last move, and back", async () => {
    const { repository, old, now } = await makeHistory();
    expect(await answer(await restore(repository))).toEqual({ repository, tag: "v1", digest: old.digest });
    expect(await target(repository, "v1")).toBe(old.digest);
    await expectStatus(await restore(repository), 200);
    expect(await target(repository, "v1")).toBe(now.digest);
  });

  it("comes back after its deletion, and after that of its manifest with all that it lists", async () => {
    const repository = freshRepository();
    const child = await pushImage(repository);
    const { digest } = await pushManifest(repository, index([child]), { tag: "v1" });
    await remove(repository, "v1");
    await expectStatus(await restore(repository), 200);
    await remove(repository, digest);
    await remove(repository, child.digest);
    expect(await target(repository, "v1")).toBeNull();
    await expectStatus(await restore(repository), 200);
    for (const reference of ["v1", child.digest]) expect(await target(repository, reference)).not.toBeNull();
    await collectAll(repository);
    expect(await target(repository, "v1")).toBe(digest);
    const { events } = await (
      await send("GET", `/api/audit?repository=${repository}&action=tag.restore&n=1`)
    ).json<{ events: object[] }>();
    expect(events).toMatchObject([{ actor: "account:admin", tag: "v1", digest }]);
  });

  it("names any manifest that is stored", async () => {
    const { repository, old } = await makeHistory();
    await pushImage(repository, { tag: "v1" });
    await expectStatus(await restore(repository, old.digest), 200);
    expect(await target(repository, "v1")).toBe(old.digest);
  });

  it("cannot be, when its time is over, or a blob of it is gone", async () => {
    const { repository, old } = await makeHistory();
    await collectAll(repository);
    const refused = await expectError(await restore(repository, old.digest), 404, "MANIFEST_UNKNOWN");
    expect(refused.message).toContain("stored no more");
    const other = freshRepository();
    const blob = await pushBlob(other, crypto.randomUUID());
    const { digest } = await pushManifest(other, image(blob), { tag: "v1" });
    await remove(other, digest);
    await expectStatus(await send("DELETE", `/v2/${other}/blobs/${blob.digest}`), 202);
    await expectError(await restore(other), 404, "MANIFEST_BLOB_UNKNOWN");
    expect(await target(other, "v1")).toBeNull();
  });

  it("cannot be where nothing came before, or is immutable", async () => {
    const repository = freshRepository();
    await pushImage(repository, { tag: "v1" });
    await expectError(await restore(repository), 404, "MANIFEST_UNKNOWN");
    await expectError(await restore(freshRepository()), 404, "MANIFEST_UNKNOWN");
    const { repository: fixed, old } = await makeHistory();
    await expectStatus(await send("PATCH", `/api/repositories/${fixed}`, { body: '{"immutableTags":true}' }), 200);
    await expectError(await restore(fixed, old.digest), 403, "DENIED");
  });
});

describe("a release", () => {
  const release = async (...releases: object[]) => await call("POST", "/release", { releases });

  it("moves tags of several repositories at once, by digest and from other tags", async () => {
    const [one, other] = [freshRepository(), freshRepository()];
    const first = await pushImage(one, { tag: "candidate" });
    const second = await pushImage(other);
    await pushImage(other, { tag: "stable" });
    const releases = [
      { repository: one, tag: "stable", digest: first.digest },
      { repository: other, tag: "stable", digest: second.digest },
    ];
    const asked = [{ repository: one, tag: "stable", from: "candidate" }, releases[1]!];
    expect(await answer(await release(...asked))).toEqual({ releases });
    expect([await target(one, "stable"), await target(other, "stable")]).toEqual([first.digest, second.digest]);
    expect(await history(one, "stable")).toMatchObject([{ digest: first.digest, actor: "account:admin" }]);
  });

  it.each<[string, number, string]>([
    ["a manifest that is not there", 404, "MANIFEST_UNKNOWN"],
    ["an immutable tag", 403, "DENIED"],
  ])("with %s moves nothing", async (what, status, code) => {
    const [one, other] = [freshRepository(), freshRepository()];
    const { digest } = await pushImage(one);
    await pushImage(other, { tag: "stable" });
    const there = await pushImage(other);
    if (what === "an immutable tag") {
      await expectStatus(await send("PATCH", `/api/repositories/${other}`, { body: '{"immutableTags":true}' }), 200);
    }
    const second = status === 403 ? there.digest : `sha256:${"0".repeat(64)}`;
    const response = await release(
      { repository: one, tag: "stable", digest },
      { repository: other, tag: "stable", digest: second },
    );
    expect((await expectError(response, status, code)).message).toContain("no tag was moved");
    expect(await target(one, "stable")).toBeNull();
    expect(await history(one, "stable")).toEqual([]);
    const { events } = await (
      await send("GET", `/api/audit?repository=${one}&action=tag.release`)
    ).json<{ events: object[] }>();
    expect(events).toEqual([]);
  });

  it.each([
    ["a tag", "", "nowhere"],
    ["a repository", "-x", "candidate"],
  ])("from %s that is not there names the tag, and moves nothing", async (_what, suffix, from) => {
    const repository = freshRepository();
    const { digest } = await pushImage(repository, { tag: "candidate" });
    const other = `${repository}${suffix}`;
    const response = await release({ repository, tag: "stable", digest }, { repository: other, tag: "other", from });
    const { message } = await expectError(response, 404, "MANIFEST_UNKNOWN");
    expect(message).toBe(`there is no tag ${from} of ${other}: no tag was moved`);
    expect(await target(repository, "stable")).toBeNull();
  });

  it("of a tag that says how long it lives ends it then, where tags do", async () => {
    const repository = freshRepository();
    await pushImage(repository, { tag: "candidate" });
    const settings = (expiringTags: boolean) => ({ body: JSON.stringify({ expiringTags }) });
    await expectStatus(await send("PATCH", `/api/repositories/${repository}`, settings(true)), 200);
    const releases = ["1h", "stable"].map((tag) => ({ repository, tag, from: "candidate" }));
    await answer(await release(...releases));
    await expectStatus(await send("PATCH", `/api/repositories/${repository}`, settings(false)), 200);
    await answer(await release({ repository, tag: "2h", from: "candidate" }));
    const { tags } = await answer<{ tags: { name: string; updatedAt: string; expiresAt: string | null }[] }>(
      await call("GET", `?repository=${repository}&sort=name`),
    );
    const lives = tags.map(({ name, updatedAt, expiresAt }) => [
      name,
      expiresAt && Date.parse(expiresAt) - Date.parse(updatedAt),
    ]);
    expect(lives).toEqual([
      ["1h", 3_600_000],
      ["2h", null],
      ["candidate", null],
      ["stable", null],
    ]);
  });

  it.each<[string, object]>([
    ["nothing", { releases: [] }],
    ["one tag twice", { releases: [1, 2].map(() => ({ repository: "a", tag: "x", from: "y" })) }],
    ["neither digest nor tag", { releases: [{ repository: "a", tag: "x" }] }],
    ["both", { releases: [{ repository: "a", tag: "x", from: "y", digest: `sha256:${"0".repeat(64)}` }] }],
    [
      "more than fifty",
      { releases: Array.from({ length: 51 }, (_, tag) => ({ repository: "a", tag: `t${tag}`, from: "y" })) },
    ],
  ])("of %s is refused", async (_what, body) => {
    await expectError(await call("POST", "/release", body), 400, "REQUEST_INVALID");
  });
});

describe("a tag that expires", () => {
  interface Listed {
    readonly name: string;
    readonly expiresAt: string | null;
    readonly immutable: boolean;
  }
  const listed = async (repository: string) =>
    (await answer<{ tags: Listed[] }>(await call("GET", `?repository=${repository}`))).tags;
  const lifeOf = ({ expiresAt }: Listed) =>
    expiresAt === null ? null : Math.round((Date.parse(expiresAt) - Date.now()) / 60_000);
  const optIn = async (repository: string) =>
    await expectStatus(await send("PATCH", `/api/repositories/${repository}`, { body: '{"expiringTags":true}' }), 200);

  it("says so itself where its repository lets it, and is listed so", async () => {
    const repository = freshRepository();
    await optIn(repository);
    for (const tag of ["1h", "30m", "7d", "latest", "1x"]) await pushImage(repository, { tag });
    const lives = Object.fromEntries((await listed(repository)).map((tag) => [tag.name, lifeOf(tag)]));
    expect(lives).toEqual({ "1h": 60, "30m": 30, "7d": 10_080, latest: null, "1x": null });
    const plain = freshRepository();
    await pushImage(plain, { tag: "1h" });
    expect((await listed(plain)).map(lifeOf)).toEqual([null]);
  });

  it("says so by the annotation of its manifest, anywhere", async () => {
    const repository = freshRepository();
    await pushImage(repository, { tag: "v1", more: { annotations: { "expires-after": "2h" } } });
    expect((await listed(repository)).map(lifeOf)).toEqual([120]);
    await pushImage(repository, { tag: "v1" });
    expect((await listed(repository)).map(lifeOf)).toEqual([null]);
  });

  it("is told so later, or told not to", async () => {
    const repository = freshRepository();
    await pushImage(repository, { tag: "v1" });
    const set = async (expires: string) => await call("POST", "/expiry", { repository, tag: "v1", expires });
    await expectStatus(await set("3h"), 200);
    expect((await listed(repository)).map(lifeOf)).toEqual([180]);
    expect(await answer(await set("never"))).toEqual({ repository, tag: "v1", expiresAt: null });
    expect((await listed(repository)).map(lifeOf)).toEqual([null]);
    const unknown = { repository, tag: "v2", expires: "1h" };
    await expectError(await call("POST", "/expiry", unknown), 404, "MANIFEST_UNKNOWN");
  });

  it("ends when its time is over, which its history tells, unless it is immutable", async () => {
    const [repository, fixed] = [freshRepository(), freshRepository()];
    for (const name of [repository, fixed]) {
      await pushImage(name, { tag: "v1" });
      await expectStatus(await call("POST", "/expiry", { repository: name, tag: "v1", expires: "1h" }), 200);
    }
    await expectStatus(await send("PATCH", `/api/repositories/${fixed}`, { body: '{"immutableTags":true}' }), 200);
    await tick();
    expect(await target(repository, "v1")).not.toBeNull();
    await env.DB.prepare("UPDATE tags SET expires_at = 1 WHERE expires_at IS NOT NULL").run();
    await tick();
    expect(await target(repository, "v1")).toBeNull();
    expect(await target(fixed, "v1")).not.toBeNull();
    expect((await history(repository, "v1"))[0]).toMatchObject({ digest: null, actor: "stowage:expiry" });
    expect(await listed(fixed)).toMatchObject([{ name: "v1", immutable: true }]);
  });
});

it("a pull is noted once a day, and a HEAD is none", async () => {
  const repository = freshRepository();
  const { digest } = await pushImage(repository, { tag: "v1" });
  const pulledAt = async () =>
    await env.DB.prepare("SELECT pulled_at FROM manifests WHERE digest = ?1")
      .bind(digest)
      .first<number | null>("pulled_at");
  await send("HEAD", `/v2/${repository}/manifests/v1`);
  expect(await pulledAt()).toBeNull();
  await (await send("GET", `/v2/${repository}/manifests/v1`)).text();
  await expect.poll(pulledAt).not.toBeNull();
  const first = await pulledAt();
  await (await send("GET", `/v2/${repository}/manifests/v1`)).text();
  expect(await pulledAt()).toBe(first);
  await env.DB.prepare("UPDATE manifests SET pulled_at = 5 WHERE digest = ?1").bind(digest).run();
  await (await send("GET", `/v2/${repository}/manifests/${digest}`)).text();
  await expect.poll(pulledAt).toBeGreaterThan(5);
});
