import type { Context } from "../context.ts";
import { type RateLimit, recordAnswer, recordFailure } from "../metadata/upstream-status.ts";
import type { UpstreamError } from "./upstream-error.ts";

/** An isolate writes down what an upstream says once in this time, so that no pull costs a write. */
const INTERVAL_MS = 60_000;

/** Docker Hub: `ratelimit-limit: 100;w=21600`, and the same for what remains. */
function parseLimit(header: string | null): { count: number; window: number | undefined } | undefined {
  const [, count, window] = /^(\d{1,9})(?:;w=(\d{1,9}))?$/.exec(header?.trim() ?? "") ?? [];
  if (count === undefined) return undefined;
  return { count: Number(count), window: window === undefined ? undefined : Number(window) };
}

/** What an answer says of limits; undefined where it says nothing. */
export function rateLimitOf(headers: Headers): RateLimit | undefined {
  const limit = parseLimit(headers.get("RateLimit-Limit"));
  const remaining = parseLimit(headers.get("RateLimit-Remaining"));
  if (limit === undefined || remaining === undefined) return undefined;
  return { limit: limit.count, remaining: remaining.count, window: limit.window };
}

/** Notes an answer, in the background, now and then. */
export function noteAnswer({ db, now, defer, mirror }: Context, upstream: string, headers: Headers): void {
  if (!mirror.isDue(`answer ${upstream}`, now(), INTERVAL_MS)) return;
  defer(recordAnswer(db, upstream, rateLimitOf(headers), now()));
}

/** Notes a failure, in the background, now and then. */
export function noteFailure({ db, now, defer, mirror }: Context, upstream: string, { message }: UpstreamError): void {
  if (!mirror.isDue(`failure ${upstream}`, now(), INTERVAL_MS)) return;
  defer(recordFailure(db, upstream, message, now()));
}
