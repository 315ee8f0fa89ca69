import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ApiError } from "../../web/api.ts";
import type { RetentionRule } from "../../web/operate/answers.ts";
import {
  draftOf,
  FIRST_RULE,
  isAskable,
  newNameOf,
  type RetentionDraft,
  retentionFieldOf,
  ruleOf,
} from "../../web/operate/retention-draft.ts";
import { describeKeep } from "../../web/operate/retention-words.ts";

const draft = (change: Partial<RetentionDraft>): RetentionDraft => ({ ...FIRST_RULE, repository: "team/*", ...change });

const duration = fc.constantFrom("12h", "30d", "1d");
const pattern = fc.constantFrom("v*", "main", "rc-*");
const limit = fc.oneof(fc.nat({ max: 20 }), fc.constant("all"));
const leaf = fc.oneof(
  fc.record({ newest: fc.integer({ min: 1, max: 99 }) }),
  fc.record({ pushedWithin: duration }),
  fc.record({ pulledWithin: duration }),
  fc.record({ tags: fc.array(pattern, { minLength: 1, maxLength: 3 }) }),
  fc.record({
    semver: fc.record({ majors: limit, minors: limit, patches: limit, prereleases: limit }, { requiredKeys: [] }),
  }),
);
const { keep: condition } = fc.letrec<{ keep: unknown }>((tie) => ({
  keep: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    leaf,
    fc.record({ any: fc.array(tie("keep"), { minLength: 1, maxLength: 4 }) }),
    fc.record({ all: fc.array(tie("keep"), { minLength: 1, maxLength: 4 }) }),
  ),
}));

/** What the rule says, whatever order it is written in, and without groups of one. */
function meaningOf(keep: unknown): unknown {
  if (typeof keep !== "object" || keep === null) return keep;
  const [[kind, value] = ["", undefined]] = Object.entries(keep) as [string, unknown][];
  if ((kind !== "any" && kind !== "all") || !Array.isArray(value)) return keep;
  const inner = value.map(meaningOf).sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
  return inner.length === 1 ? inner[0] : { [kind]: inner };
}

describe("the form of a retention rule", () => {
  test("gives back any rule that it was given to change", () => {
    fc.assert(
      fc.property(condition, fc.boolean(), (keep, mayEmpty) => {
        const rule: RetentionRule = { repository: "team/*", tags: ["v*"], keep, ...(mayEmpty && { mayEmpty }) };
        const { keep: again, ...rest } = ruleOf(draftOf("releases", rule));
        expect(rest).toEqual({ repository: "team/*", tags: ["v*"], ...(mayEmpty && { mayEmpty }) });
        expect(meaningOf(again)).toEqual(meaningOf(keep));
      }),
    );
  });

  test("has fields for simple rules, and shows what it has none for as JSON", () => {
    const simple = draftOf("a", {
      repository: "**",
      keep: { any: [{ semver: { minors: 3 } }, { pulledWithin: "30d" }] },
    });
    expect(simple).toMatchObject({ join: "any", minors: "3", pulledWithin: "30d" });
    expect(draftOf("a", { repository: "**", keep: { all: [{ newest: 3 }] } })).toMatchObject({ newest: "3" });
    for (const keep of [{ any: [{ newest: 1 }, { newest: 2 }] }, { semver: {} }, { all: [{ any: [{ newest: 1 }] }] }]) {
      expect(draftOf("a", { repository: "**", keep }), JSON.stringify(keep)).toMatchObject({ join: "json" });
    }
  });

  test("sends numbers as numbers, and leaves what is none to the registry", () => {
    expect(ruleOf(draft({ newest: "10" })).keep).toEqual({ newest: 10 });
    expect(ruleOf(draft({ newest: "ten" })).keep).toEqual({ newest: "ten" });
    expect(ruleOf(draft({ minors: "all", patches: "3" })).keep).toEqual({ semver: { minors: "all", patches: 3 } });
  });

  test("joins several conditions as it is told", () => {
    const keep = [{ newest: 3 }, { tags: ["main", "v*"] }];
    expect(ruleOf(draft({ newest: "3", keepTags: "main v*" })).keep).toEqual({ any: keep });
    expect(ruleOf(draft({ newest: "3", keepTags: "main v*", join: "all" })).keep).toEqual({ all: keep });
  });

  test("asks for a preview once there is a pattern and a condition", () => {
    expect(isAskable(draft({}))).toBe(false);
    expect(isAskable(draft({ repository: " ", newest: "3" }))).toBe(false);
    expect(isAskable(draft({ newest: "3" }))).toBe(true);
    expect(isAskable(draft({ join: "json" }))).toBe(false);
    expect(isAskable(draft({ join: "json", json: "{" }))).toBe(true);
  });

  test("does not replace another rule in silence", () => {
    expect(newNameOf(draft({ name: " dev " }), ["releases"])).toBe("dev");
    expect(() => newNameOf(draft({ name: "releases " }), ["releases"])).toThrow("edit that one");
    expect(() => newNameOf(draft({ name: "preview" }), [])).toThrow("meaning of its own");
  });

  test("does not send JSON that is none", () => {
    expect(() => ruleOf(draft({ join: "json", json: "{" }))).toThrow(ApiError);
  });

  test.each<[string, string | undefined, Partial<RetentionDraft>]>([
    ["repository", "repository", {}],
    ["rule.tags.1", "tags", {}],
    ["keep.newest", "newest", { newest: "0" }],
    ["rule.keep.any.1.pulledWithin", "pulledWithin", { newest: "3", pulledWithin: "1h" }],
    ["keep.all.1.tags.0", "keepTags", { newest: "3", keepTags: "?", join: "all" }],
    ["keep.any.1.semver.patches", "patches", { newest: "3", majors: "1", patches: "x" }],
    ["keep.semver", "minors", { minors: "1" }],
    ["keep", "newest", {}],
    ["rule.keep.any.0", "json", { join: "json", json: "{}" }],
    ["last", undefined, {}],
    ["constructor", undefined, {}],
  ])("shows what the registry says of %s beside %s", (path, field, change) => {
    expect(retentionFieldOf(draft(change))(path)).toBe(field);
  });
});

test.each([
  [{ newest: 1 }, "the newest"],
  [{ newest: 10 }, "the 10 newest"],
  [{ tags: ["main", "v*"] }, "tags like main, v*"],
  [{ any: [{ newest: 2 }, { pulledWithin: "30d" }] }, "the 2 newest, or pulled within 30d"],
  [
    { all: [{ any: [{ newest: 2 }, { tags: ["a"] }] }, { pushedWithin: "1d" }] },
    "(the 2 newest, or tags like a), and pushed within 1d",
  ],
  [
    { semver: { majors: 1, minors: "all", patches: 3, prereleases: 0 } },
    "the last versions (1 major, all minors, 3 patches, 0 pre-releases)",
  ],
  [{ semver: {} }, "every version"],
  [{ any: [{ phase: "moon" }] }, '{"any":[{"phase":"moon"}]}'],
  ["all", '"all"'],
])("%j in words", (keep, words) => {
  expect(describeKeep(keep)).toBe(words);
});
