import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Miniflare } from "miniflare";
import { Failure, reasonOf } from "./failure.ts";

/** A D1 database as Miniflare lends it to this process. */
export type D1Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

/** The table in which wrangler records migrations, to the letter. */
const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS "d1_migrations"(
		id         INTEGER PRIMARY KEY AUTOINCREMENT,
		name       TEXT UNIQUE,
		applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
);`;

/**
 * Applies the folder's migrations that the database lacks, in the order of their numbers, and returns their names. Each is
 * one transaction together with its record. A database that is ahead of the code is refused.
 */
export async function applyMigrations(database: D1Database, folder: string): Promise<string[]> {
  const names = listMigrations(folder);
  await database.prepare(CREATE_TABLE).run();
  const applied = await database.prepare('SELECT name FROM "d1_migrations" ORDER BY id').all<{ name: string }>();
  const appliedNames = new Set(applied.results.map((row) => row.name));
  const unknown = [...appliedNames].find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new Failure(
      `the database has the migration ${unknown}, which this version of Stowage does not know: run the newer version that made it, or choose another folder with --data`,
    );
  }
  const pending = names.filter((name) => !appliedNames.has(name));
  for (const name of pending) await applyMigration(database, folder, name);
  return pending;
}

function listMigrations(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".sql"))
      .sort((a, b) => parseInt(a, 10) - parseInt(b, 10) || (a < b ? -1 : 1));
  } catch (error) {
    throw new Failure(`cannot read the migrations: ${reasonOf(error)}`);
  }
}

/** Locally, D1 runs a text of several statements as one transaction, if the last is not a mere comment. */
async function applyMigration(database: D1Database, folder: string, name: string): Promise<void> {
  const sql = readFileSync(join(folder, name), "utf8");
  const record = `INSERT INTO "d1_migrations" (name) VALUES ('${name.replaceAll("'", "''")}');`;
  try {
    await database.prepare(`${sql}\n${record}`).run();
  } catch (error) {
    throw new Failure(`the migration ${name} failed and was rolled back: ${reasonOf(error)}`);
  }
}
