/**
 * Whether operations take longer in a registry that holds much: `npm run bench:scale`. Each is done many times by the real Worker over
 * the simulator of D1, in turn in a database that holds a page of each kind, and in one of 1,000,000 blobs, 100,000 manifests,
 * 10,000 repositories, and 100,000 tags in the one repository that all is done in. Fails where an operation takes more than 1.5
 * times as long there, or reads so many rows more.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { buildWorker } from "../../scripts/local/build.ts";
import { readProject } from "../../scripts/local/project.ts";
import { BLOBS_EACH, type Growth, migrate, seedBigRepository, seedRepositories } from "./seeding.ts";
import { type Cost, measure, OPERATIONS, PASSWORD } from "./workload.ts";

const MANIFESTS = Number(process.argv[2] ?? 100_000);
/** That of an image of five layers. */
const MANIFEST_BYTES = 1_300;
/** Of each kind in the small database: more than a page. */
const PAGE = 250;
const SLOWER_MAX = 1.5;
/** The clock tells whole milliseconds: the mean of a thousand is right to so many. */
const NOISE_MS = 0.05;
/** A search may end on a row, or find none. */
const MORE_ROWS_MAX = 2;

const project = readProject(join(import.meta.dirname, "../.."));
const script = await buildWorker({ ...project, main: join(import.meta.dirname, "metered-worker.ts") });

interface Registry {
  readonly origin: string;
  readonly growth: Growth;
  readonly databaseBytes: number;
  readonly close: () => Promise<void>;
}

/** A registry with so much in it. */
async function open(manifests: number, repositories: number): Promise<Registry> {
  const folder = mkdtempSync(join(tmpdir(), "stowage-bench-"));
  const runtime = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.js", contents: script }],
    modulesRoot: ".",
    compatibilityDate: project.compatibilityDate,
    bindings: {
      ...project.vars,
      ...{ CONTENT_CACHE_TTL: "0s", BLOB_CACHE: "off" },
      ...{ ADMIN_PASSWORD: PASSWORD, TOKEN_SECRET: "a secret of more than 32 characters" },
    },
    d1Databases: { DB: "bench" },
    r2Buckets: { BUCKET: "bench" },
    defaultPersistRoot: folder,
    cf: false,
  });
  const close = async () => {
    await runtime.dispose();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const db = await runtime.getD1Database("DB");
    await migrate(db);
    const growth = await seedBigRepository(db, { manifests, untaggedEach: 0, manifestBytes: MANIFEST_BYTES });
    await seedRepositories(db, repositories);
    const { meta } = await db.prepare("SELECT 1").run();
    return { origin: (await runtime.ready).origin, growth, databaseBytes: meta.size_after, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Returns whether it takes as long in the large one. */
function compare(does: string, small: Cost, large: Cost): boolean {
  const ratio = large.databaseMs / small.databaseMs;
  const cells = [does, small.rowsRead, large.rowsRead, small.databaseMs.toFixed(2), large.databaseMs.toFixed(2)];
  say(`| ${cells.join(" | ")} | ${ratio.toFixed(2)} |`);
  const isFlat = large.databaseMs <= small.databaseMs * SLOWER_MAX + NOISE_MS;
  return isFlat && large.rowsRead <= small.rowsRead + MORE_ROWS_MAX;
}

function describeSize({ databaseBytes, growth }: Registry): void {
  say(`\nThe large database has ${Math.round(databaseBytes / 1e6)} MB. Bytes for each row, with its indexes:`);
  const many = ["blobs", "repository_blobs", "manifest_references"];
  for (const [table, bytes] of growth) {
    const rows = many.includes(table) ? MANIFESTS * BLOBS_EACH : MANIFESTS;
    say(`  ${table.padEnd(20)} ${Math.round(bytes / rows)}`);
  }
}

const registries: Registry[] = [];
try {
  registries.push(await open(PAGE, PAGE), await open(MANIFESTS, MANIFESTS / 10));
  const [small, large] = await measure(registries.map(({ origin }) => origin));
  say("| | rows read | among many | ms in the database | among many | ratio |\n| --- | --- | --- | --- | --- | --- |");
  for (const { does } of OPERATIONS) {
    const [before, after] = [small?.get(does), large?.get(does)];
    if (before === undefined || after === undefined) throw new Error(`${does}: not measured`);
    if (!compare(does, before, after)) process.exitCode = 1;
  }
  for (const registry of registries.slice(1)) describeSize(registry);
} finally {
  for (const { close } of registries) await close();
}
