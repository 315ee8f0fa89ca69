import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { patternHolds } from "../../src/metadata/pattern.ts";
import type { Tag } from "../../src/oci/reference.ts";
import { isRepositoryName, type RepositoryName } from "../../src/oci/repository-name.ts";
import {
  contains,
  isRepositoryPattern,
  isTagPattern,
  matchesRepository,
  matchesTag,
  mayOverlap,
  rangeOf,
  type RepositoryPattern,
  type TagPattern,
} from "../../src/policy/pattern.ts";

const pattern = (text: string) => text as RepositoryPattern;
const name = (text: string) => text as RepositoryName;

it.each([
  ["a name", "team/app", ["team/app"], ["team", "team/app2", "team/app/x", "xteam/app", "team/ap"]],
  ["a segment", "team/*", ["team/app", "team/a-b"], ["team", "team/app/x", "teams/app", "other/app"]],
  ["part of a segment", "app-*", ["app-1", "app-a.b"], ["app", "app-1/x", "x/app-1"]],
  ["the middle of a segment", "a*z", ["az", "abz", "a-z"], ["a/z", "azb", "za"]],
  ["segments in between", "team/*/web", ["team/a/web"], ["team/web", "team/a/b/web", "team/a/web/x"]],
  ["several segments", "*/*", ["a/b"], ["a", "a/b/c"]],
  ["all below", "team/**", ["team/app", "team/app/x/y"], ["team", "teams/app", "x/team/app"]],
  ["everything", "**", ["a", "a/b/c"], []],
])("a pattern matches %s: %s", (_what, text, matching, others) => {
  expect(isRepositoryPattern(text)).toBe(true);
  for (const one of matching) expect(matchesRepository(pattern(text), name(one)), one).toBe(true);
  for (const one of others) expect(matchesRepository(pattern(text), name(one)), one).toBe(false);
});

it.each([
  ...[
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    "A",
    "team/App",
    "a b",
    "a..b",
    "..",
    "../a",
    "a/../b",
    "a%2fb",
    "a?",
    "[a]",
    "é",
    "a\n",
  ],
  ...["***", "a/***", "**/a", "a/**/b", "a**", "a/b**", "*/**", "te*m/**", "a*/**", "-*", ".*", "*-", "*.", "a/-*"],
  ...["a".repeat(256), `${"a".repeat(50)}*`, `${"a".repeat(253)}/**`],
])("%j is no pattern", (text) => {
  expect(isRepositoryPattern(text)).toBe(false);
});

it.each(["a".repeat(255), `${"a".repeat(252)}/**`, `${"a".repeat(49)}*`, "**", "*"])("%j is a pattern", (text) => {
  expect(isRepositoryPattern(text)).toBe(true);
});

const segment = fc.stringMatching(/^[ab]{1,3}([._-][ab]{1,2})?$/);
const names = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((segments) => segments.join("/"))
  .filter(isRepositoryName);
const wildSegment = fc.stringMatching(/^[ab*]{1,3}([._-][ab*]{1,2})?$/).filter((text) => !text.includes("**"));
const patterns = fc
  .oneof(
    fc.array(wildSegment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("/")),
    names,
    names.map((prefix) => `${prefix}/**`),
    fc.constant("**"),
  )
  .filter(isRepositoryPattern);

/** A pattern that takes for ever where each wildcard is tried at each place. */
const SLOW = pattern(`${"*a".repeat(24)}z`);

it("a pattern of many wildcards is matched in no more time than another", () => {
  expect(isRepositoryPattern(SLOW)).toBe(true);
  expect(matchesRepository(SLOW, name("a".repeat(255)))).toBe(false);
});

describe("in SQL", () => {
  /** What the generated columns of a table, and ranges made here, say of all pairs. */
  async function matchInSql(
    pairs: readonly (readonly [RepositoryPattern, RepositoryName])[],
  ): Promise<[number, number][]> {
    await env.DB.prepare("DELETE FROM policy_rules WHERE subject = 'account:parity'").run();
    const [, both] = await env.DB.batch<{ stored: number; computed: number }>([
      env.DB.prepare(
        `INSERT INTO policy_rules (subject, repository, actions, created_at, created_by)
         SELECT 'account:parity', value, '[]', 0, 'test' FROM json_each(?1) WHERE TRUE ON CONFLICT DO NOTHING`,
      ).bind(JSON.stringify(pairs.map(([one]) => one))),
      env.DB.prepare(
        `WITH computed AS (SELECT key, value ->> 'low' AS low, value ->> 'high' AS high, value ->> 'glob' AS glob,
                                  value ->> 'depth' AS depth, value ->> 'pattern' AS pattern FROM json_each(?1))
         SELECT ${patternHolds("p", "n.value")} AS stored, ${patternHolds("c", "n.value")} AS computed
         FROM json_each(?2) n
         JOIN computed c ON c.key = n.key
         JOIN policy_rules p ON p.subject = 'account:parity' AND p.repository = c.pattern
         ORDER BY n.key`,
      ).bind(
        JSON.stringify(pairs.map(([one]) => ({ ...rangeOf(one), pattern: one }))),
        JSON.stringify(pairs.map(([, one]) => one)),
      ),
    ]);
    return (both?.results ?? []).map(({ stored, computed }) => [stored, computed]);
  }

  it("the same names match, by the columns of a table and by ranges made here", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(patterns, names), { minLength: 1, maxLength: 200 }), async (pairs) => {
        const expected = pairs.map(([one, other]) => (matchesRepository(one, other) ? [1, 1] : [0, 0]));
        expect(await matchInSql(pairs)).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });

  it("patterns of the greatest length can be searched for", async () => {
    const longest = [pattern(`${"a".repeat(49)}*`), pattern(`${"a".repeat(252)}/**`), pattern("a".repeat(255))];
    expect(await matchInSql(longest.map((one) => [one, name("b")]))).toEqual(longest.map(() => [0, 0]));
    expect(await matchInSql([[SLOW, name("a".repeat(255))]])).toEqual([[0, 0]]);
  });
});

it("a pattern without wildcards matches nothing but itself", () => {
  fc.assert(
    fc.property(names, names, (one, other) => matchesRepository(pattern(one), other) === ((one as string) === other)),
  );
});

describe("two patterns", () => {
  it.each<[string, string, boolean]>([
    ["team/**", "team/*", true],
    ["team/**", "*", false],
    ["*", "team/**", false],
    ["team/*", "team/app", true],
    ["team/app", "team/a", false],
    ["*/a", "b/*", true],
    ["*/a", "b/c", false],
    ["a/*/c", "a/*", false],
    ["**", "a/b/c", true],
    ["team/**", "teams/**", false],
  ])("%s and %s may hold the same repository: %s", (one, other, expected) => {
    expect(mayOverlap(pattern(one), pattern(other))).toBe(expected);
    expect(mayOverlap(pattern(other), pattern(one))).toBe(expected);
  });

  it("of which one contains the other leave nothing of that one outside", () => {
    fc.assert(
      fc.property(patterns, patterns, names, (one, other, repository) => {
        fc.pre(contains(one, other) && matchesRepository(other, repository));
        return matchesRepository(one, repository);
      }),
    );
  });

  it("that hold the same one are never said not to", () => {
    fc.assert(
      fc.property(patterns, patterns, names, (one, other, repository) => {
        fc.pre(matchesRepository(one, repository) && matchesRepository(other, repository));
        return mayOverlap(one, other);
      }),
    );
  });
});

describe("a tag pattern", () => {
  const tag = (text: string) => text as Tag;
  it.each([
    ["dev-*", ["dev-1", "dev-"], ["dev", "xdev-1"]],
    ["*-rc*", ["v1-rc1", "-rc"], ["v1"]],
    ["v1.*", ["v1.0"], ["v1x0"]],
    ["latest", ["latest"], ["latest2"]],
    ["*", ["anything"], []],
  ])("%s matches as it reads", (text, matching, others) => {
    expect(isTagPattern(text)).toBe(true);
    for (const one of matching) expect(matchesTag(text as TagPattern, tag(one)), one).toBe(true);
    for (const one of others) expect(matchesTag(text as TagPattern, tag(one)), one).toBe(false);
  });

  it.each(["", "a b", "a?", "[a]", "é", "-a", ".a", "a/b", "a".repeat(51)])("%j is none", (text) => {
    expect(isTagPattern(text)).toBe(false);
  });
});
