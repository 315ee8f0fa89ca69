/** What an upstream lets a client pull, as Docker Hub states it. */
export interface RateLimit {
  /** Pulls in the window, and how many of them are left. */
  readonly limit: number;
  readonly remaining: number;
  /** Seconds. */
  readonly window: number | undefined;
}

/** What is known of an upstream. Times are milliseconds since the epoch. */
export interface UpstreamStatus {
  readonly answeredAt: number | undefined;
  readonly failedAt: number | undefined;
  /** What went wrong then. */
  readonly failure: string | undefined;
  readonly rateLimit: (RateLimit & { readonly seenAt: number }) | undefined;
}

interface StatusRow {
  name: string;
  answered_at: number | null;
  failed_at: number | null;
  failure: string | null;
  rate_limit: number | null;
  rate_remaining: number | null;
  rate_window: number | null;
  rate_seen_at: number | null;
}

/** Notes that an upstream answered. One query. */
export async function recordAnswer(
  db: D1Database,
  upstream: string,
  rateLimit: RateLimit | undefined,
  now: number,
): Promise<void> {
  await db
    .prepare(
      `INSERT INTO upstream_status (name, answered_at, rate_limit, rate_remaining, rate_window, rate_seen_at)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6)
       ON CONFLICT (name) DO UPDATE SET answered_at = excluded.answered_at,
         rate_limit = COALESCE(excluded.rate_limit, rate_limit),
         rate_remaining = COALESCE(excluded.rate_remaining, rate_remaining),
         rate_window = IIF(excluded.rate_limit IS NULL, rate_window, excluded.rate_window),
         rate_seen_at = COALESCE(excluded.rate_seen_at, rate_seen_at)`,
    )
    .bind(
      ...[upstream, now, rateLimit?.limit ?? null, rateLimit?.remaining ?? null, rateLimit?.window ?? null],
      rateLimit ? now : null,
    )
    .run();
}

/** Notes that an upstream failed. One query. */
export async function recordFailure(db: D1Database, upstream: string, failure: string, now: number): Promise<void> {
  await db
    .prepare(
      `INSERT INTO upstream_status (name, failed_at, failure) VALUES (?1, ?2, ?3)
       ON CONFLICT (name) DO UPDATE SET failed_at = excluded.failed_at, failure = excluded.failure`,
    )
    .bind(upstream, now, failure)
    .run();
}

/** What is known of those of these upstreams that were ever asked, by their names. One query. */
export async function listStatuses(db: D1Database, upstreams: readonly string[]): Promise<Map<string, UpstreamStatus>> {
  const { results } = await db
    .prepare(
      `SELECT name, answered_at, failed_at, failure, rate_limit, rate_remaining, rate_window, rate_seen_at
       FROM upstream_status WHERE name IN (SELECT value FROM json_each(?1))`,
    )
    .bind(JSON.stringify(upstreams))
    .all<StatusRow>();
  return new Map(results.map((row) => [row.name, toStatus(row)]));
}

function toStatus(row: StatusRow): UpstreamStatus {
  const { rate_limit: limit, rate_remaining: remaining, rate_seen_at: seenAt } = row;
  return {
    answeredAt: row.answered_at ?? undefined,
    failedAt: row.failed_at ?? undefined,
    failure: row.failure ?? undefined,
    rateLimit:
      limit === null || remaining === null || seenAt === null
        ? undefined
        : { limit, remaining, window: row.rate_window ?? undefined, seenAt },
  };
}
