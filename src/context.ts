import type { Config } from "./config.ts";

/** What an operation works with. Nothing else reaches in: no globals, no clock of its own. */
export interface Context {
  readonly config: Config;
  readonly db: D1Database;
  readonly bucket: R2Bucket;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
