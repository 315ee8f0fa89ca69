import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isRepositoryName, type RepositoryName } from "../../src/oci/repository-name.ts";
import { type Action, ACTIONS } from "../../src/policy/action.ts";
import { isRepositoryPattern, matchesRepository, type RepositoryPattern } from "../../src/policy/pattern.ts";
import { allowedActions, type Grant } from "../../src/policy/policy.ts";

const rule = (repository: string, ...actions: Action[]): Grant => ({
  repository: repository as RepositoryPattern,
  actions,
});

describe("what rules allow", () => {
  it.each<[string, Grant[], string, Action[]]>([
    ["nothing without rules", [], "team/app", []],
    ["what the one rule says", [rule("team/app", "pull")], "team/app", ["pull"]],
    ["nothing elsewhere", [rule("team/app", "pull")], "team/app2", []],
    [
      "the sum of all rules that hold",
      [rule("team/*", "pull"), rule("team/app", "push")],
      "team/app",
      ["pull", "push"],
    ],
    ["no more by a narrow rule than by a wide one", [rule("**", "pull"), rule("team/app", "delete")], "a", ["pull"]],
    ["no pull with push", [rule("team/app", "push")], "team/app", ["push"]],
    ["no delete with push", [rule("**", "pull", "push")], "team/app", ["pull", "push"]],
    ["each action once, in order", [rule("**", "push", "pull"), rule("a", "pull", "push")], "a", ["pull", "push"]],
  ])("is %s", (_what, rules, repository, actions) => {
    expect(allowedActions(rules, repository as RepositoryName)).toEqual(actions);
  });
});

const segment = fc.constantFrom("a", "b", "ab", "a-b");
const names = fc
  .array(segment, { minLength: 1, maxLength: 3 })
  .map((segments) => segments.join("/"))
  .filter(isRepositoryName);
const patterns = fc
  .oneof(
    names,
    names.map((prefix) => `${prefix}/**`),
    fc
      .array(fc.oneof(segment, fc.constantFrom("*", "a*")), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join("/")),
    fc.constant("**"),
  )
  .filter(isRepositoryPattern);
const grants = fc.array(
  fc.record({ repository: patterns, actions: fc.subarray([...ACTIONS]) }) satisfies fc.Arbitrary<Grant>,
  { maxLength: 8 },
);

describe("no set of rules", () => {
  it("grants what no rule of it grants", () => {
    fc.assert(
      fc.property(grants, names, (rules, repository) => {
        for (const action of allowedActions(rules, repository)) {
          expect(
            rules.some((one) => matchesRepository(one.repository, repository) && one.actions.includes(action)),
          ).toBe(true);
        }
      }),
    );
  });

  it("withholds what a rule of it grants", () => {
    fc.assert(
      fc.property(grants, names, (rules, repository) => {
        for (const one of rules.filter((each) => matchesRepository(each.repository, repository))) {
          expect(allowedActions(rules, repository)).toEqual(expect.arrayContaining([...one.actions]));
        }
      }),
    );
  });

  it("loses anything by another rule, or gains by one for other repositories", () => {
    fc.assert(
      fc.property(grants, grants, names, (rules, others, repository) => {
        const before = allowedActions(rules, repository);
        expect(allowedActions([...rules, ...others], repository)).toEqual(expect.arrayContaining(before));
        const elsewhere = others.filter((one) => !matchesRepository(one.repository, repository));
        expect(allowedActions([...rules, ...elsewhere], repository)).toEqual(before);
      }),
    );
  });
});
