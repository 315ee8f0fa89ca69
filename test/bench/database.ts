import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { type Database, migrate } from "./seeding.ts";

/** Gives an empty database of the simulator with all migrations to the work, and takes it away after. */
export async function withDatabase(work: (db: Database) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "stowage-bench-"));
  const runtime = new Miniflare({
    modules: true,
    script: "export default {};",
    compatibilityDate: "2026-07-28",
    d1Databases: { DB: "bench" },
    d1Persist: folder,
  });
  try {
    const db = await runtime.getD1Database("DB");
    await migrate(db);
    await work(db);
  } finally {
    await runtime.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}
