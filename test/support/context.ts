import { env } from "cloudflare:workers";
import { configOf } from "../../src/config.ts";
import type { Context } from "../../src/context.ts";
import { MirrorMemory } from "../../src/mirror/memory.ts";

/** What operations work with, at a time from now, over a database that may be watched. */
export function contextAt(hoursFromNow: number, db: D1Database = env.DB): Context {
  const now = () => Date.now() + hoursFromNow * 3_600_000;
  const limiters = { narrow: undefined, wide: undefined };
  return {
    config: configOf(env),
    db,
    bucket: env.BUCKET,
    now,
    fetch,
    limiters,
    defer: () => undefined,
    mirror: new MirrorMemory(),
  };
}
