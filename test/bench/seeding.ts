/** Databases of the simulator of D1 that hold as much as benchmarks want. Rows alone: no object backs them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Miniflare } from "miniflare";

export type Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

const MIGRATIONS = join(import.meta.dirname, "../../migrations");

export const BLOBS_EACH = 10;

/** What is in one transaction. */
const STEP = 5_000;

/** An empty registry. */
export async function migrate(db: Database): Promise<void> {
  for (const name of readdirSync(MIGRATIONS).sort()) {
    await db.prepare(`${readFileSync(join(MIGRATIONS, name), "utf8")}\nSELECT 1;`).run();
  }
}

export interface Seeding {
  readonly manifests: number;
  /** One of so many has no tag; 0: all have one. */
  readonly untaggedEach: number;
  /** The bytes of each manifest, of one row. */
  readonly manifestBytes: number;
}

/** Bytes that the database grew by for the rows of a table, with all indexes. */
export type Growth = Map<string, number>;

/**
 * Fills one repository, `big`, with manifests and tags that were pushed one by one, and ten blobs of its own for each manifest.
 * Digests come in no order, as they do.
 */
export async function seedBigRepository(
  db: Database,
  { manifests, untaggedEach, manifestBytes }: Seeding,
): Promise<Growth> {
  await db.prepare("INSERT INTO repositories (id, name, created_at) VALUES (1, 'big', 0)").run();
  const numbers = (from: number, to: number) =>
    `WITH RECURSIVE n (v) AS (SELECT ${from} UNION ALL SELECT v + 1 FROM n WHERE v < ${to})`;
  // The multiplier is odd: no two numbers become one.
  const digest = (kind: string, v: string) =>
    `'sha256:${kind}' || printf('%08x', (${v}) * 2654435761 % 4294967296) || printf('%055x', ${v})`;
  const [blob, manifest] = [(v: string) => digest("b", v), (v: string) => digest("a", v)];
  const tagged = untaggedEach === 0 ? "" : `WHERE v % ${untaggedEach} <> 0`;
  const growth: Growth = new Map();
  for (let first = 0; first < manifests; first += STEP) {
    const last = Math.min(first + STEP, manifests) - 1;
    const blobs = numbers(first * BLOBS_EACH, (last + 1) * BLOBS_EACH - 1);
    const all = numbers(first, last);
    const inserts: readonly (readonly [table: string, sql: string])[] = [
      [
        "blobs",
        `${blobs} INSERT INTO blobs (digest, size, object_key, created_at) SELECT ${blob("v")}, 1000, 'blobs/' || ${blob("v + 1")}, 0 FROM n`,
      ],
      [
        "repository_blobs",
        `${blobs} INSERT INTO repository_blobs (repository_id, digest, linked_at) SELECT 1, ${blob("v")}, 0 FROM n`,
      ],
      [
        "manifests",
        `${all} INSERT INTO manifests (repository_id, digest, media_type, size, bytes, pushed_at, pushed_by)
         SELECT 1, ${manifest("v")}, 'application/vnd.oci.image.manifest.v1+json', ${manifestBytes},
                printf('%.*c', ${manifestBytes}, 'x'), 0, 'account:bench' FROM n`,
      ],
      [
        "manifest_references",
        `${blobs} INSERT INTO manifest_references (repository_id, manifest_digest, position, role, digest)
         SELECT 1, ${manifest(`v / ${BLOBS_EACH}`)}, v % ${BLOBS_EACH}, 'layer', ${blob("v")} FROM n`,
      ],
      [
        "tags",
        `${all} INSERT INTO tags (repository_id, name, digest, updated_at) SELECT 1, 'v1.' || v, ${manifest("v")}, 0 FROM n ${tagged}`,
      ],
      [
        "tag_events",
        `${all} INSERT INTO tag_events (repository_id, name, digest, actor, occurred_at)
         SELECT 1, 'v1.' || v, ${manifest("v")}, 'account:bench', 0 FROM n ${tagged}`,
      ],
      [
        "audit_events",
        `${all} INSERT INTO audit_events (id, actor, credential, action, repository, tag, digest)
         SELECT v, 'account:bench', 'password', 'manifest.push', 'big', 'v1.' || v, ${manifest("v")} FROM n`,
      ],
    ];
    const { meta } = await db.prepare("SELECT 1").run();
    let size = meta.size_after;
    const results = await db.batch(inserts.map(([, sql]) => db.prepare(sql)));
    results.forEach((result, i) => {
      const table = inserts[i]?.[0] ?? "";
      growth.set(table, (growth.get(table) ?? 0) + result.meta.size_after - size);
      size = result.meta.size_after;
    });
    if (process.stderr.isTTY) process.stderr.write(`\rseeded ${last + 1} of ${manifests} manifests`);
  }
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  return growth;
}

/** So many repositories, with a manifest that is the same in all. */
export async function seedRepositories(db: Database, count: number): Promise<void> {
  const numbers = `WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < ${count})`;
  await db.batch(
    [
      `${numbers} INSERT INTO repositories (name, created_at) SELECT printf('team-%03d/app-%05d', v % 200, v), 0 FROM n`,
      `INSERT INTO manifests (repository_id, digest, media_type, size, bytes, pushed_at, pushed_by)
       SELECT id, 'sha256:' || printf('c%063x', id), 'x', 2, '{}', 0, 'account:bench' FROM repositories WHERE name LIKE 'team-%'`,
      `INSERT INTO tags (repository_id, name, digest, updated_at)
       SELECT repository_id, 'latest', digest, 0 FROM manifests WHERE media_type = 'x'`,
    ].map((sql) => db.prepare(sql)),
  );
}
