import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CONDITIONS_MAX, DEPTH_MAX, LIST_MAX } from "../../../src/lifecycle/retention/condition-schema.ts";
import { type Condition, retentionRulesFor } from "../../../src/lifecycle/retention/rule.ts";
import { parseRetentionRule } from "../../../src/lifecycle/retention/rule-schema.ts";
import { OciError } from "../../../src/oci/error.ts";
import type { RepositoryName } from "../../../src/oci/repository-name.ts";
import type { RepositoryPattern } from "../../../src/policy/pattern.ts";

const DAY = 86_400_000;
const leaf = { newest: 1 };

/** The condition within so many lists. */
function nested(lists: number, inner: unknown = leaf): unknown {
  return lists === 0 ? inner : { any: [nested(lists - 1, inner)] };
}

const list = (length: number, entry: unknown = leaf) => Array.from({ length }, () => entry);

function refusalOf(value: unknown): OciError {
  try {
    parseRetentionRule(value);
  } catch (error) {
    if (error instanceof OciError) return error;
    throw error;
  }
  throw new Error("the rule was taken");
}

describe("a rule", () => {
  it("is read, with what it leaves out", () => {
    expect(parseRetentionRule({ repository: "team/**", keep: leaf })).toEqual({
      repository: "team/**",
      tags: ["*"],
      never: [],
      keep: { kind: "newest", count: 1 },
      mayEmpty: false,
    });
  });

  it("is read, with all that it may say", () => {
    const rule = { repository: "app", tags: ["v*", "1.*"], never: ["latest"], keep: leaf, mayEmpty: true };
    expect(parseRetentionRule(rule)).toEqual({ ...rule, keep: { kind: "newest", count: 1 } });
  });

  it("is for the repositories of its pattern", () => {
    const rules = ["app", "team/*", "**"].map((pattern) => ({ repository: pattern as RepositoryPattern }));
    expect(retentionRulesFor(rules, "team/app" as RepositoryName)).toEqual(rules.slice(1));
  });

  it.each<[unknown, string]>([
    [null, "use an object of repository, tags, never, keep, mayEmpty"],
    ["{}", "use an object of"],
    [[], "repository: is missing"],
    [{}, "repository: is missing"],
    [{ repository: "app" }, "keep: is missing"],
    [{ repository: "App", keep: leaf }, "repository: use a repository name"],
    [{ repository: 7, keep: leaf }, "repository: use a repository name"],
    [{ repository: "app", keep: leaf, kep: 1 }, "kep: is not known: use repository, tags, never, keep, mayEmpty"],
    [JSON.parse('{"repository":"app","keep":{"newest":1},"__proto__":{}}'), "__proto__: is not known"],
    [JSON.parse('{"repository":"app","keep":{"newest":1},"toString":{}}'), "toString: is not known"],
    [{ repository: "app", keep: leaf, tags: [] }, "tags: use a list of 1 to 64 tag patterns"],
    [{ repository: "app", keep: leaf, tags: "*" }, "tags: use a list of 1 to 64 tag patterns"],
    [{ repository: "app", keep: leaf, tags: ["*", "a b"] }, "tags.1: use a tag in which * stands"],
    [{ repository: "app", keep: leaf, never: [7] }, "never.0: use a tag pattern"],
    [{ repository: "app", keep: leaf, never: list(65, "a") }, "never: use a list"],
    [{ repository: "app", keep: leaf, mayEmpty: "no" }, "mayEmpty: use true or false"],
  ])("%j is refused", (value, message) => {
    const error = refusalOf(value);
    expect(error.code).toBe("REQUEST_INVALID");
    expect(error.message).toContain(message);
    expect(error.message.startsWith(message.split(":", 1)[0] ?? "")).toBe(true);
  });
});

describe("a condition", () => {
  it.each<[unknown, Condition]>([
    [{ tags: ["v*"] }, { kind: "tags", patterns: ["v*" as never] }],
    [{ newest: 10_000 }, { kind: "newest", count: 10_000 }],
    [{ pushedWithin: "12h" }, { kind: "pushedWithin", withinMs: DAY / 2 }],
    [{ pulledWithin: "1d" }, { kind: "pulledWithin", withinMs: DAY }],
    [{ semver: {} }, { kind: "semver", majors: "all", minors: "all", patches: "all", prereleases: 0 }],
    [
      { semver: { majors: 2, minors: "all", patches: 3, prereleases: "all" } },
      { kind: "semver", majors: 2, minors: "all", patches: 3, prereleases: "all" },
    ],
    [
      { any: [{ all: [leaf, { pushedWithin: "1s" }] }, leaf] },
      {
        kind: "any",
        conditions: [
          {
            kind: "all",
            conditions: [
              { kind: "newest", count: 1 },
              { kind: "pushedWithin", withinMs: 1000 },
            ],
          },
          { kind: "newest", count: 1 },
        ],
      },
    ],
  ])("%j is read", (keep, condition) => {
    expect(parseRetentionRule({ repository: "app", keep }).keep).toEqual(condition);
  });

  it.each<[unknown, string]>([
    [undefined, "keep: use an object of one of all, any, tags, newest, pushedWithin, pulledWithin, semver"],
    [null, "keep: use an object of one of"],
    [[leaf], "keep: use an object of one of"],
    [{}, "keep: use an object of one of"],
    [{ newst: 1 }, "keep: use an object of one of"],
    [{ constructor: 1 }, "keep: use an object of one of"],
    [{ newest: 1, pushedWithin: "1d" }, 'keep: has newest and pushedWithin: join them by "all" or "any"'],
    [{ newest: 1, of: "x" }, "keep.of: is not known: use newest"],
    [{ all: [leaf], of: "x" }, "keep.of: is not known: use all"],
    [{ all: [] }, "keep.all: use a list of 1 to 16 conditions"],
    [{ any: leaf }, "keep.any: use a list of 1 to 16 conditions"],
    [{ any: list(LIST_MAX + 1) }, "keep.any: use a list of 1 to 16 conditions"],
    [{ any: [leaf, { all: [leaf, { newest: 0 }] }] }, "keep.any.1.all.1.newest: use a whole number from 1 to 10000"],
    [{ newest: "10" }, "keep.newest: use a whole number"],
    [{ newest: 1.5 }, "keep.newest: use a whole number"],
    [{ newest: 10_001 }, "keep.newest: use a whole number"],
    [{ newest: "all" }, "keep.newest: use a whole number"],
    [{ tags: [] }, "keep.tags: use a list of 1 to 64 tag patterns"],
    [{ tags: ["a/b"] }, "keep.tags.0: use a tag in which"],
    [{ pushedWithin: "0d" }, "keep.pushedWithin: use a duration such as"],
    [{ pushedWithin: "30" }, "keep.pushedWithin: use a duration such as"],
    [{ pushedWithin: 30 }, "keep.pushedWithin: use a duration such as"],
    [{ pushedWithin: "36501d" }, "keep.pushedWithin: use a duration of 36500d or less"],
    [{ pulledWithin: "23h" }, "keep.pulledWithin: use a duration such as 30d, of 1d or more"],
    [{ semver: { patches: 0 } }, 'keep.semver.patches: use a whole number from 1 to 10000, or "all"'],
    [{ semver: { majors: "some" } }, 'keep.semver.majors: use a whole number from 1 to 10000, or "all"'],
    [{ semver: { prereleases: -1 } }, "keep.semver.prereleases: use a whole number from 0"],
    [{ semver: { patch: 3 } }, "keep.semver.patch: is not known: use majors, minors, patches, prereleases"],
    [{ semver: [] }, "keep.semver: use an object, not a list"],
    [{ semver: 3 }, "keep.semver: use an object of majors"],
  ])("%j is refused", (keep, message) => {
    expect(refusalOf({ repository: "app", keep }).message).toContain(message);
  });

  it("has a bounded depth", () => {
    expect(() => parseRetentionRule({ repository: "app", keep: nested(DEPTH_MAX - 1) })).not.toThrow();
    expect(refusalOf({ repository: "app", keep: nested(DEPTH_MAX) }).message).toContain(
      "keep.any.0.any.0.any.0: lies too deep",
    );
    const deep = JSON.parse(`${'{"any":['.repeat(20_000)}{"newest":1}${"]}".repeat(20_000)}`) as unknown;
    expect(refusalOf({ repository: "app", keep: deep }).message).toContain("lies too deep");
  });

  it("has a bounded number of conditions within it", () => {
    const keep = (last: number) => ({ any: [{ any: list(15) }, { any: list(last) }] });
    expect(() => parseRetentionRule({ repository: "app", keep: keep(CONDITIONS_MAX - 18) })).not.toThrow();
    expect(refusalOf({ repository: "app", keep: keep(CONDITIONS_MAX - 17) }).message).toContain(
      "keep: has more than 32 conditions",
    );
  });

  it("is read or refused, whatever it is", () => {
    const key = fc.constantFrom("all", "any", "tags", "newest", "pushedWithin", "pulledWithin", "semver", "__proto__");
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom(1, 0, "1d", "*", "all", null, true),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(key, tie("value"), { maxKeys: 2 }),
      ),
    }));
    fc.assert(
      fc.property(value, (keep) => {
        try {
          expect(parseRetentionRule({ repository: "app", keep }).keep.kind).toBeDefined();
        } catch (error) {
          if (!(error instanceof OciError)) throw error;
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
