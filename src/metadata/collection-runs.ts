/** What a run of the collection did, in numbers. */
export interface CollectionOutcome {
  /** Manifests that were found to be held by nothing. */
  readonly marked: number;
  /** Links of blobs whose grace began. */
  readonly condemned: number;
  readonly manifests: number;
  readonly links: number;
  readonly blobs: number;
  /** Of the manifests and blobs: what is freed when their objects are gone. */
  readonly bytes: number;
}

/** Times are milliseconds since the epoch. */
export interface CollectionRun {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: CollectionOutcome;
}

/** Runs that are kept. */
const RUNS_MAX = 1_000;

/** Records a run, and forgets the oldest beyond the thousandth. One round trip. */
export async function recordRun(db: D1Database, { startedAt, endedAt, outcome }: CollectionRun): Promise<void> {
  await db.batch([
    db
      .prepare("INSERT INTO collection_runs (started_at, ended_at, outcome) VALUES (?1, ?2, ?3)")
      .bind(startedAt, endedAt, JSON.stringify(outcome)),
    db.prepare("DELETE FROM collection_runs WHERE id <= (SELECT MAX(id) FROM collection_runs) - ?1").bind(RUNS_MAX),
  ]);
}

/** The last runs, newest first. One query. */
export async function listRuns(db: D1Database, limit: number): Promise<CollectionRun[]> {
  const { results } = await db
    .prepare("SELECT started_at, ended_at, outcome FROM collection_runs ORDER BY id DESC LIMIT ?1")
    .bind(limit)
    .all<{ started_at: number; ended_at: number; outcome: string }>();
  return results.map((row) => ({
    startedAt: row.started_at,
    endedAt: row.ended_at,
    outcome: JSON.parse(row.outcome) as CollectionOutcome,
  }));
}
