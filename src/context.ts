import type { Config } from "./config.ts";
import type { Reader } from "./metadata/reader.ts";
import type { MirrorMemory } from "./mirror/memory.ts";
import type { PullCounts } from "./registry/pull-counts.ts";
import type { Recent } from "./registry/recent.ts";
import type { EdgeCache } from "./storage/edge-cache.ts";

/** Cloudflare's counters of failed log-ins; undefined where they are not bound. */
export interface LoginLimiters {
  /** For one account from one address: 10 a minute. */
  readonly narrow: RateLimit | undefined;
  /** For one account, or one address: 100 a minute. */
  readonly wide: RateLimit | undefined;
}

/** What an operation works with. Nothing else reaches in: no globals, no clock of its own. */
export interface Context {
  readonly config: Config;
  readonly db: D1Database;
  /** A replica of the database, which may be a little behind. Undefined: all is asked of the database itself. */
  readonly replica?: Reader | undefined;
  readonly bucket: R2Bucket;
  /** What this isolate was told a moment ago. Undefined: nothing is remembered. */
  readonly recent?: Recent | undefined;
  /** How often this isolate was asked for manifests. Undefined: nobody counts. */
  readonly pulls?: PullCounts | undefined;
  /** The data centre's cache of objects. Undefined: all bytes come from the bucket. */
  readonly edge?: EdgeCache | undefined;
  /** What this isolate remembers of upstreams. */
  readonly mirror: MirrorMemory;
  /** The files of the web page. Undefined: there is none. */
  readonly assets?: Fetcher | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The way to other servers. */
  readonly fetch: typeof fetch;
  readonly limiters: LoginLimiters;
  /** Lets work go on that no answer waits for. A failure of it is logged. */
  readonly defer: (work: Promise<unknown>) => void;
}
