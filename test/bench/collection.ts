/**
 * What a full pass of the collection reads: in a database of 1,000,000 blobs and 100,000 manifests, of which one in a hundred
 * is garbage. `npm run bench:collection`. The rows are those that D1 bills, as its simulator counts them.
 */
import { collect } from "../../src/metadata/collection.ts";
import { withDatabase } from "./database.ts";
import { BLOBS_EACH, type Database, seedBigRepository } from "./seeding.ts";

const MANIFESTS = Number(process.argv[2] ?? 100_000);
const GARBAGE_EACH = 100;
const BATCH = 200;

/** Rows read for each row of garbage. */
const READ_MAX = 5;

/** Rows that one garbage manifest is: itself, its references, and the links and blobs that only it needs. */
const ROWS_OF_MANIFEST = 1 + 3 * BLOBS_EACH;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
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

await withDatabase(async (db) => {
  await seedBigRepository(db, { manifests: MANIFESTS, untaggedEach: GARBAGE_EACH, manifestBytes: 100 });
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
  if (rowsRead > READ_MAX * garbageRows + 1_000) process.exitCode = 1;
});
