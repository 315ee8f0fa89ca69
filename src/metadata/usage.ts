import type { Reader } from "./reader.ts";

/** What is stored in all repositories. */
export interface Usage {
  readonly repositories: number;
  /** Objects in the bucket of blobs and manifests, until R2 has deleted them. Uploads under way are not among them. */
  readonly objects: number;
  /** Of these objects. */
  readonly bytes: number;
  /** Of these bytes, those that only repositories hold that mirror others. */
  readonly mirroredBytes: number;
  /** Of the database, with its indexes. */
  readonly databaseBytes: number;
}

const COLUMNS = "repositories, objects, bytes, mirrored_bytes AS mirroredBytes";

/** The counts that triggers keep. One query of one row. */
export async function readUsage(db: D1Database): Promise<Usage> {
  const { results, meta } = await db
    .prepare(`SELECT ${COLUMNS} FROM usage WHERE id = 1`)
    .all<Omit<Usage, "databaseBytes">>();
  const [counts] = results;
  if (counts === undefined) throw new Error("the table usage has lost its row");
  return { ...counts, databaseBytes: meta.size_after };
}

/** What was stored on a day. */
export interface UsageDay extends Omit<Usage, "databaseBytes"> {
  /** In UTC, such as 2026-11-21. */
  readonly day: string;
}

/** Keeps what is stored now as what was on a day. True if that is something else than was kept before. One query. */
export async function saveUsageDay(db: D1Database, day: string): Promise<boolean> {
  const { results } = await db
    .prepare(
      `INSERT INTO usage_days (day, repositories, objects, bytes, mirrored_bytes)
       SELECT ?1, repositories, objects, bytes, mirrored_bytes FROM usage WHERE id = 1
       ON CONFLICT (day) DO UPDATE SET
         repositories = excluded.repositories, objects = excluded.objects, bytes = excluded.bytes,
         mirrored_bytes = excluded.mirrored_bytes
       WHERE (usage_days.repositories, usage_days.objects, usage_days.bytes, usage_days.mirrored_bytes)
         <> (excluded.repositories, excluded.objects, excluded.bytes, excluded.mirrored_bytes)
       RETURNING day`,
    )
    .bind(day)
    .all();
  return results.length > 0;
}

/** What was stored on the days after one, the oldest first. One query, which reads these alone. */
export async function listUsageDays(db: Reader, after: string): Promise<UsageDay[]> {
  const { results } = await db
    .prepare(`SELECT day, ${COLUMNS} FROM usage_days WHERE day > ?1 ORDER BY day`)
    .bind(after)
    .all<UsageDay>();
  return results;
}
