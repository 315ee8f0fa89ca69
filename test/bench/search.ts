/**
 * What searches read and how long they take in a database of 10,000 repositories and 100,000 tags. `npm run bench:search`. The rows are
 * those that D1 bills, as its simulator counts them; times are of this machine.
 */
import type { Reader } from "../../src/metadata/reader.ts";
import type { Visibility } from "../../src/metadata/repositories.ts";
import { searchRepositories } from "../../src/metadata/search.ts";
import { toSearchTerm } from "../../src/oci/search-term.ts";
import type { RepositoryPattern } from "../../src/policy/pattern.ts";
import { withDatabase } from "./database.ts";
import { type Database, seedBigRepository, seedRepositories } from "./seeding.ts";

const REPOSITORIES = Number(process.argv[2] ?? 10_000);
const TAGS = Number(process.argv[3] ?? 100_000);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Gives each repository words: one that all have, and one of its own. */
async function seedWords(db: Database): Promise<void> {
  await db
    .prepare(
      `INSERT INTO image_words (repository_id, description, words)
       SELECT id, 'The application number ' || id, 'Acme Industries backend service word' || id FROM repositories`,
    )
    .run();
}

const pulls = (repository: string): Visibility => ({
  subjects: [],
  grants: [{ repository: repository as RepositoryPattern, actions: ["pull"] }],
});

const CALLERS: readonly (readonly [who: string, visibility: Visibility])[] = [
  ["an admin", "all"],
  ["someone with 1 repository in 200", pulls("team-007/*")],
  ["someone who may pull all", pulls("**")],
];

const TERMS: readonly (readonly [what: string, query: string])[] = [
  ["a whole name", "team-007/app-00007"],
  ["a part of one name in 100", "p-0077"],
  ["a part of all names", "team"],
  ["two letters that all begin with", "te"],
  ["a word of one repository", "word4711"],
  ["a word of all", "acme"],
  ["words that nobody has", "nothing at all"],
  ["nothing", ""],
];

/** Runs one query, and tells what it read. */
async function measure(db: Database, visibility: Visibility, query: string): Promise<string> {
  let rowsRead = 0;
  const reader = {
    prepare: (sql: string) => ({
      bind: (...values: unknown[]) => ({
        all: async () => {
          const answer = await db
            .prepare(sql)
            .bind(...values)
            .all();
          rowsRead = answer.meta.rows_read;
          return answer;
        },
      }),
    }),
  } as unknown as Reader;
  const started = performance.now();
  const { total } = await searchRepositories(reader, visibility, toSearchTerm(query), { offset: 0, limit: 25 });
  return `${total} found, ${rowsRead} rows read, ${(performance.now() - started).toFixed(0)} ms`;
}

await withDatabase(async (db) => {
  await seedBigRepository(db, { manifests: TAGS, untaggedEach: 0, manifestBytes: 100 });
  await seedRepositories(db, REPOSITORIES);
  await seedWords(db);
  for (const [who, visibility] of CALLERS) {
    for (const [what, query] of TERMS) say(`${who}, ${what}: ${await measure(db, visibility, query)}`);
  }
});
