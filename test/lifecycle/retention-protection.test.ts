import { afterEach, describe, expect, it } from "vitest";
import { keepRetention } from "../../src/lifecycle/retention-rounds.ts";
import { callApi, expectDone, expectRefusal, readPages } from "../support/api.ts";
import { contextAt } from "../support/context.ts";
import { WatchedRegistry } from "../support/counted-registry.ts";
import { freshRepository } from "../support/registry.ts";
import {
  endRules,
  preview,
  type RecordedRule,
  repositoryWith,
  type Rule,
  run,
  setPreviewedRule,
  setRule,
  tagsIn,
  tagsOf,
} from "../support/retention.ts";

afterEach(endRules);

const previewed = async (): Promise<string[]> =>
  (await readPages<RecordedRule>("retention", "rules"))
    .flat()
    .filter(({ previewedAt }) => previewedAt !== null)
    .map(({ name }) => name);
const remove = async (name: string) => await expectDone(await callApi("DELETE", `retention/${name}`));

describe("what a rule protected goes by no other one before its preview was seen", () => {
  it.each<[string, Partial<Rule>, (name: string, rule: Rule) => Promise<unknown>]>([
    ["the rule that kept it is removed", { keep: { tags: ["v1"] } }, remove],
    ["the rule that never let it go is removed", { never: ["v1"], tags: ["x"] }, remove],
    [
      "the rule that kept it keeps another one",
      { keep: { tags: ["v1"] } },
      async (name, rule) => await setRule({ ...rule, keep: { tags: ["v2"] } }, name),
    ],
    [
      "the rule that kept it is for others now",
      { keep: { tags: ["v1"] } },
      async (name, rule) => await setRule({ ...rule, repository: freshRepository() }, name),
    ],
  ])("when %s", async (_what, protection, change) => {
    const repository = await repositoryWith("v1", "v2", "v3");
    const protector = { repository, keep: { newest: 1 }, ...protection };
    const protectorName = await setRule(protector);
    const name = await setPreviewedRule({ repository: `${repository}*`, keep: { newest: 2 } });
    await change(protectorName, protector);
    await keepRetention(contextAt(0));
    expect((await run()).repositories).toEqual([]);
    const refused = await callApi("POST", "retention/run", { name });
    await expectRefusal(refused, 409, "CONFLICT", "never previewed");
    expect(await tagsIn(repository)).toEqual(["v1", "v2", "v3"]);
    expect(tagsOf(await preview({ name }), false)).toContain("v1");
    expect(tagsOf(await run({ name }), false)).toEqual(["v1"]);
  });

  it("nor by a preview that was on its way when the protection went", async () => {
    const repository = await repositoryWith("v1", "v2");
    const protector = await setRule({ repository, keep: { tags: ["v1"] } });
    const name = await setRule({ repository, keep: { newest: 1 } });
    const registry = new WatchedRegistry(async (call, proceed) => {
      const isMark = call.binding === "DB" && call.statements.some(({ sql }) => sql.includes("SET previewed_at = ?"));
      if (isMark) await remove(protector);
      return await proceed();
    });
    const body = { bytes: new TextEncoder().encode(JSON.stringify({ name })) };
    expect((await registry.send("POST", "/api/retention/preview", { body })).status).toBe(200);
    expect(await previewed()).toEqual([]);
  });
});

describe("a preview counts still", () => {
  it("of rules that have no repository in common with the one that changed, and of no others", async () => {
    const prefix = freshRepository();
    const rule = (path: string): Rule => ({ repository: `${prefix}${path}`, keep: { newest: 1 } });
    const concerned = ["/a/b", "/a/*", "/a/b*", "/**", "/a/**"];
    const unconcerned = ["/a", "/b/*", "/a/b/c", "/a/c*", "/a/b/**", "/*/c"];
    const names = new Map<string, string>();
    for (const path of [...concerned, ...unconcerned]) names.set(await setPreviewedRule(rule(path)), path);
    const changed = await setPreviewedRule(rule("/a/b"));
    expect((await previewed()).length).toBe(names.size + 1);
    await remove(changed);
    const left = (await previewed()).map((name) => names.get(name));
    expect(left.toSorted()).toEqual(unconcerned.toSorted());
  });

  it("when a rule is added, which can but protect", async () => {
    const repository = freshRepository();
    const name = await setPreviewedRule({ repository, keep: { newest: 1 } });
    await setRule({ repository, keep: { newest: 2 } });
    expect(await previewed()).toEqual([name]);
  });
});
