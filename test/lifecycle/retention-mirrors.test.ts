import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseUpstreams } from "../../src/policy/upstream-settings.ts";
import { tick } from "../support/aging.ts";
import { answerOf, eventsAbout, freshName } from "../support/api.ts";
import { emptyStorage } from "../support/empty-storage.ts";
import { type Descriptor, pushImage } from "../support/images.ts";
import { type IdleMirror, idleMirror } from "../support/mirrors.ts";
import { expectError, expectStatus, nextLink, sendWith } from "../support/registry.ts";
import {
  ageTag,
  endRules,
  historyOf,
  type RecordedRule,
  type Report,
  setPreviewedRule,
  setRule,
  tagsIn,
  tagsOf,
} from "../support/retention.ts";
import { rows } from "../support/uploads.ts";

// The schedule looks at a bounded number of repositories.
beforeAll(emptyStorage);
beforeEach(endRules);

/** Calls the API of a Worker that mirrors. */
const call = async ({ settings }: IdleMirror, method: string, path: string, body?: object) =>
  await sendWith(settings, method, `/api/${path}`, body === undefined ? {} : { body: JSON.stringify(body) });
const ruleOf = ({ upstream }: IdleMirror) => `mirror:${upstream}`;

/** A tag that was stored so many days ago, and whose image was pulled then and then. */
async function store(repository: string, tag: string, days: { stored: number; pulled?: number }): Promise<Descriptor> {
  const descriptor = await pushImage(repository, { tag });
  await ageTag(repository, tag, days.stored);
  if (days.pulled !== undefined) {
    const pulledAt = Date.now() - days.pulled * 86_400_000;
    await rows("UPDATE manifests SET pulled_at = ?2 WHERE digest = ?1", descriptor.digest, pulledAt);
  }
  return descriptor;
}

/** Tags of a mirror, of all ages. */
async function storeAll(repository: string): Promise<void> {
  await store(repository, "forgotten", { stored: 90, pulled: 31 });
  await store(repository, "never-pulled", { stored: 31 });
  await store(repository, "new", { stored: 29 });
  await store(repository, "pulled", { stored: 90, pulled: 29 });
}

describe("tags of a mirror", () => {
  it("go by the schedule when nobody has pulled them for 30 days, and the records say by what", async () => {
    const mirror = await idleMirror();
    const { repository } = mirror;
    await storeAll(repository);
    await tick(mirror.settings);
    expect(await tagsIn(repository)).toEqual(["new", "pulled"]);
    expect((await historyOf(repository, "forgotten")).at(-1)!.actor).toBe(`retention:${ruleOf(mirror)}`);
    const [event] = (await eventsAbout(repository)).filter(({ action }) => action === "retention.run");
    expect(event).toMatchObject({
      actor: "stowage:retention",
      detail: {
        removed: 2,
        tags: [
          { tag: "forgotten", rule: ruleOf(mirror), reason: "last pulled 31 days ago" },
          { tag: "never-pulled", rule: ruleOf(mirror), reason: "not pulled since it was pushed 31 days ago" },
        ],
      },
    });
  });

  it("go all, if nobody pulls any", async () => {
    const mirror = await idleMirror({ kept: "1d" });
    await store(mirror.repository, "v1", { stored: 2 });
    await tick(mirror.settings);
    expect(await tagsIn(mirror.repository)).toEqual([]);
  });

  it.each([["with kept: never", { kept: "never" }] as const, ["of an upstream that is configured no more", undefined]])(
    "stay for ever %s",
    async (_what, setting) => {
      const mirror = await idleMirror(setting);
      await storeAll(mirror.repository);
      await tick(setting ? mirror.settings : { UPSTREAMS: "" });
      expect(await tagsIn(mirror.repository)).toHaveLength(4);
    },
  );

  it.each<[string, object]>([
    ["what it keeps", { keep: { tags: ["never-*"] } }],
    ["what it says never goes", { keep: { tags: ["pulled", "new"] }, never: ["never-*"] }],
  ])("stay by a rule of an admin beside: %s", async (_what, rule) => {
    const mirror = await idleMirror();
    await storeAll(mirror.repository);
    await setRule({ repository: `${mirror.upstream}/**`, keep: {}, ...rule });
    await tick(mirror.settings);
    expect(await tagsIn(mirror.repository)).toEqual(["never-pulled", "new", "pulled"]);
  });

  it("stay as long as the upstream's are kept, though a rule of an admin would keep them for less", async () => {
    const mirror = await idleMirror();
    await storeAll(mirror.repository);
    await setPreviewedRule({ repository: `${mirror.upstream}/**`, keep: { pulledWithin: "1d" } });
    await tick(mirror.settings);
    expect(await tagsIn(mirror.repository)).toEqual(["new", "pulled"]);
  });

  it("stay where a repository of our own has a name of the upstream's", async () => {
    const mirror = await idleMirror();
    const own = `${mirror.upstream}/own/app`;
    await storeAll(own);
    await storeAll(mirror.repository);
    await tick(mirror.settings);
    expect(await tagsIn(own)).toHaveLength(4);
    const previewed = await answerOf<Report>(await call(mirror, "POST", "retention/preview", { name: ruleOf(mirror) }));
    expect(previewed.repositories.map(({ repository }) => repository)).toEqual([mirror.repository]);
  });
});

describe("tags of a repository of our own under an upstream's name", () => {
  it("stay or go by the stored rules alone", async () => {
    const mirror = await idleMirror();
    const own = `${mirror.upstream}/own/app`;
    await storeAll(own);
    await setPreviewedRule({ repository: own, tags: ["n*"], keep: { tags: ["never-pulled"] } });
    await tick(mirror.settings);
    expect(await tagsIn(own)).toEqual(["forgotten", "never-pulled", "pulled"]);
  });
});

describe("the rule that an upstream's setting is", () => {
  it("can be previewed and run by its name, and needs no preview", async () => {
    const mirror = await idleMirror();
    await storeAll(mirror.repository);
    const name = ruleOf(mirror);
    const run = await answerOf<Report>(await call(mirror, "POST", "retention/run", { name }));
    expect(tagsOf(run, false)).toEqual(["forgotten", "never-pulled"]);
    const preview = await answerOf<Report>(await call(mirror, "POST", "retention/preview", { name }));
    expect([tagsOf(preview, true), tagsOf(preview, false)]).toEqual([["new", "pulled"], []]);
  });

  it("runs with all others", async () => {
    const mirror = await idleMirror();
    await storeAll(mirror.repository);
    const run = await answerOf<Report>(await call(mirror, "POST", "retention/run", {}));
    expect(tagsOf(run, false)).toEqual(["forgotten", "never-pulled"]);
  });

  it("is listed as what it is, in its place among the stored ones", async () => {
    const mirror = await idleMirror({ kept: "7d" });
    const [before, after] = [freshName("a-rule"), freshName("z-rule")];
    for (const name of [before, after]) await setRule({ repository: "other", keep: { newest: 1 } }, name);
    const listed: RecordedRule[] = [];
    for (let path: string | undefined = "/api/retention?n=1"; path !== undefined;) {
      const response = await expectStatus(await sendWith(mirror.settings, "GET", path), 200);
      path = nextLink(response);
      listed.push(...(await response.json<{ rules: RecordedRule[] }>()).rules);
    }
    expect(listed.map(({ name }) => name)).toEqual([before, ruleOf(mirror), after]);
    expect(listed[0]).toMatchObject({ upstream: null, createdBy: "account:admin" });
    expect(listed[1]).toEqual({
      ...{ name: ruleOf(mirror), upstream: mirror.upstream, previewedAt: null, createdAt: null, createdBy: null },
      rule: { repository: `${mirror.upstream}/**`, keep: { pulledWithin: "7d" }, mayEmpty: true },
    });
  });

  it.each(["12h", "0s", "36501d"])("is none by kept: %s, which pulls noted by the day cannot tell", async (kept) => {
    const { settings } = await idleMirror({ kept });
    expect(() => parseUpstreams(settings.UPSTREAMS, {})).toThrow("at 0.kept: use a duration from 1d");
  });

  it("is not there with kept: never", async () => {
    const mirror = await idleMirror({ kept: "never" });
    expect(await answerOf(await call(mirror, "GET", "retention"))).toEqual({ rules: [] });
    const preview = await call(mirror, "POST", "retention/preview", { name: ruleOf(mirror) });
    await expectError(preview, 404, "NOT_FOUND");
  });

  it.each(["PUT", "DELETE"])("is not changed by %s: the settings are", async (method) => {
    const mirror = await idleMirror();
    const rule = { repository: `${mirror.upstream}/**`, keep: { newest: 1 } };
    const response = await call(mirror, method, `retention/${ruleOf(mirror)}`, method === "PUT" ? rule : undefined);
    const { message } = await expectError(response, 403, "DENIED");
    expect(message).toContain('change "kept" there');
  });
});

describe("a stored rule", () => {
  it("is previewed beside what an upstream's setting keeps", async () => {
    const mirror = await idleMirror();
    await storeAll(mirror.repository);
    const name = await setRule({ repository: `${mirror.upstream}/**`, keep: { tags: ["none"] }, mayEmpty: true });
    const preview = await answerOf<Report>(await call(mirror, "POST", "retention/preview", { name }));
    expect([tagsOf(preview, true), tagsOf(preview, false)]).toEqual([
      ["new", "pulled"],
      ["forgotten", "never-pulled"],
    ]);
  });
});
