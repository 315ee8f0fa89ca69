import * as v from "valibot";
import { parseDuration } from "./oci/duration.ts";
import { parseSize } from "./oci/size.ts";
import type { Upstream } from "./policy/upstream.ts";
import { parseUpstreams, UpstreamsError } from "./policy/upstream-settings.ts";

/** Which manifests may refer to what the repository does not hold. */
export type SparseManifests = "none" | "index" | "all";

/** The settings of wrangler.toml's [vars] and the secrets, validated. */
export interface Config {
  readonly sparseManifests: SparseManifests;
  /** Origins whose pages may call the registry from a browser; `*` is every origin. Empty: none. */
  readonly corsOrigins: readonly string[];
  /** How long an upload session waits for its next request. */
  readonly uploadTtlMs: number;
  /** How long a bearer token is valid, and thus how long what was revoked may still be used. */
  readonly tokenTtlMs: number;
  /** How long a log-in that a client keeps instead of a password is valid. */
  readonly refreshTokenTtlMs: number;
  /** What it costs to check a password once. */
  readonly passwordIterations: number;
  /** How long collection waits, after it has found that nothing refers to a blob, before it takes it. */
  readonly gcGraceMs: number;
  /** How long a manifest stays that nothing holds, or that was deleted; undefined: for ever. */
  readonly untaggedTtlMs: number | undefined;
  /** How old an answer to who pulls by digest may be. */
  readonly contentCacheTtlMs: number;
  /** How old an answer to who pulls by tag may be. */
  readonly tagCacheTtlMs: number;
  /** How often an isolate writes down how many pulls each repository had. */
  readonly pullCountIntervalMs: number;
  /** Bytes of one request's body that the edge lets through; undefined: as many as come. */
  readonly requestBodyMax: number | undefined;
  /** Whether the data centre's cache holds bytes. */
  readonly blobCache: boolean;
  /** Whether replicas of the database answer what may be a little old. */
  readonly readReplicas: boolean;
  /** The header in which the edge, or a proxy, states a client's address; empty: none does. */
  readonly clientAddressHeader: string;
  /** The registries that this one mirrors. */
  readonly upstreams: readonly Upstream[];
  /** How long audit events are kept. */
  readonly auditTtlMs: number;
  readonly adminPassword: string;
  /** The secrets that tokens are verified with: the one that signs comes first, and may have a predecessor. */
  readonly tokenSecrets: readonly [string, ...string[]];
}

/** A setting that cannot be used. The message is for the operator, and names no secret's value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const duration = (min: string, max = "36500d") => {
  const [minMs, maxMs] = [parseDuration(min) ?? 0, parseDuration(max) ?? 0];
  return v.pipe(
    v.string(),
    v.transform((text) => parseDuration(text) ?? -1),
    v.minValue(minMs, `must be a duration such as 30s, 5m, 1h or 7d, of ${min} or more`),
    v.maxValue(maxMs, `must be a duration of ${max} or less`),
  );
};

const wholeNumber = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`;
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,9}$/, message),
    v.transform(Number),
    v.minValue(min, message),
    v.maxValue(max, message),
  );
};

const secret = (min: number, advice: string) => {
  const message = `is missing or shorter than ${min} characters: ${advice}`;
  return v.pipe(v.string(message), v.minLength(min, message));
};

const sizeOrUnlimited = v.pipe(
  v.string(),
  v.transform((text) => (text === "unlimited" ? Infinity : (parseSize(text) ?? 0))),
  v.minValue(1_000_000, "must be a size such as 100MB, of 1MB or more, or unlimited"),
  v.transform((bytes) => (bytes === Infinity ? undefined : bytes)),
);

const onOrOff = v.pipe(
  v.picklist(["on", "off"], "must be on or off"),
  v.transform((text) => text === "on"),
);

const origins = v.pipe(
  v.string(),
  v.transform((text) => text.split(/[\s,]+/).filter((origin) => origin !== "")),
  v.array(
    v.union(
      [v.literal("*"), v.pipe(v.string(), v.regex(/^https?:\/\/[^/\s]+$/))],
      "must list origins such as https://example.org",
    ),
  ),
);

const ConfigSchema = v.object({
  SPARSE_MANIFESTS: v.optional(v.picklist(["none", "index", "all"], "must be none, index or all"), "none"),
  CORS_ORIGINS: v.optional(origins, ""),
  UPLOAD_TTL: v.optional(duration("1s"), "24h"),
  // Docker clamps a lifetime below a minute to a minute, and would go on sending tokens that have ended.
  TOKEN_TTL: v.optional(duration("60s", "5m"), "5m"),
  REFRESH_TOKEN_TTL: v.optional(duration("5m"), "90d"),
  // Workers refuse more than 100,000. On the free plan, whose requests have 10 ms of CPU, 20,000 fit.
  PASSWORD_ITERATIONS: v.optional(wholeNumber(10_000, 100_000), "100000"),
  GC_GRACE: v.optional(duration("1s"), "24h"),
  UNTAGGED_TTL: v.optional(
    v.union([
      v.pipe(
        v.literal("never"),
        v.transform(() => undefined),
      ),
      duration("0s"),
    ]),
    "7d",
  ),
  // Far less than the ten minutes that an object stays after its last row: whoever was told its key must still find it.
  CONTENT_CACHE_TTL: v.optional(duration("0s", "5m"), "60s"),
  TAG_CACHE_TTL: v.optional(duration("0s", "5m"), "0s"),
  PULL_COUNT_INTERVAL: v.optional(duration("0s", "1d"), "60s"),
  REQUEST_BODY_MAX: v.optional(sizeOrUnlimited, "100MB"),
  BLOB_CACHE: v.optional(onOrOff, "on"),
  READ_REPLICAS: v.optional(onOrOff, "off"),
  CLIENT_ADDRESS_HEADER: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]*$/, "must be the name of a header")), ""),
  UPSTREAMS: v.optional(v.string("must be JSON in a text"), ""),
  AUDIT_TTL: v.optional(duration("1d"), "365d"),
  ADMIN_PASSWORD: secret(8, "set it with `npx wrangler secret put ADMIN_PASSWORD`"),
  TOKEN_SECRET: secret(32, "set it with `openssl rand -base64 48 | npx wrangler secret put TOKEN_SECRET`"),
  TOKEN_SECRET_PREVIOUS: v.optional(secret(32, "give it the secret that TOKEN_SECRET was before, or remove it")),
});

/** Throws ConfigError for the first setting that cannot be used. */
function parseConfig(env: object): Config {
  const result = v.safeParse(ConfigSchema, env);
  if (!result.success) {
    const [issue] = result.issues;
    throw new ConfigError(`setting ${String(issue.path?.[0].key)} ${issue.message}`);
  }
  const settings = result.output;
  return {
    sparseManifests: settings.SPARSE_MANIFESTS,
    corsOrigins: settings.CORS_ORIGINS,
    uploadTtlMs: settings.UPLOAD_TTL,
    tokenTtlMs: settings.TOKEN_TTL,
    refreshTokenTtlMs: settings.REFRESH_TOKEN_TTL,
    passwordIterations: settings.PASSWORD_ITERATIONS,
    gcGraceMs: settings.GC_GRACE,
    untaggedTtlMs: settings.UNTAGGED_TTL,
    contentCacheTtlMs: settings.CONTENT_CACHE_TTL,
    tagCacheTtlMs: settings.TAG_CACHE_TTL,
    pullCountIntervalMs: settings.PULL_COUNT_INTERVAL,
    requestBodyMax: settings.REQUEST_BODY_MAX,
    blobCache: settings.BLOB_CACHE,
    readReplicas: settings.READ_REPLICAS,
    clientAddressHeader: settings.CLIENT_ADDRESS_HEADER,
    upstreams: readUpstreams(settings.UPSTREAMS, env),
    auditTtlMs: settings.AUDIT_TTL,
    adminPassword: settings.ADMIN_PASSWORD,
    tokenSecrets: [settings.TOKEN_SECRET, ...(settings.TOKEN_SECRET_PREVIOUS ? [settings.TOKEN_SECRET_PREVIOUS] : [])],
  };
}

function readUpstreams(text: string, env: object): Upstream[] {
  try {
    return parseUpstreams(text, env as Readonly<Record<string, unknown>>);
  } catch (error) {
    if (!(error instanceof UpstreamsError)) throw error;
    throw new ConfigError(`setting UPSTREAMS ${error.message}`);
  }
}

const parsed = new WeakMap<object, Config>();

/** {@link parseConfig}, once for each env object, of which an isolate has one. */
export function configOf(env: object): Config {
  const known = parsed.get(env);
  if (known) return known;
  const config = parseConfig(env);
  parsed.set(env, config);
  return config;
}
