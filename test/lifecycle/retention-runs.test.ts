import { afterEach, describe, expect, it } from "vitest";
import { callApi, eventsAbout, expectRefusal, freshName, setRepository } from "../support/api.ts";
import { collectAll } from "../support/aging.ts";
import { image, index, OCI_CONFIG, pushBlob, pushImage, pushManifest } from "../support/images.ts";
import { expectStatus, freshRepository, send } from "../support/registry.ts";
import {
  ageTag,
  endRules,
  historyOf,
  preview,
  repositoryWith,
  run,
  setPreviewedRule,
  setRule,
  tagsIn,
  tagsOf,
} from "../support/retention.ts";
import { rows } from "../support/uploads.ts";

afterEach(endRules);

describe("a preview", () => {
  it("changes nothing, and says what stays and goes, and why", async () => {
    const repository = await repositoryWith("v1", "v2", "v3");
    const name = await setRule({ repository, keep: { newest: 2 } });
    const report = await preview({ name });
    expect(report).toMatchObject({ isComplete: true, repositories: [{ repository }] });
    expect(report.repositories[0]!.tags.map(({ tag, keep, reason }) => [tag, keep, reason])).toEqual([
      ["v1", false, "not among the 2 newest"],
      ["v2", true, "one of the 2 newest"],
      ["v3", true, "one of the 2 newest"],
    ]);
    expect(report.repositories[0]!.manifests).toMatchObject([{ reason: `untagged by rule ${name}` }]);
    expect(await tagsIn(repository)).toEqual(["v1", "v2", "v3"]);
    expect(await historyOf(repository, "v1")).toHaveLength(1);
  });

  it("counts shared layers once, and not while something else holds them", async () => {
    const [repository, elsewhere] = [freshRepository(), freshRepository()];
    const content = [crypto.randomUUID(), crypto.randomUUID().repeat(2), crypto.randomUUID().repeat(3)];
    const [shared, staying, mounted] = await Promise.all(content.map(async (text) => await pushBlob(repository, text)));
    await pushBlob(elsewhere, content[2]!);
    const config = async () => await pushBlob(repository, crypto.randomUUID(), { mediaType: OCI_CONFIG });
    const configs = [await config(), await config(), await config()];
    const one = await pushManifest(repository, image(configs[0]!, [shared!, mounted!]), { tag: "one" });
    const two = await pushManifest(repository, image(configs[1]!, [shared!, staying!]), { tag: "two" });
    await pushManifest(repository, image(configs[2]!, [staying!]), { tag: "stays" });
    const report = await preview({ rule: { repository, keep: { tags: ["stays"] } } });
    const expected = one.size + two.size + configs[0]!.size + configs[1]!.size + shared!.size;
    expect(report).toMatchObject({ bytes: expected, repositories: [{ bytes: expected }] });
  });

  it("tells of children and referrers, which go with what holds them", async () => {
    const repository = freshRepository();
    const [own, both] = [await pushImage(repository), await pushImage(repository)];
    const gone = await pushManifest(repository, index([own, both]), { tag: "gone" });
    const signature = await pushImage(repository, { more: { subject: gone } });
    await pushManifest(repository, index([both]), { tag: "stays" });
    const report = await preview({ rule: { repository, keep: { tags: ["stays"] } } });
    expect(report.repositories[0]!.manifests.map(({ digest, reason }) => [digest, reason])).toEqual([
      [gone.digest, "untagged by rule (given)"],
      [own.digest, `child of ${gone.digest}`],
      [signature.digest, `referrer of ${gone.digest}`],
    ]);
  });

  it("of a rule that is only given stores nothing, and knows what stored rules protect", async () => {
    const repository = await repositoryWith("v1", "keep-1", "v2");
    await setRule({ repository, tags: ["none"], never: ["keep-*"], keep: { newest: 1 } });
    const report = await preview({ rule: { repository, keep: { newest: 1 } } });
    expect(tagsOf(report, false)).toEqual(["v1"]);
    expect(await rows("SELECT name FROM retention_rules WHERE previewed_at IS NOT NULL")).toEqual([]);
  });

  it("goes through many repositories page by page, and counts when it has come to the end", async () => {
    const prefix = freshRepository();
    const repositories = Array.from({ length: 30 }, (_, n) => `${prefix}/${String(n).padStart(2, "0")}`);
    for (const repository of repositories) {
      await pushImage(repository, { tag: "a" });
      await pushImage(repository, { tag: "b" });
    }
    const name = await setRule({ repository: `${prefix}/**`, keep: { tags: ["b"] } });
    const first = await preview({ name });
    expect(first.isComplete).toBe(false);
    await expectRefusal(await callApi("POST", "retention/run", { name }), 409, "CONFLICT", "never previewed");
    const second = await preview({ name, last: first.last });
    expect(second.isComplete).toBe(true);
    expect([first, second].flatMap((one) => one.repositories.map(({ repository }) => repository))).toEqual(
      repositories,
    );
    const [once, again] = [await run({ name }), await run({ name })];
    expect([once.isComplete, again.isComplete]).toEqual([false, true]);
    expect(tagsOf(once, false).length + tagsOf(again, false).length).toBe(30);
    for (const repository of repositories) expect(await tagsIn(repository)).toEqual(["b"]);
  });

  it("cannot go on when the rule has changed meanwhile", async () => {
    const repository = await repositoryWith("v1", "v2");
    const name = await setRule({ repository, keep: { newest: 2 } });
    const [{ created_at: createdAt }] = (await rows<{ created_at: number }>(
      "SELECT created_at FROM retention_rules WHERE name = ?1",
      name,
    )) as [{ created_at: number }];
    await setRule({ repository, keep: { newest: 1 } }, name);
    const response = await callApi("POST", "retention/preview", { name, last: `${createdAt}:${repository}` });
    await expectRefusal(response, 409, "CONFLICT", "has changed");
    expect(await rows("SELECT 1 FROM retention_rules WHERE previewed_at IS NOT NULL")).toEqual([]);
  });
});

describe("a run", () => {
  it("removes what the preview said, tells who in history and audit, and leaves the images to be restored", async () => {
    const repository = await repositoryWith("v1", "v2", "v3");
    const name = await setRule({ repository, keep: { newest: 1 } });
    const told = await preview({ name });
    const done = await run({ name });
    expect(tagsOf(done, false)).toEqual(["v1", "v2"]);
    expect(done).toMatchObject({ bytes: told.bytes, isComplete: true });
    expect(done.repositories[0]!.manifests).toEqual(told.repositories[0]!.manifests);
    expect(await tagsIn(repository)).toEqual(["v3"]);
    const { digest } = told.repositories[0]!.tags[0]!;
    expect((await historyOf(repository, "v1")).at(-1)).toEqual({
      ...{ digest: null, previous_digest: digest, actor: `retention:${name}` },
    });
    const events = (await eventsAbout(repository)).filter(({ action }) => action === "retention.run");
    expect(events).toMatchObject([{ actor: "account:admin", repository, detail: { removed: 2 } }]);
    expect(events[0]!.detail!.tags).toEqual(
      told.repositories[0]!.tags.slice(0, 2).map((one) => ({ ...one, keep: undefined, rule: name })),
    );
    await expectStatus(await send("GET", `/v2/${repository}/manifests/${digest}`), 200);
    await expectStatus(await callApi("POST", "tags/restore", { repository, tag: "v1" }), 200);
    expect(await tagsIn(repository)).toEqual(["v1", "v3"]);
  });

  it("frees what it told, when untagged manifests have had their time", async () => {
    const repository = freshRepository();
    const blob = await pushBlob(repository, crypto.randomUUID());
    await pushManifest(repository, image(blob), { tag: "old" });
    await ageTag(repository, "old", 40);
    await pushImage(repository, { tag: "new" });
    await run({ name: await setPreviewedRule({ repository, keep: { pushedWithin: "30d" } }) });
    await expectStatus(await send("HEAD", `/v2/${repository}/blobs/${blob.digest}`), 200);
    await collectAll(repository);
    await expectStatus(await send("HEAD", `/v2/${repository}/blobs/${blob.digest}`), 404);
  });

  it("is refused for a rule that nobody previewed, or that has changed since, and finds none that is not there", async () => {
    const repository = await repositoryWith("v1", "v2");
    const name = await setRule({ repository, keep: { newest: 1 } });
    await expectRefusal(await callApi("POST", "retention/run", { name }), 409, "CONFLICT", name, "never previewed");
    await preview({ name });
    await setRule({ repository, keep: { newest: 1 } }, name);
    await expectRefusal(await callApi("POST", "retention/run", { name }), 409, "CONFLICT", "never previewed");
    expect(tagsOf(await run(), false)).toEqual([]);
    expect(await tagsIn(repository)).toEqual(["v1", "v2"]);
    const response = await callApi("POST", "retention/run", { name: freshName() });
    await expectRefusal(response, 404, "NOT_FOUND", "there is no retention rule");
  });

  it("of all rules removes by those that were previewed, and all others protect", async () => {
    const repository = await repositoryWith("a1", "a2", "b1", "b2", "c1", "c2");
    await setPreviewedRule({ repository, tags: ["a*", "c*"], keep: { tags: ["a2"] } });
    await setRule({ repository, tags: ["b*", "c*"], keep: { tags: ["c1"] }, never: [] });
    expect(tagsOf(await run(), false)).toEqual(["a1", "c2"]);
    expect(await tagsIn(repository)).toEqual(["a2", "b1", "b2", "c1"]);
  });

  it("by name removes nothing that only another rule removes", async () => {
    const repository = await repositoryWith("a1", "a2", "b1", "b2");
    const name = await setPreviewedRule({ repository, tags: ["a*"], keep: { newest: 1 } });
    await setPreviewedRule({ repository, tags: ["b*"], keep: { newest: 1 } });
    await run({ name });
    expect(await tagsIn(repository)).toEqual(["a2", "b1", "b2"]);
  });

  it("says by which rule each tag goes", async () => {
    const repository = await repositoryWith("a1", "a2", "b1", "b2");
    const [first, second] = [freshName("a"), freshName("b")];
    await setPreviewedRule({ repository, tags: ["a*"], keep: { newest: 1 } }, first);
    await setPreviewedRule({ repository, tags: ["b*"], keep: { newest: 1 } }, second);
    await run();
    expect((await historyOf(repository, "a1")).at(-1)!.actor).toBe(`retention:${first}`);
    expect((await historyOf(repository, "b1")).at(-1)!.actor).toBe(`retention:${second}`);
  });

  it("never touches tags of a never, or immutable ones", async () => {
    const repository = await repositoryWith("release-1", "fixed", "v1", "v2");
    const name = await setPreviewedRule({ repository, keep: { newest: 1 }, never: ["release-*"] });
    await expectStatus(await setRepository(repository, { immutableTags: true, exceptTags: ["v*", "release*"] }), 200);
    const reasons = (await preview({ name })).repositories[0]!.tags.map(({ tag, reason }) => [tag, reason]);
    expect(reasons).toEqual([
      ["fixed", "is immutable"],
      ["release-1", "protected by never: release-*"],
      ["v1", "not the newest"],
      ["v2", "the newest"],
    ]);
    await run({ name });
    expect(await tagsIn(repository)).toEqual(["fixed", "release-1", "v2"]);
  });

  it("empties a repository only by a rule that may", async () => {
    const repository = await repositoryWith("v1", "v2");
    const rule = { repository, keep: { tags: ["main"] } };
    const name = await setPreviewedRule(rule);
    expect(tagsOf(await run({ name }), false)).toEqual([]);
    await setPreviewedRule({ ...rule, mayEmpty: true }, name);
    expect(tagsOf(await run({ name }), false)).toEqual(["v1", "v2"]);
    expect(await tagsIn(repository)).toEqual([]);
  });

  it("does not empty one by a rule that may not, because another may that is not asked", async () => {
    const repository = await repositoryWith("v1", "v2");
    await setRule({ repository, keep: { tags: ["main"] }, mayEmpty: true });
    const name = await setPreviewedRule({ repository, keep: { tags: ["main"] } });
    await run({ name });
    await run();
    expect(await tagsIn(repository)).toEqual(["v1", "v2"]);
  });

  it("counts pulls", async () => {
    const repository = await repositoryWith("pulled", "unused");
    await rows(
      `UPDATE manifests SET pulled_at = ?2 WHERE digest = (SELECT digest FROM tags WHERE name = 'pulled' AND repository_id =
         (SELECT id FROM repositories WHERE name = ?1))`,
      ...[repository, Date.now()],
    );
    const name = await setPreviewedRule({ repository, keep: { pulledWithin: "2d" } });
    await run({ name });
    expect(await tagsIn(repository)).toEqual(["pulled"]);
  });

  it("matches patterns of every kind, and looks at no other repository", async () => {
    const base = freshRepository();
    const names = ["app", "app-web", "other", "app/deep", "team/x/app"].map((end) => `${base}/${end}`);
    for (const name of names) await pushImage(name, { tag: "v1" });
    const looked = async (repository: string) =>
      (await preview({ rule: { repository, keep: { newest: 1 } } })).repositories.map((one) =>
        one.repository.slice(base.length + 1),
      );
    expect(await looked(`${base}/app`)).toEqual(["app"]);
    expect(await looked(`${base}/**`)).toEqual(["app", "app-web", "app/deep", "other", "team/x/app"]);
    const short = freshRepository().slice(0, 24);
    for (const end of ["a", "ab", "a/b"]) await pushImage(`${short}/${end}`, { tag: "v1" });
    const report = await preview({ rule: { repository: `${short}/a*`, keep: { newest: 1 } } });
    expect(report.repositories.map(({ repository }) => repository)).toEqual([`${short}/a`, `${short}/ab`]);
  });
});

it("a repository with too many tags is passed over, and told of", async () => {
  const [repository, next] = [freshRepository(), `${freshRepository()}z`];
  await pushImage(repository, { tag: "v1" });
  await rows(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20001)
     INSERT INTO tags (repository_id, name, digest, updated_at)
     SELECT t.repository_id, 'x' || n.i, t.digest, 0 FROM repositories r JOIN tags t ON t.repository_id = r.id, n WHERE r.name = ?1`,
    repository,
  );
  for (const tag of ["v1", "v2"]) await pushImage(next, { tag });
  const name = await setPreviewedRule({ repository: "test/**", keep: { tags: ["v2"] } });
  const find = async (last?: string): Promise<string | undefined> => {
    const report = await preview({ name, last });
    const found = report.repositories.find((one) => one.repository === repository);
    return found || report.isComplete ? found?.skipped : await find(report.last);
  };
  expect(await find()).toContain("more than 20000 tags");
  await rows("DELETE FROM tags WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1)", repository);
});
