import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { codeOf, Failure, reasonOf } from "../local/failure.ts";
import type { Credentials } from "./credentials.ts";
import { askHelper } from "./docker-helper.ts";
import type { Environment } from "./environment.ts";

const EntrySchema = v.object({ auth: v.optional(v.string()), identitytoken: v.optional(v.string()) });
const ConfigSchema = v.object({
  auths: v.optional(v.record(v.string(), EntrySchema), {}),
  credHelpers: v.optional(v.record(v.string(), v.string()), {}),
  credsStore: v.optional(v.string(), ""),
});

type Config = v.InferOutput<typeof ConfigSchema>;

/** What is known of a host; `problem` says why a helper that Docker names told nothing. */
export interface CredentialFinding {
  readonly credentials?: Credentials;
  readonly problem?: string;
}

/**
 * What `docker login` kept for a host, found as Docker finds it: the host's own helper, else the helper for all, else the
 * file. The file also serves where a helper is named and missing, as after an uninstalled Docker Desktop.
 */
export async function findDockerCredentials(host: string, environment: Environment): Promise<CredentialFinding> {
  const { env } = environment;
  const path = join(env.DOCKER_CONFIG ?? join(env.HOME ?? homedir(), ".docker"), "config.json");
  const config = readConfig(path);
  const helper = config.credHelpers[host] ?? config.credsStore;
  const told = helper === "" ? {} : await askHelper(helper, host, environment);
  if (told.credentials) return told;
  const kept = readEntry(config, host, path);
  return kept ? { credentials: kept } : told;
}

function readConfig(path: string): Config {
  try {
    return v.parse(ConfigSchema, JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return v.parse(ConfigSchema, {});
    throw new Failure(`cannot read Docker's ${path}: ${reasonOf(error)}`);
  }
}

/** Docker writes the bare host; older ones, and other programs, the URL of some API on it. */
function readEntry({ auths }: Config, host: string, path: string): Credentials | undefined {
  const key = Object.hasOwn(auths, host) ? host : Object.keys(auths).find((name) => hostOf(name) === host);
  const entry = key === undefined ? undefined : auths[key];
  if (!entry) return undefined;
  if (entry.identitytoken) return { kind: "identity token", token: entry.identitytoken, source: path };
  const pair = Buffer.from(entry.auth ?? "", "base64").toString("utf8");
  const colon = pair.indexOf(":");
  if (colon < 1) return undefined;
  return { kind: "password", username: pair.slice(0, colon), password: pair.slice(colon + 1), source: path };
}

function hostOf(name: string): string {
  return name.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}
