import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import { matchesRepository, type RepositoryPattern } from "../../src/policy/pattern.ts";
import { pushImage } from "../support/images.ts";
import { addAccount, createToken, grant, type Person, setVisibility } from "../support/people.ts";
import { ask, freshWord, namesFound, searchPath } from "../support/searching.ts";

const word = freshWord();

/** Repositories of a few shapes, and patterns for some of them. */
const NAMES = ["a", "b", "a/x", "a/y", "b/x", "a/x/deep", "ab-c"].map((name) => `${word}/${name}`);
const PATTERNS = ["a", "a/*", "a/**", "b/*", "*/x", "ab*", "**", "*", "c"].map((pattern) => `${word}/${pattern}`);
/** Words, names and parts of them, with syntax that means nothing. */
const QUERIES = [word, `${word}/a`, word.slice(2, 9), `${word} x`, `"${word}"`, `${word} OR ${word}`, `${word}*`, ""];

beforeAll(async () => {
  for (const name of NAMES) await pushImage(name, { tag: "v1" });
});

const mayPull = (patterns: readonly string[], name: string) =>
  patterns.some((pattern) => matchesRepository(pattern as RepositoryPattern, name as RepositoryName));

const isValid = (pattern: string) => !pattern.includes("**") || !pattern.slice(0, -2).includes("*");

describe("whoever searches", () => {
  it("finds nothing that they may not pull, and all that they may", async () => {
    await setVisibility(NAMES[1]!, "public");
    const patternsOf = fc.uniqueArray(fc.constantFrom(...PATTERNS.filter(isValid)), { maxLength: 3 });
    const property = fc.asyncProperty(patternsOf, fc.boolean(), async (patterns, isToken) => {
      // A token is made with a pattern; an account has any number of them.
      const [first, ...others] = patterns;
      const asToken = isToken && first !== undefined;
      const person: Person = asToken ? await createToken(first, ["pull"]) : await addAccount();
      const rest = asToken ? others : patterns;
      const subject = `${asToken ? "token" : "account"}:${person.name}`;
      await grant(subject, Object.fromEntries(rest.map((pattern) => [pattern, ["pull"]])));
      const visible = NAMES.filter((name) => mayPull([...patterns, NAMES[1]!], name)).toSorted();
      expect((await namesFound(word, person)).toSorted()).toEqual(visible);
      for (const q of QUERIES) {
        const found = await ask(searchPath(q, { n: "100" }), person);
        const ours = found.results.map(({ name }) => name).filter((name) => name.startsWith(word));
        expect(ours.filter((name) => !visible.includes(name))).toEqual([]);
        if (q.includes(word)) expect(found.num_results).toBe(found.results.length);
      }
    });
    await fc.assert(property, { numRuns: 10 });
  });
});
