import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toSearchTerm } from "../../src/oci/search-term.ts";

describe("a search term", () => {
  it.each([
    ["nginx", { text: "nginx", part: '"nginx"', words: '"nginx"*' }],
    ["  Web  Server ", { text: "web  server", part: '"web  server"', words: '"web"* AND "server"*' }],
    ['a"b', { text: 'a"b', part: '"a""b"', words: '"a""b"*' }],
    ["ab", { text: "ab", part: undefined, words: '"ab"*' }],
    ["-- *", { text: "-- *", part: '"-- *"', words: undefined }],
    ["", { text: "", part: undefined, words: undefined }],
    ["a - b", { text: "a - b", part: '"a - b"', words: '"a"* AND "b"*' }],
  ])("of %j", (query, term) => {
    expect(toSearchTerm(query)).toEqual(term);
  });

  it("is no error to SQLite, whatever it is made of", async () => {
    const statement = env.DB.prepare(
      `SELECT (SELECT COUNT(*) FROM repository_words WHERE repository_words MATCH ?1),
              (SELECT COUNT(*) FROM repository_names WHERE repository_names MATCH ?2)`,
    );
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('"', "*", "^", "-", "+", ":", "(", ")", "{", "}", " ", "\\", "\0"),
        fc.string({ unit: "binary", maxLength: 1 }),
      ),
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(text, async (query) => {
        const { part = '"none"', words = '"none"' } = toSearchTerm(query);
        await statement.bind(words, part).run();
      }),
      { numRuns: 50 },
    );
  });
});
