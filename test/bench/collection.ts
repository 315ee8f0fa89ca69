/**
 * What a full pass of the collection reads: in a database of 1,000,000 blobs and 100,000 manifests, of which one in a hundred
 * is garbage. `npm run bench:collection`. The rows are those that D1 bills, as its simulator counts them.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { collect } from "../../src/metadata/collection.ts";

const MANIFESTS = Number(process.argv[2] ?? 100_000);
const BLOBS_EACH = 10;
const GARBAGE_EACH = 100;
const BATCH = 200;
const MIGRATIONS = join(import.meta.dirname, "../../migrations");

/** Rows that one garbage manifest is: itself, its references, and the links and blobs that only it needs. */
const ROWS_OF_MANIFEST = 1 + 3 * BLOBS_EACH;

type Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Rows alone: no object backs them. Every hundredth manifest has no tag. */
async function seed(db: Database): Promise<void> {
  const numbers = (from: number, to: number) =>
    `WITH RECURSIVE n (v) AS (SELECT ${from} UNION ALL SELECT v + 1 FROM n WHERE v < ${to})`;
  const blob = (v: string) => `'sha256:' || printf('b%063x', ${v})`;
  const manifest = (v: string) => `'sha256:' || printf('a%063x', ${v})`;
  await db.prepare("INSERT INTO repositories (id, name, created_at) VALUES (1, 'big', 0)").run();
  const step = 5_000;
  for (let first = 0; first < MANIFESTS; first += step) {
    const last = Math.min(first + step, MANIFESTS) - 1;
    const blobs = numbers(first * BLOBS_EACH, (last + 1) * BLOBS_EACH - 1);
    const manifests = numbers(first, last);
    await db.batch([
      db.prepare(
        `${blobs} INSERT INTO blobs (digest, size, object_key, created_at) SELECT ${blob("v")}, 1000, 'blobs/' || v, 0 FROM n`,
      ),
      db.prepare(
        `${blobs} INSERT INTO repository_blobs (repository_id, digest, linked_at) SELECT 1, ${blob("v")}, 0 FROM n`,
      ),
      db.prepare(
        `${manifests} INSERT INTO manifests (repository_id, digest, media_type, size, bytes, pushed_at, pushed_by)
         SELECT 1, ${manifest("v")}, 'x', 100, '{}', 0, 'bench' FROM n`,
      ),
      db.prepare(
        `${blobs} INSERT INTO manifest_references (repository_id, manifest_digest, position, role, digest)
         SELECT 1, ${manifest(`v / ${BLOBS_EACH}`)}, v % ${BLOBS_EACH}, 'layer', ${blob("v")} FROM n`,
      ),
      db.prepare(
        `${manifests} INSERT INTO tags (repository_id, name, digest, updated_at)
         SELECT 1, 't' || v, ${manifest("v")}, 0 FROM n WHERE v % ${GARBAGE_EACH} <> 0`,
      ),
    ]);
    if (process.stdout.isTTY) process.stdout.write(`\rseeded ${last + 1} of ${MANIFESTS} manifests`);
  }
  if (process.stdout.isTTY) process.stdout.write("\n");
}

/** Counts the rows that statements read and write. */
function counted(db: Database): {
  db: Parameters<typeof collect>[0];
  usage: { rowsRead: number; rowsWritten: number; roundTrips: number };
} {
  const usage = { rowsRead: 0, rowsWritten: 0, roundTrips: 0 };
  const batch: Database["batch"] = async (statements) => {
    const results = await db.batch(statements);
    usage.roundTrips += 1;
    for (const { meta } of results) {
      usage.rowsRead += meta.rows_read;
      usage.rowsWritten += meta.rows_written;
    }
    return results as never;
  };
  return { db: { prepare: db.prepare.bind(db), batch } as unknown as Parameters<typeof collect>[0], usage };
}

/** Collects until nothing is left, an hour passing between two runs. Returns how much went. */
async function pass(db: Database): Promise<{ manifests: number; blobs: number; idleRowsRead: number; usage: object }> {
  const { db: watched, usage } = counted(db);
  let [manifests, blobs, idle] = [0, 0, 0];
  for (let now = 1_000; idle < 2; now += 1_000) {
    const before = usage.rowsRead;
    const past = { now, linkedBefore: now - 1, condemnedBefore: now - 1, unheldBefore: now - 1 };
    const step = await collect(watched, { ...past, pushedBefore: now - 1, deletedBefore: now - 1 }, BATCH);
    manifests += step.manifests.length;
    blobs += step.blobs.length;
    const did = step.marked + step.manifests.length + step.condemned + step.links + step.blobs.length;
    idle = did === 0 ? idle + 1 : 0;
    if (did === 0 && idle === 2)
      return { manifests, blobs, idleRowsRead: usage.rowsRead - before, usage: { ...usage } };
  }
  throw new Error("unreachable");
}

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
  for (const name of readdirSync(MIGRATIONS).sort()) {
    await db.prepare(`${readFileSync(join(MIGRATIONS, name), "utf8")}\nSELECT 1;`).run();
  }
  await seed(db);
  const started = performance.now();
  const { manifests, blobs, idleRowsRead, usage } = await pass(db);
  const garbageRows = manifests * ROWS_OF_MANIFEST;
  const { rowsRead, rowsWritten, roundTrips } = usage as { rowsRead: number; rowsWritten: number; roundTrips: number };
  say(
    `${MANIFESTS} manifests, ${MANIFESTS * BLOBS_EACH} blobs; collected ${manifests} and ${blobs}: ${garbageRows} rows of garbage`,
  );
  say(
    `rows read ${rowsRead} (${(rowsRead / garbageRows).toFixed(2)} each), written ${rowsWritten}, ${roundTrips} transactions`,
  );
  say(`${((performance.now() - started) / 1000).toFixed(1)} s; a run with nothing to do reads ${idleRowsRead} rows`);
  if (rowsRead > 5 * garbageRows + 1_000) process.exitCode = 1;
} finally {
  await runtime.dispose();
  rmSync(folder, { recursive: true, force: true });
}
