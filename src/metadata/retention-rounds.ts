/** Where the schedule stands. Times are milliseconds since the epoch. */
export interface RetentionRound {
  /** Repositories up to this name have had their turn; null: all have. */
  readonly after: string | null;
  /** When the round began. */
  readonly startedAt: number;
}

/**
 * Where the schedule stands; undefined where there is nothing for it to do, as no stored rule was previewed, and none is implied. One
 * query.
 */
export async function findRetentionRound(db: D1Database, isAnyImplied: boolean): Promise<RetentionRound | undefined> {
  const row = await db
    .prepare(
      `SELECT after_name, started_at FROM retention_round
       WHERE id = 1 AND (?1 OR EXISTS (SELECT 1 FROM retention_rules WHERE previewed_at IS NOT NULL))`,
    )
    .bind(isAnyImplied ? 1 : 0)
    .first<{ after_name: string | null; started_at: number }>();
  return row === null ? undefined : { after: row.after_name, startedAt: row.started_at };
}

/** Notes how far a round has come. One query. */
export async function saveRetentionRound(db: D1Database, { after, startedAt }: RetentionRound): Promise<void> {
  await db
    .prepare("UPDATE retention_round SET after_name = ?1, started_at = ?2 WHERE id = 1")
    .bind(after, startedAt)
    .run();
}
