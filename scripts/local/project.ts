import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "smol-toml";
import * as v from "valibot";
import { Failure, reasonOf } from "./failure.ts";

const ConfigSchema = v.object({
  name: v.string(),
  main: v.string(),
  compatibility_date: v.string(),
  compatibility_flags: v.optional(v.array(v.string()), []),
  vars: v.optional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])), {}),
  secrets: v.optional(v.object({ required: v.optional(v.array(v.string()), []) }), {}),
  triggers: v.optional(v.object({ crons: v.optional(v.array(v.string()), []) }), {}),
  assets: v.optional(v.object({ directory: v.string(), binding: v.string() })),
  r2_buckets: v.optional(v.array(v.object({ binding: v.string(), bucket_name: v.optional(v.string()) })), []),
  d1_databases: v.optional(
    v.array(
      v.object({
        binding: v.string(),
        database_id: v.optional(v.string()),
        migrations_dir: v.optional(v.string(), "migrations"),
      }),
    ),
    [],
  ),
});

/** What wrangler.toml says, as far as the local server needs it. */
export interface Project {
  folder: string;
  name: string;
  /** The Worker's entry file, absolute. */
  main: string;
  compatibilityDate: string;
  compatibilityFlags: string[];
  vars: Readonly<Record<string, string | number | boolean>>;
  secrets: readonly string[];
  crons: readonly string[];
  /** Binding to the bucket's name. */
  buckets: Record<string, string>;
  databases: readonly Database[];
  /** Undefined where it has no files to serve. */
  assets: Assets | undefined;
}

/** The files that are served, in an absolute folder, and the binding by which the Worker reaches them. */
interface Assets {
  directory: string;
  binding: string;
}

/** A D1 database and the folder of its migrations, absolute. */
interface Database {
  binding: string;
  id: string;
  migrations: string;
}

/** Reads the wrangler.toml in `folder`. */
export function readProject(folder: string): Project {
  const config = readConfig(join(folder, "wrangler.toml"));
  return {
    folder,
    name: config.name,
    main: resolve(folder, config.main),
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
    vars: config.vars,
    secrets: config.secrets.required,
    crons: config.triggers.crons,
    // The same names as wrangler's own local mode, so that `wrangler d1 … --local --persist-to DATA` opens the same data.
    buckets: Object.fromEntries(
      config.r2_buckets.map((bucket) => [bucket.binding, bucket.bucket_name ?? bucket.binding]),
    ),
    databases: config.d1_databases.map((database) => ({
      binding: database.binding,
      id: database.database_id ?? database.binding,
      migrations: resolve(folder, database.migrations_dir),
    })),
    assets: config.assets && { ...config.assets, directory: resolve(folder, config.assets.directory) },
  };
}

/** Names of secrets that hold the credentials of upstreams: whoever runs the registry chooses them. */
export const UPSTREAM_SECRET = /^UPSTREAM_[A-Z0-9_]+$/;

/** Refuses an overriding variable that wrangler.toml does not name: a misspelt setting must not pass silently. */
export function checkVars(project: Project, names: Iterable<string>): void {
  const known = [...Object.keys(project.vars), ...project.secrets].sort();
  for (const name of names) {
    if (!known.includes(name) && !UPSTREAM_SECRET.test(name))
      throw new Failure(`--var ${name}: no such setting; known are ${known.join(", ")}`, 2);
  }
}

function readConfig(path: string): v.InferOutput<typeof ConfigSchema> {
  let table: unknown;
  try {
    table = parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Failure(`cannot read ${path}: ${reasonOf(error)}`);
  }
  const config = v.safeParse(ConfigSchema, table);
  if (config.success) return config.output;
  const [issue] = config.issues;
  throw new Failure(`cannot use ${path}: ${v.getDotPath(issue) ?? "the file"}: ${issue.message}`);
}
