import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isRepositoryName, type RepositoryName } from "../../src/oci/repository-name.ts";
import { isRepositoryPattern, matchesRepository } from "../../src/policy/pattern.ts";
import { type Claims, grantsOf, isTrustTemplate, matchesClaims, mayGrant } from "../../src/policy/trust.ts";

const github: Claims = {
  iss: "https://token.actions.githubusercontent.com",
  aud: "stowage",
  sub: "repo:octo-org/octo-repo:ref:refs/heads/main",
  repository: "Octo-Org/octo-repo",
  repository_owner: "Octo-Org",
  repository_id: 123456789,
  ref: "refs/heads/main",
  ref_protected: true,
};

const kubernetes: Claims = {
  sub: "system:serviceaccount:ci:builder",
  "kubernetes.io": { namespace: "ci", serviceaccount: { name: "builder", "uid.of": "1" } },
};

/** As a token's JSON brings it: with properties of its own that are named like the prototype's. */
const parsed = (json: string) => JSON.parse(json) as Claims;

const repositoriesOf = (template: string, claims: Claims) =>
  grantsOf({ repositories: [template], actions: ["pull"] }, claims).map(({ repository }) => repository);

describe("a condition", () => {
  it.each<[Record<string, string>, Claims]>([
    [{ sub: "repo:octo-org/octo-repo:ref:refs/heads/main" }, github],
    [{ sub: "repo:octo-org/*" }, github],
    [{ sub: "*:ref:refs/heads/main" }, github],
    [{ sub: "repo:*/octo-repo:*:refs/*/main" }, github],
    [{ repository_owner: "Octo-Org", ref: "refs/heads/*" }, github],
    [{ repository_id: "123456789" }, github],
    [{ ref_protected: "true" }, github],
    [{ "kubernetes.io.namespace": "ci" }, kubernetes],
    [{ "kubernetes.io.serviceaccount.name": "build*" }, kubernetes],
    [{ "kubernetes.io.serviceaccount.uid.of": "1" }, kubernetes],
    [{ "a.b": "exact" }, { "a.b": "exact", a: { b: "nested" } }],
    [{ "a.b.c": "longest" }, { "a.b": { c: "longest" }, a: { "b.c": "shortest" } }],
    [{ "a.b.c": "shortest" }, { "a.b": { d: "1" }, a: { "b.c": "shortest" } }],
    [{ groups: "release-*" }, { groups: ["users", "release-managers"] }],
    [{ groups: "7" }, { groups: [1, 7] }],
    [{ a: "x*y" }, { a: "xy" }],
    [{ a: "x*y" }, { a: "x\n/\ny" }],
    [{ a: "**x**" }, { a: "x" }],
    [{ a: "*ab*ab" }, { a: "abab" }],
    [{ a: "-1.5" }, { a: -1.5 }],
    [{ a: "0" }, { a: -0 }],
    [{ "": "x" }, { "": "x" }],
    [{ __proto__x: "x" }, { __proto__x: "x" }],
    [parsed('{"__proto__":"x"}') as Record<string, string>, parsed('{"__proto__":"x"}')],
  ])("%j holds for %j", (claims, token) => {
    expect(matchesClaims({ claims }, token)).toBe(true);
  });

  it.each<[Record<string, string>, Claims]>([
    [{}, github],
    [{ sub: "repo:octo-org" }, github],
    [{ sub: "octo-org/*" }, github],
    [{ sub: "repo:octo-org/octo-repo:ref:refs/heads/mai" }, github],
    [{ repository_owner: "octo-org" }, github],
    [{ repository_owner: "Octo-Org", ref: "refs/tags/*" }, github],
    [{ environment: "production" }, github],
    [{ environment: "*" }, github],
    [{ "kubernetes.io": "*" }, kubernetes],
    [{ "kubernetes.io.namespace.x": "*" }, kubernetes],
    [{ kubernetes: "*" }, kubernetes],
    [{ "kubernetes.io.": "*" }, kubernetes],
    [{ "a.b": "nested" }, { "a.b": "exact", a: { b: "nested" } }],
    [{ "a.b": "nested" }, { "a.b": null, a: { b: "nested" } }],
    [{ "a.0": "x" }, { a: ["x"] }],
    [{ "a.length": "1" }, { a: ["x"] }],
    [{ "a.length": "1" }, { a: "x" }],
    [{ a: "*" }, { a: null }],
    [{ a: "*" }, { a: {} }],
    [{ a: "*" }, { a: [] }],
    [{ a: "*" }, { a: [["x"], { x: "x" }, null] }],
    [{ a: "[object Object]" }, { a: {} }],
    [{ a: "null" }, { a: null }],
    [{ a: "9007199254740992" }, parsed('{"a":9007199254740993}')],
    [{ a: "xy*yx" }, { a: "xyx" }],
    [{ a: "*ab*ab*" }, { a: "ab" }],
    [{ a: "x.z" }, { a: "xyz" }],
    [{ a: "(x|y)+" }, { a: "x" }],
    [{ a: "" }, { a: "x" }],
    [{ constructor: "*" }, {}],
    [{ "constructor.name": "Object" }, {}],
    [{ "__proto__.constructor.name": "*" }, {}],
    [{ toString: "*" }, {}],
    [{ "a.constructor.name": "*" }, { a: {} }],
  ])("%j does not hold for %j", (claims, token) => {
    expect(matchesClaims({ claims }, token)).toBe(false);
  });

  it("takes a bounded time, whatever the pattern and the token", () => {
    const claims = { a: `${"*a".repeat(120)}*b` };
    expect(matchesClaims({ claims }, { a: "a".repeat(16_000) })).toBe(false);
  });

  it("means what the regular expression means", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 12 });
    const pattern = fc.string({ unit: fc.constantFrom("a", "b", ".", "*"), maxLength: 6 });
    fc.assert(
      fc.property(pattern, text, (a, value) => {
        const expression = new RegExp(`^${a.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
        expect(matchesClaims({ claims: { a } }, { a: value })).toBe(expression.test(value));
      }),
    );
  });
});

describe("a template", () => {
  it.each<[string, Claims, string]>([
    ["team/app", {}, "team/app"],
    ["team/**", {}, "team/**"],
    ["**", {}, "**"],
    ["${repository}", github, "octo-org/octo-repo"],
    ["${repository}/**", github, "octo-org/octo-repo/**"],
    ["${repository}-*", github, "octo-org/octo-repo-*"],
    ["ci/${repository_owner}/*", github, "ci/octo-org/*"],
    ["${repository_owner}/${repository_owner}", github, "octo-org/octo-org"],
    ["by-id/${repository_id}", github, "by-id/123456789"],
    ["ns/${kubernetes.io.namespace}/**", kubernetes, "ns/ci/**"],
    ["${https://example.org/team}", { "https://example.org/team": "a__b" }, "a__b"],
    ["v${version}", { version: 1.5 }, "v1.5"],
    ["x/${__proto__}", parsed('{"__proto__":"own"}'), "x/own"],
  ])("%s with %j grants %s", (template, claims, repository) => {
    expect(repositoriesOf(template, claims)).toEqual([repository]);
  });

  it.each([
    "",
    "*",
    "**",
    "a*",
    "../b",
    "..",
    ".",
    "a/..",
    "a/../b",
    "/a",
    "a/",
    "/",
    "a//b",
    "-a",
    "a-",
    "_",
    "a b",
    "a\n",
    "a\0",
    "a%2fb",
    "a:b",
    "a@b",
    "a\\b",
    "${repository}",
    "$&",
    "ü",
    "\u212a8s",
    "\u0130",
    "a".repeat(251),
    null,
    {},
    [],
    ["a"],
    { a: "b" },
    -1,
    1e21,
    undefined,
  ])("grants nothing for the value %j", (value) => {
    expect(repositoriesOf("team/${claim}", { claim: value })).toEqual([]);
    expect(repositoriesOf("team/${claim}/**", { claim: value })).toEqual([]);
  });

  it.each(["__proto__", "constructor", "toString", "constructor.name", "__proto__.constructor.name"])(
    "grants nothing for %s, which no token holds",
    (claim) => {
      expect(repositoriesOf(`team/\${${claim}}`, {})).toEqual([]);
    },
  );

  it("that cannot be filled leaves the others as they are", () => {
    const rule = { repositories: ["a/${missing}", "b/${repository_owner}", "c"], actions: ["pull", "push"] as const };
    expect(grantsOf(rule, github)).toEqual([
      { repository: "b/octo-org", actions: ["pull", "push"] },
      { repository: "c", actions: ["pull", "push"] },
    ]);
  });

  it.each(["a", "**", "a/**", "*", "${a}", "${a}/**", "x-${a.b}-*/${c}", "${a}${b}", "${https://example.org/team}"])(
    "%s is valid",
    (text) => {
      expect(isTrustTemplate(text)).toBe(true);
    },
  );

  it.each([
    ...[
      "",
      "/",
      "a/",
      "A",
      "${}",
      "$a",
      "${a",
      "a}",
      "${${a}}",
      "${a}/",
      "/${a}",
      "${a}//b",
      "..",
      "${a}/..",
      "${a}**",
    ],
    ...["*/**", "${a}*/**", "a b", "${a}\n", "a".repeat(256), `\${${"a".repeat(255)}}`],
  ])("%j is not valid", (text) => {
    expect(isTrustTemplate(text)).toBe(false);
  });
});

describe("whatever the token says", () => {
  const piece = fc.constantFrom(
    "*",
    "**",
    "/",
    "..",
    ".",
    "a",
    "B",
    "-",
    "_",
    "${a}",
    "$",
    "\u212a",
    "team",
    "%2f",
    "\0",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join("")),
  );
  const value = fc.oneof(text, fc.jsonValue());
  const literal = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const stars = (of: string) => of.split("*").length;

  it("a grant keeps the template's text and wildcards, and has no others", () => {
    fc.assert(
      fc.property(literal, fc.constantFrom("", "/**", "/*", "-*/x"), value, value, (prefix, suffix, a, b) => {
        const template = `${prefix}/\${a}/${prefix}-\${b}${suffix}`;
        for (const repository of repositoriesOf(template, { a, b })) {
          expect(isRepositoryPattern(repository)).toBe(true);
          expect(repository.startsWith(`${prefix}/`)).toBe(true);
          expect(repository.endsWith(suffix)).toBe(true);
          expect(stars(repository)).toBe(stars(template));
          expect(repository.split("/")).not.toContain("..");
        }
      }),
    );
  });

  it("nobody gets what is another name's", () => {
    fc.assert(
      fc.property(literal, value, fc.boolean(), (own, other, isItself) => {
        const a = isItself ? own.toUpperCase() : other;
        const name = `team/${own}/app`;
        const isOwn = typeof a !== "object" && String(a).replace(/[A-Z]/g, (letter) => letter.toLowerCase()) === own;
        const grants = repositoriesOf("team/${a}/**", { a });
        expect(isRepositoryName(name) && grants.some((grant) => matchesRepository(grant, name))).toBe(isOwn);
      }),
    );
  });

  it("valid names are put in as they are", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9]{1,9}(?:(?:[./_]|__|-{1,3})[a-z0-9]{1,9}){0,4}$/), (name) => {
        expect(repositoriesOf("x/${a}/**", { a: name.toUpperCase() })).toEqual([`x/${name}/**`]);
      }),
    );
  });

  it("what is granted in a repository is granted by a template that may do so", () => {
    const part = fc.stringMatching(/^[ab]{1,2}(\/[ab]{1,2})?$/);
    const templates = fc.constantFrom(..."a/b a/* a/** ** ${a} a/${a} ${a}/${b} a-${a}/*b b/${b}/**".split(" "));
    const names = fc
      .array(fc.stringMatching(/^[ab]{1,2}$/), { minLength: 1, maxLength: 4 })
      .map((all) => all.join("/"));
    fc.assert(
      fc.property(templates, part, part, names, (template, a, b, name) => {
        if (!isRepositoryName(name)) return;
        const isGranted = repositoriesOf(template, { a, b }).some((pattern) => matchesRepository(pattern, name));
        if (isGranted) expect(mayGrant(template, name)).toBe(true);
      }),
    );
  });

  it.each([
    ["team/app", "team/app", true],
    ["team/app", "team/web", false],
    ["team/*", "team/a/b", false],
    ["team/${a}", "team/a/b", true],
    ["team/${a}", "teams/a", false],
    ["${a}/x/**", "a/x/y", true],
    ["${a}/x/**", "a/y/x", false],
  ])("%s may grant something in %s: %s", (template, name, may) => {
    expect(mayGrant(template, name as RepositoryName)).toBe(may);
  });

  it("a condition on a missing claim never holds", () => {
    fc.assert(
      fc.property(fc.dictionary(literal, value), (claims) => {
        expect(matchesClaims({ claims: { "not-there": "*" } }, claims)).toBe(false);
      }),
    );
  });
});
