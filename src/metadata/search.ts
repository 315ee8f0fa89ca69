import type { RepositoryName } from "../oci/repository-name.ts";
import type { SearchTerm } from "../oci/search-term.ts";
import { Parameters } from "./listing.ts";
import type { Reader } from "./reader.ts";
import { type Visibility, visibleJson, visibleSql } from "./repositories.ts";

/** Which of what was found. */
export interface SearchPage {
  readonly offset: number;
  readonly limit: number;
}

/** A repository that was found. */
export interface SearchResult {
  readonly name: RepositoryName;
  /** What was set, or else what its newest image says. */
  readonly description: string;
  readonly stars: number;
  readonly isOfficial: boolean;
}

/** Some of the repositories that were found, best first, and how many they are. */
export interface SearchResults {
  readonly results: readonly SearchResult[];
  readonly total: number;
}

/** What a word in each column of repository_words is worth: name, description, readme, words. */
const WEIGHTS = "10, 5, 1, 2";

/** A name begins with the term; one of its segments does; the term is elsewhere in it; or in no name at all. */
const CLASSES = (text: string) =>
  `CASE WHEN r.name = ${text} THEN 0 WHEN SUBSTR(r.name, 1, LENGTH(${text})) = ${text} THEN 1
        WHEN INSTR(r.name, '/' || ${text}) > 0 THEN 2 WHEN INSTR(r.name, ${text}) > 0 THEN 3 ELSE 4 END`;

/** Statements that find repositories, by their ids and how well their words match; each has a repository once. */
function findersOf({ text, part, words }: SearchTerm, parameters: Parameters): string[] {
  if (text === "") return ["SELECT id, 0 FROM repositories"];
  return [
    ...(words === undefined
      ? []
      : [
          `SELECT rowid, bm25(repository_words, ${WEIGHTS}) FROM repository_words
           WHERE repository_words MATCH ${parameters.add(words)}`,
        ]),
    part === undefined
      ? `SELECT id, 0 FROM repositories WHERE name >= ${parameters.add(text)} AND name < ${parameters.add(`${text}~`)}`
      : `SELECT rowid, 0 FROM repository_names WHERE repository_names MATCH ${parameters.add(part)}`,
  ];
}

/**
 * Repositories that someone may see and that a term is found in: those first whose names begin with it, then those whose names hold it,
 * then by how well it matches. One query, which reads all that is found, and all that someone who may not see everything may see.
 */
export async function searchRepositories(
  db: Reader,
  visibility: Visibility,
  term: SearchTerm,
  { offset, limit }: SearchPage,
): Promise<SearchResults> {
  const parameters = new Parameters();
  const finders = findersOf(term, parameters);
  let [patterns, isVisible] = ["", "TRUE"];
  if (visibility !== "all") {
    const { subjects, ranges } = visibleJson(visibility);
    const added = { subjects: parameters.add(subjects), ranges: parameters.add(ranges), after: parameters.add("") };
    const visible = visibleSql(added);
    patterns = `${visible.patterns}, seen (id) AS MATERIALIZED (SELECT r.id FROM ${visible.repositories}),`;
    isVisible = "found.id IN (SELECT id FROM seen)";
  }
  const text = parameters.add(term.text);
  const sql = `
    WITH ${patterns}
    hits (id, score) AS (${finders.join(" UNION ALL ")}),
    found (id, score) AS MATERIALIZED (SELECT id, MIN(score) FROM hits GROUP BY id),
    ranked (id, name, class, score, stars, is_official, description, total) AS (
      SELECT r.id, r.name, ${CLASSES(text)}, found.score, r.stars, r.is_official, r.description, COUNT(*) OVER ()
      FROM found CROSS JOIN repositories r ON r.id = found.id WHERE ${isVisible})
    SELECT ranked.name, COALESCE(ranked.description, i.description, '') AS description, ranked.stars, ranked.is_official, ranked.total
    FROM ranked LEFT JOIN image_words i ON i.repository_id = ranked.id
    ORDER BY ranked.class, IIF(ranked.class = 4, ranked.score, 0), ranked.is_official DESC, ranked.stars DESC, ranked.name
    LIMIT ${parameters.add(limit)} OFFSET ${parameters.add(offset)}`;
  const { results } = await db
    .prepare(sql)
    .bind(...parameters.values)
    .all<Omit<SearchResult, "isOfficial"> & { is_official: 0 | 1; total: number }>();
  return {
    results: results.map(({ name, description, stars, is_official }) => ({
      ...{ name, description, stars, isOfficial: is_official === 1 },
    })),
    total: results[0]?.total ?? 0,
  };
}
