import * as v from "valibot";
import { parseDuration } from "./oci/duration.ts";

/** Which manifests may refer to what the repository does not hold. */
export type SparseManifests = "none" | "index" | "all";

/** The settings of wrangler.toml's [vars] and the secrets, validated. */
export interface Config {
  readonly sparseManifests: SparseManifests;
  /** Origins whose pages may call the registry from a browser; `*` is every origin. Empty: none. */
  readonly corsOrigins: readonly string[];
  /** How long an upload session waits for its next request. */
  readonly uploadTtlMs: number;
  /** How long a bearer token is valid. */
  readonly tokenTtlMs: number;
  readonly adminPassword: string;
  readonly tokenSecret: string;
}

/** A setting that cannot be used. The message is for the operator, and names no secret's value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const duration = (min: string) => {
  const minMs = parseDuration(min) ?? 0;
  return v.pipe(
    v.string(),
    v.transform((text) => parseDuration(text) ?? -1),
    v.minValue(minMs, `must be a duration such as 30s, 5m, 1h or 7d, of ${min} or more`),
  );
};

const secret = (min: number, advice: string) => {
  const message = `is missing or shorter than ${min} characters: ${advice}`;
  return v.pipe(v.string(message), v.minLength(min, message));
};

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
  TOKEN_TTL: v.optional(duration("60s"), "5m"),
  ADMIN_PASSWORD: secret(8, "set it with `npx wrangler secret put ADMIN_PASSWORD`"),
  TOKEN_SECRET: secret(32, "set it with `openssl rand -base64 48 | npx wrangler secret put TOKEN_SECRET`"),
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
    adminPassword: settings.ADMIN_PASSWORD,
    tokenSecret: settings.TOKEN_SECRET,
  };
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
