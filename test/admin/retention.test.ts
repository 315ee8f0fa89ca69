import { afterEach, describe, expect, it } from "vitest";
import {
  answerOf,
  callApi,
  eventsAbout,
  expectDone,
  expectInvalid,
  expectPagesByName,
  expectRefusal,
  findListed,
  freshName,
} from "../support/api.ts";
import { pushImage } from "../support/images.ts";
import { expectError, freshRepository } from "../support/registry.ts";
import { endRules, preview, type RecordedRule, repositoryWith, run, setRule } from "../support/retention.ts";

afterEach(endRules);

const put = async (rule: unknown, name = freshName("rule")) => await callApi("PUT", `retention/${name}`, rule);

const listed = async (name: string) => await findListed<RecordedRule>("retention", "rules", name);

describe("a retention rule", () => {
  it("is shown in the words in which it was given", async () => {
    const name = freshName("rule");
    const rule = {
      ...{ repository: "team/*", tags: ["v*"], never: ["v1*"], mayEmpty: false },
      keep: { any: [{ newest: 10 }, { all: [{ pushedWithin: "30d" }, { semver: { majors: "all", patches: 3 } }] }] },
    };
    const stored = await answerOf<RecordedRule>(await put(rule, name));
    expect(stored).toEqual({
      ...{ name, rule, upstream: null, previewedAt: null, createdBy: "account:admin" },
      createdAt: expect.any(String) as string,
    });
    expect(await listed(name)).toEqual(stored);
    const short = { repository: "team/web", keep: { newest: 1 } };
    expect(await answerOf(await put(short))).toMatchObject({ rule: short });
  });

  it("is replaced by one of its name, which nobody has previewed then", async () => {
    const repository = await repositoryWith("v1");
    const name = await setRule({ repository, keep: { newest: 1 } });
    await preview({ name });
    expect((await listed(name))!.previewedAt).toEqual(expect.any(String));
    await setRule({ repository, keep: { newest: 2 } }, name);
    expect(await listed(name)).toMatchObject({ rule: { keep: { newest: 2 } }, previewedAt: null });
  });

  it("is removed, once, and all that is recorded", async () => {
    const rule = { repository: freshRepository(), keep: { newest: 1 } };
    const name = await setRule(rule);
    await expectDone(await callApi("DELETE", `retention/${name}`));
    expect(await listed(name)).toBeUndefined();
    const response = await callApi("DELETE", `retention/${name}`);
    await expectRefusal(response, 404, "NOT_FOUND", `there is no retention rule ${name}`);
    expect(await eventsAbout(name)).toMatchObject([
      { action: "retention.set", actor: "account:admin", repository: rule.repository, detail: { name, rule } },
      { action: "retention.remove", actor: "account:admin", detail: { name } },
    ]);
  });

  it("is one of at most 100, and any of them can be replaced", async () => {
    const rule = { repository: "nowhere/**", keep: { newest: 1 } };
    const names = [];
    for (let count = 0; count < 100; count += 1) names.push(await setRule(rule));
    const [name] = names;
    await expectRefusal(await put(rule), 409, "CONFLICT", "100", "join some");
    await setRule({ ...rule, keep: { newest: 2 } }, name);
    expect(await listed(name!)).toMatchObject({ rule: { keep: { newest: 2 } } });
  });

  it("comes in a list of pages, each once and in order", async () => {
    const add = async (name: string) => await setRule({ repository: "nowhere", keep: { newest: 1 } }, name);
    await expectPagesByName("retention", "rules", add);
  });
});

describe("what is no rule is refused:", () => {
  const rule = { repository: "team/*", keep: { newest: 1 } };
  it.each<[string, unknown, string]>([
    ["no repository", { keep: { newest: 1 } }, "repository"],
    ["no pattern", { ...rule, repository: "Team" }, "repository"],
    ["a pattern in a list", { ...rule, repository: ["team"] }, "repository"],
    ["no condition", { repository: "team/*" }, "keep"],
    ["an unknown condition", { ...rule, keep: { oldest: 1 } }, "keep"],
    ["two conditions in one", { ...rule, keep: { newest: 1, tags: ["v*"] } }, "keep"],
    ["none of the newest", { ...rule, keep: { newest: 0 } }, "keep.newest"],
    [
      "a wrong duration, deep inside",
      { ...rule, keep: { any: [{ all: [{ pushedWithin: "x" }] }] } },
      "keep.any.0.all.0.pushedWithin",
    ],
    ["no tags", { ...rule, tags: [] }, "tags"],
    ["a tag that is none", { ...rule, tags: ["v1", "a b"] }, "tags.1"],
    ["a never that is no list", { ...rule, never: "v1" }, "never"],
    ["a may that is no yes or no", { ...rule, mayEmpty: "no" }, "mayEmpty"],
    ["a misspelt member", { ...rule, mayempty: true }, "mayempty"],
    ["a rule in a rule", { rule }, "repository"],
  ])("%s", async (_what, body, path) => {
    await expectInvalid(await put(body), path);
  });

  it("the same in a preview, with the path of what is wrong", async () => {
    const response = await callApi("POST", "retention/preview", { rule: { ...rule, keep: { newest: "1" } } });
    await expectInvalid(response, "rule.keep.newest");
  });

  it.each(["A", ".a", "a%2Fb", "a".repeat(65)])("the name %s", async (name) => {
    await expectError(await put(rule, name), 400, "NAME_INVALID");
  });

  it.each(["preview", "run"])("the name %s, which is something else here", async (name) => {
    await expectError(await put(rule, name), 405, "UNSUPPORTED");
  });
});

describe("a preview or run", () => {
  const rule = { repository: "nowhere", keep: { newest: 1 } };
  it.each<[string, string, object, string]>([
    ["a preview of nothing", "preview", {}, ""],
    ["a preview of a name and a rule", "preview", { name: "a", rule }, ""],
    ["a preview of a name that is none", "preview", { name: "A/B" }, "name"],
    ["a run of a rule that is not stored", "run", { rule }, "rule"],
    ["a run of a list", "run", { name: ["a"] }, "name"],
    ["a last that is no text", "run", { last: 5 }, "last"],
  ])("refuses %s", async (_what, action, body, path) => {
    await expectInvalid(await callApi("POST", `retention/${action}`, body), path);
  });

  it.each(["x", "5", ":a", "1:", "-1:a", `${"9".repeat(20)}:a`])(
    "refuses a last that it did not answer: %j",
    async (last) => {
      for (const action of ["preview", "run"]) {
        const body = action === "run" ? { last } : { rule, last };
        await expectRefusal(await callApi("POST", `retention/${action}`, body), 400, "REQUEST_INVALID", "last");
      }
    },
  );

  it("has nothing to tell where no repository is, and counts all the same", async () => {
    const nothing = { repositories: [], bytes: 0, isComplete: true };
    const name = await setRule({ ...rule, repository: freshRepository() });
    expect(await preview({ name })).toEqual(nothing);
    expect(await run({ name })).toEqual(nothing);
    expect(await run()).toEqual(nothing);
    await expectRefusal(
      await callApi("POST", "retention/preview", { name: freshName() }),
      404,
      "NOT_FOUND",
      "no retention rule",
    );
  });

  it("answers in the words of the contract", async () => {
    const repository = freshRepository();
    const { digest, size } = await pushImage(repository, { tag: "old" });
    const config = await pushImage(repository, { tag: "new" });
    const report = await preview({ rule: { repository, keep: { tags: ["new"] } } });
    expect(report).toEqual({
      repositories: [
        {
          repository,
          tags: [
            { tag: "new", digest: config.digest, keep: true, reason: "matches new" },
            { tag: "old", digest, keep: false, reason: "does not match new" },
          ],
          manifests: [{ digest, size, reason: "untagged by rule (given)" }],
          bytes: report.bytes,
        },
      ],
      bytes: report.repositories[0]!.bytes,
      isComplete: true,
    });
    expect(report.bytes).toBeGreaterThan(size);
  });
});
