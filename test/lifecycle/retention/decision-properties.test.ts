import fc from "fast-check";
import { expect, it } from "vitest";
import { type Decision, decideTags } from "../../../src/lifecycle/retention/decision.ts";
import type { Condition, RetentionRule } from "../../../src/lifecycle/retention/rule.ts";
import type { TagState } from "../../../src/lifecycle/retention/tag-state.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import type { Tag } from "../../../src/oci/reference.ts";
import { matchesTag, type RepositoryPattern, type TagPattern } from "../../../src/policy/pattern.ts";

/** Few values of each kind, so that they meet. */
const NOW = 1_000;
const small = fc.integer({ min: 0, max: 3 });
const names = fc
  .oneof(
    fc.constantFrom("latest", "main", "a-1", "a-2", "b-1", "prod"),
    fc.tuple(small, small, small).map((numbers) => numbers.join(".")),
    fc.tuple(small, small).map((numbers) => `v${numbers.join(".")}`),
    small.map(String),
    fc.tuple(small, small).map(([patch, candidate]) => `1.0.${patch}-rc.${candidate}`),
  )
  .map((name) => name as Tag);
const states: fc.Arbitrary<TagState> = fc.record({
  tag: names,
  digest: small.map((digit) => `sha256:${String(digit).repeat(64)}` as Digest),
  pushedAt: fc.integer({ min: NOW - 10, max: NOW + 1 }),
  pulledAt: fc.option(fc.integer({ min: NOW - 10, max: NOW }), { nil: undefined }),
  immutable: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
});
const tagSets = fc.uniqueArray(states, { selector: ({ tag }) => tag, maxLength: 16 });

const patternLists = (minLength: number) =>
  fc.array(
    fc.constantFrom("*", "a-*", "b-*", "1*", "v*", "latest", "*.0").map((text) => text as TagPattern),
    { minLength, maxLength: 2 },
  );
const limit = fc.oneof(fc.constant("all" as const), fc.integer({ min: 1, max: 3 }));
const leaves: fc.Arbitrary<Condition> = fc.oneof(
  patternLists(1).map((patterns): Condition => ({ kind: "tags", patterns })),
  fc.integer({ min: 1, max: 4 }).map((count): Condition => ({ kind: "newest", count })),
  fc
    .tuple(fc.constantFrom("pushedWithin", "pulledWithin"), fc.integer({ min: 1, max: 10 }))
    .map(([kind, withinMs]): Condition => ({ kind, withinMs })),
  fc.record({
    kind: fc.constant("semver" as const),
    ...{ majors: limit, minors: limit, patches: limit },
    prereleases: fc.oneof(limit, fc.constant(0)),
  }),
);
const { conditions } = fc.letrec<{ conditions: Condition }>((tie) => ({
  conditions: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaves,
    fc
      .tuple(fc.constantFrom("all", "any"), fc.array(tie("conditions"), { minLength: 1, maxLength: 3 }))
      .map(([kind, inner]): Condition => ({ kind, conditions: inner })),
  ),
}));
const rules: fc.Arbitrary<RetentionRule> = fc.record({
  repository: fc.constant("**" as RepositoryPattern),
  tags: patternLists(1),
  never: patternLists(0).map((patterns) => patterns.filter((pattern) => pattern !== "*")),
  keep: conditions,
  mayEmpty: fc.boolean(),
});
const ruleLists = fc.array(rules, { maxLength: 3 });

const decide = (tags: readonly TagState[], list: readonly RetentionRule[]) =>
  decideTags({ tags, rules: list, now: NOW });
const matchesAny = (patterns: readonly TagPattern[], tag: Tag) => patterns.some((pattern) => matchesTag(pattern, tag));
const keptOf = (decisions: readonly Decision[]) => decisions.filter(({ keep }) => keep).map(({ tag }) => tag);
const byTag = (decisions: readonly Decision[]) => new Map(decisions.map((decision) => [decision.tag, decision]));

/** The condition, keeping more: one more of all that is counted. */
function widened(condition: Condition): Condition {
  switch (condition.kind) {
    case "all":
    case "any":
      return { ...condition, conditions: condition.conditions.map(widened) };
    case "newest":
      return { ...condition, count: condition.count + 1 };
    case "pushedWithin":
    case "pulledWithin":
      return { ...condition, withinMs: condition.withinMs + 1 };
    case "semver": {
      const more = (of: number | "all") => (of === "all" ? of : of + 1);
      const { majors, minors, patches, prereleases } = condition;
      return {
        kind: "semver",
        ...{ majors: more(majors), minors: more(minors), patches: more(patches), prereleases: more(prereleases) },
      };
    }
    case "tags":
      return condition;
  }
}

const RUNS = { numRuns: 500 };

it("each tag is decided once, in its place, with a reason and the digest that it had", () => {
  fc.assert(
    fc.property(tagSets, ruleLists, (tags, list) => {
      const decisions = decide(tags, list);
      expect(decisions.map(({ tag, digest }) => [tag, digest])).toEqual(tags.map(({ tag, digest }) => [tag, digest]));
      for (const { reason } of decisions) expect(reason).toMatch(/^[a-z].{4,400}$/);
    }),
    RUNS,
  );
});

it("no tag goes that is immutable, protected, or governed by no rule", () => {
  fc.assert(
    fc.property(tagSets, ruleLists, (tags, list) => {
      const decisions = byTag(decide(tags, list));
      for (const { tag, immutable } of tags) {
        const isProtected = list.some(({ never }) => matchesAny(never, tag));
        const isGoverned = list.some((rule) => matchesAny(rule.tags, tag));
        if (immutable || isProtected || !isGoverned) expect(decisions.get(tag)?.keep, tag).toBe(true);
      }
    }),
    RUNS,
  );
});

it("a tag that goes is governed by the rule that is named, and would go by each that governs it alone", () => {
  fc.assert(
    fc.property(tagSets, ruleLists, (tags, list) => {
      for (const { tag, keep, rule } of decide(tags, list)) {
        if (keep) continue;
        expect(matchesAny(list[rule ?? -1]?.tags ?? [], tag)).toBe(true);
        for (const one of list.filter((each) => matchesAny(each.tags, tag))) {
          expect(byTag(decide(tags, [{ ...one, mayEmpty: true }])).get(tag)?.keep).toBe(false);
        }
      }
    }),
    RUNS,
  );
});

it("a rule that governs and protects nothing changes nothing", () => {
  fc.assert(
    fc.property(tagSets, ruleLists, rules, (tags, list, other) => {
      const idle = { ...other, tags: ["zzz-*" as TagPattern], never: [] };
      expect(decide(tags, [...list, idle])).toEqual(decide(tags, list));
    }),
    RUNS,
  );
});

it("another rule removes nothing that a rule keeps", () => {
  fc.assert(
    fc.property(tagSets, ruleLists, rules, (tags, list, other) => {
      const governed = new Set(
        tags.map(({ tag }) => tag).filter((tag) => list.some((one) => matchesAny(one.tags, tag))),
      );
      const before = decide(
        tags,
        list.map((one) => ({ ...one, mayEmpty: true })),
      ).filter(({ tag }) => governed.has(tag));
      expect(keptOf(decide(tags, [...list, other]))).toEqual(expect.arrayContaining(keptOf(before)));
    }),
    RUNS,
  );
});

it("the order of the tags does not matter", () => {
  const shuffled = tagSets.chain((tags) =>
    fc.tuple(fc.constant(tags), fc.shuffledSubarray(tags, { minLength: tags.length })),
  );
  fc.assert(
    fc.property(shuffled, ruleLists, ([tags, others], list) => {
      expect(byTag(decide(others, list))).toEqual(byTag(decide(tags, list)));
    }),
    RUNS,
  );
});

// Where none would be left, all stay: by one that keeps a little more, the others may go.
it("who keeps more, in numbers or in time, keeps all that was kept, where a repository may be emptied", () => {
  fc.assert(
    fc.property(tagSets, ruleLists, (tags, list) => {
      const mayEmpty = list.map((rule) => ({ ...rule, mayEmpty: true }));
      const more = mayEmpty.map((rule) => ({ ...rule, keep: widened(rule.keep) }));
      expect(keptOf(decide(tags, more))).toEqual(expect.arrayContaining(keptOf(decide(tags, mayEmpty))));
    }),
    RUNS,
  );
});

it("once the tags are gone, nothing more goes", () => {
  fc.assert(
    fc.property(tagSets, ruleLists, (tags, list) => {
      const kept = new Set(keptOf(decide(tags, list)));
      const left = tags.filter(({ tag }) => kept.has(tag));
      expect(keptOf(decide(left, list))).toEqual(left.map(({ tag }) => tag));
    }),
    RUNS,
  );
});

it("a repository is emptied only by a rule that says so, and governs each tag that goes", () => {
  fc.assert(
    fc.property(tagSets, ruleLists, (tags, list) => {
      if (tags.length === 0 || keptOf(decide(tags, list)).length > 0) return;
      for (const { tag } of tags) expect(list.some((one) => one.mayEmpty && matchesAny(one.tags, tag))).toBe(true);
    }),
    RUNS,
  );
});
