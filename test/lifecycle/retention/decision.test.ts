import { describe, expect, it } from "vitest";
import { decideTags } from "../../../src/lifecycle/retention/decision.ts";
import type { RetentionRule } from "../../../src/lifecycle/retention/rule.ts";
import { parseRetentionRule } from "../../../src/lifecycle/retention/rule-schema.ts";
import type { TagState } from "../../../src/lifecycle/retention/tag-state.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import type { Tag } from "../../../src/oci/reference.ts";

const DAY = 86_400_000;
const NOW = 20_000 * DAY;

const rule = (keep: unknown, more: object = {}): RetentionRule =>
  parseRetentionRule({ repository: "**", keep, ...more });

/** A tag of so many days. */
const tag = (name: string, days = 0, more: Partial<TagState> = {}): TagState => ({
  tag: name as Tag,
  digest: `sha256:${"0".repeat(64)}` as Digest,
  pushedAt: NOW - days * DAY,
  immutable: false,
  ...more,
});

const pulled = (days: number) => ({ pulledAt: NOW - days * DAY });

/** What is decided of each tag, as a text. */
function decided(tags: readonly TagState[], ...rules: RetentionRule[]): Record<string, string> {
  return Object.fromEntries(
    decideTags({ tags, rules, now: NOW }).map(({ tag: name, keep, reason, rule: index }) => [
      name,
      `${keep ? "stays" : "goes"}: ${reason}${index === undefined ? "" : ` [${index}]`}`,
    ]),
  );
}

const AGED = [tag("new", 1), tag("old", 92)];

describe("one condition", () => {
  it.each<[string, unknown, TagState[], Record<string, string>]>([
    ["tags", { tags: ["new"] }, AGED, { new: "stays: matches new [0]", old: "goes: does not match new [0]" }],
    [
      "several tags",
      { tags: ["a*", "n*", "x"] },
      AGED,
      { new: "stays: matches n* [0]", old: "goes: matches none of a*, n*, x [0]" },
    ],
    ["newest 1", { newest: 1 }, AGED, { new: "stays: the newest [0]", old: "goes: not the newest [0]" }],
    [
      "newest 2, where names break ties",
      { newest: 2 },
      [tag("b", 5), tag("c", 5), tag("a", 5), tag("B", 5)],
      {
        b: "goes: not among the 2 newest [0]",
        c: "goes: not among the 2 newest [0]",
        a: "stays: one of the 2 newest [0]",
        B: "stays: one of the 2 newest [0]",
      },
    ],
    [
      "pushedWithin",
      { pushedWithin: "30d" },
      [tag("in", 30), tag("out", 30 + 1 / DAY), tag("future", -1), tag("today", 5 / 24)],
      {
        in: "stays: pushed 30 days ago [0]",
        out: "goes: pushed 30 days ago [0]",
        future: "stays: pushed just now [0]",
        today: "stays: pushed 5 hours ago [0]",
      },
    ],
    [
      "pulledWithin",
      { pulledWithin: "30d" },
      [
        ...[tag("used", 92, pulled(1)), tag("unused", 92, pulled(40)), tag("never", 92), tag("young", 2)],
        ...[tag("moved", 2, pulled(90)), tag("moved-long-ago", 60, pulled(90))],
      ],
      {
        used: "stays: last pulled 1 day ago [0]",
        unused: "goes: last pulled 40 days ago [0]",
        never: "goes: not pulled since it was pushed 92 days ago [0]",
        young: "stays: not pulled since it was pushed 2 days ago [0]",
        moved: "stays: not pulled since it was pushed 2 days ago [0]",
        "moved-long-ago": "goes: not pulled since it was pushed 60 days ago [0]",
      },
    ],
    [
      "semver",
      { semver: { patches: 1 } },
      [tag("v1.4.1"), tag("v1.4.2"), tag("latest")],
      {
        "v1.4.1": "goes: not the newest patch of 1.4 [0]",
        "v1.4.2": "stays: the newest patch of 1.4 [0]",
        latest: "goes: not a version [0]",
      },
    ],
  ])("%s", (_what, keep, tags, expected) => {
    expect(decided(tags, rule(keep))).toEqual(expected);
  });
});

describe("several conditions", () => {
  const tags = [tag("a", 1), tag("b", 2), tag("a2", 92), tag("c", 93)];

  it("any of them keeps", () => {
    expect(decided(tags, rule({ any: [{ pushedWithin: "30d" }, { newest: 1 }, { tags: ["a*"] }] }))).toEqual({
      a: "stays: pushed 1 day ago [0]",
      b: "stays: pushed 2 days ago [0]",
      a2: "stays: matches a* [0]",
      c: "goes: none of the conditions holds: pushed 93 days ago, not the newest, does not match a* [0]",
    });
  });

  it("all of them keep together", () => {
    expect(decided(tags, rule({ all: [{ pushedWithin: "30d" }, { tags: ["a*"] }] }))).toEqual({
      a: "stays: pushed 1 day ago, matches a* [0]",
      b: "goes: not every condition holds: does not match a* [0]",
      a2: "goes: not every condition holds: pushed 92 days ago [0]",
      c: "goes: not every condition holds: pushed 93 days ago, does not match a* [0]",
    });
  });

  it("nest", () => {
    const keep = { any: [{ all: [{ tags: ["a*"] }, { newest: 2 }] }, { tags: ["c"] }] };
    expect(decided(tags, rule(keep))).toEqual({
      a: "stays: matches a*, one of the 2 newest [0]",
      b: "goes: none of the conditions holds: does not match a*, does not match c [0]",
      a2: "goes: none of the conditions holds: not among the 2 newest, does not match c [0]",
      c: "stays: matches c [0]",
    });
  });

  it("are told of with bounds", () => {
    const keep = { any: ["p", "q", "r", "s", "t", "u"].map((pattern) => ({ tags: [pattern] })) };
    expect(decided([tag("p"), tag("x")], rule(keep)).x).toBe(
      "goes: none of the conditions holds: does not match p, does not match q, does not match r, does not match s, and 2 more [0]",
    );
  });
});

describe("what protects", () => {
  const none = { tags: ["nothing"] };

  it("is immutability, never, and being governed by no rule", () => {
    const tags = [tag("fixed", 9, { immutable: true }), tag("prod-1", 9), tag("b-1", 9), tag("a-1", 9), tag("a-2", 9)];
    const rules = [
      rule(none, { tags: ["a-*", "prod-*", "fixed"], never: ["x", "a-1"] }),
      rule(none, { tags: ["zzz"], never: ["prod-*"] }),
    ];
    expect(decided(tags, ...rules)).toEqual({
      fixed: "stays: is immutable",
      "prod-1": "stays: protected by never: prod-* [1]",
      "b-1": "stays: no rule governs it",
      "a-1": "stays: protected by never: a-1 [0]",
      "a-2": "goes: does not match nothing [0]",
    });
  });

  it("is everything, without rules", () => {
    expect(decided(AGED)).toEqual({ new: "stays: no rule governs it", old: "stays: no rule governs it" });
    expect(decided([], rule(none))).toEqual({});
  });

  it("is any one of the rules that govern a tag", () => {
    const rules = [rule({ pushedWithin: "30d" }), rule({ tags: ["o*"] }), rule({ newest: 9 }, { tags: ["x"] })];
    expect(decided([...AGED, tag("stale", 92)], ...rules)).toEqual({
      new: "stays: pushed 1 day ago [0]",
      old: "stays: matches o* [1]",
      stale: "goes: rule 1: pushed 92 days ago; rule 2: does not match o* [0]",
    });
  });

  it("does not change what is newest", () => {
    expect(decided([tag("latest", 1), tag("b", 2)], rule({ newest: 1 }, { never: ["latest"] }))).toEqual({
      latest: "stays: protected by never: latest [0]",
      b: "goes: not the newest [0]",
    });
  });

  it("counts only tags that the rule governs", () => {
    const tags = [tag("x", 0), tag("a-1", 1), tag("a-2", 2)];
    expect(decided(tags, rule({ newest: 1 }, { tags: ["a-*"] }))).toMatchObject({
      "a-1": "stays: the newest [0]",
      "a-2": "goes: not the newest [0]",
    });
  });
});

describe("the last tags of a repository", () => {
  const old = { pushedWithin: "30d" };
  const tags = [tag("a", 92), tag("b", 93)];

  it("stay", () => {
    expect(decided(tags, rule(old))).toEqual({
      a: "stays: no tag would be left; else it would go: pushed 92 days ago [0]",
      b: "stays: no tag would be left; else it would go: pushed 93 days ago [0]",
    });
  });

  it("go where the rule says that it may empty a repository", () => {
    expect(decided(tags, rule(old, { mayEmpty: true }))).toEqual({
      a: "goes: pushed 92 days ago [0]",
      b: "goes: pushed 93 days ago [0]",
    });
  });

  it("go with one that another rule keeps", () => {
    expect(decided([...tags, tag("c", 1)], rule(old)).a).toBe("goes: pushed 92 days ago [0]");
  });

  it("go by the rules that may empty it, and stay by those that may not", () => {
    const rules = [rule(old, { tags: ["a"] }), rule(old, { tags: ["b"], mayEmpty: true })];
    expect(decided(tags, ...rules)).toEqual({
      a: "stays: no tag would be left; else it would go: pushed 92 days ago [0]",
      b: "goes: pushed 93 days ago [1]",
    });
  });

  it("stay by a rule that may empty others", () => {
    expect(decided(tags, rule(old), rule(old, { tags: ["x"], mayEmpty: true })).a).toContain("stays");
  });

  it("are tags, not manifests: of two on one manifest, one may go", () => {
    expect(decided(tags, rule({ newest: 1 }))).toEqual({ a: "stays: the newest [0]", b: "goes: not the newest [0]" });
  });
});

describe("rules that may not remove", () => {
  const old = { pushedWithin: "30d" };
  const decide = (tags: TagState[], removers: number[], ...rules: RetentionRule[]) =>
    Object.fromEntries(
      decideTags({ tags, rules, removers: new Set(removers), names: ["x", "y", "z"], now: NOW }).map((one) => [
        one.tag,
        `${one.keep ? "stays" : "goes"}: ${one.reason}`,
      ]),
    );

  it("protect what they keep, and what they never let go", () => {
    const rules = [rule(old), rule({ tags: ["b"] }), rule({ newest: 1 }, { tags: ["none"], never: ["c"] })];
    expect(decide([tag("a", 92), tag("b", 92), tag("c", 92), tag("d", 1)], [0], ...rules)).toEqual({
      a: "goes: pushed 92 days ago",
      b: "stays: matches b",
      c: "stays: protected by never: c",
      d: "stays: pushed 1 day ago",
    });
  });

  it("remove nothing that they alone govern", () => {
    expect(decide([tag("a", 92), tag("b", 92), tag("c")], [0], rule(old, { tags: ["a"] }), rule(old))).toEqual({
      a: "goes: pushed 92 days ago",
      b: "stays: only rules that are not asked govern it",
      c: "stays: pushed just now",
    });
  });

  it("let no other rule empty a repository", () => {
    expect(decide([tag("a", 92)], [0], rule(old), rule(old, { mayEmpty: true })).a).toContain("stays");
    expect(decide([tag("a", 92)], [1], rule(old), rule(old, { mayEmpty: true })).a).toContain("goes");
  });

  it("are called by their names where several remove", () => {
    expect(decide([tag("a", 92), tag("b")], [1, 2], rule(old), rule(old), rule({ newest: 1 })).a).toBe(
      "goes: rule y: pushed 92 days ago; rule z: not the newest",
    );
  });
});
