import type { Options } from "./options.ts";
import { type Project, UPSTREAM_SECRET } from "./project.ts";
import { ADMIN_PASSWORD, loadSecrets } from "./secrets.ts";

/** Where the admin's password may be given, so that it is in no file. */
const PASSWORD_VARIABLE = "STOWAGE_ADMIN_PASSWORD";

/** Cloudflare's edge is not there to state a client's address, and whoever states one may be lying. */
const NO_EDGE = { CLIENT_ADDRESS_HEADER: "" };

/** The bytes lie on this disk already: a cache of them would hold each twice, and be slower. */
const NO_CACHE = { BLOB_CACHE: "off" };

/** Where the admin's password comes from; it is shown only when it was made just now. */
export type PasswordSource =
  { kind: "made"; password: string; path: string } | { kind: "kept"; path: string } | { kind: "given"; by: string };

/** What the Worker is bound to beside its storage. */
export interface Settings {
  bindings: Readonly<Record<string, string | number | boolean>>;
  /** Absent when the Worker knows no admin. */
  password: PasswordSource | undefined;
}

/** The Worker's variables and secrets; the nearest to the operator wins: flag, environment, then file. */
export function readSettings(options: Options, project: Project, data: string): Settings {
  const given = process.env[PASSWORD_VARIABLE] ?? "";
  const fromEnvironment = project.secrets.includes(ADMIN_PASSWORD) && given !== "";
  const credentials = Object.entries(process.env).filter(([name]) => UPSTREAM_SECRET.test(name));
  const upstreamSecrets = Object.fromEntries(credentials) as Record<string, string>;
  const overrides = {
    ...upstreamSecrets,
    ...(fromEnvironment && { [ADMIN_PASSWORD]: given }),
    ...Object.fromEntries(options.vars),
  };
  const secrets = loadSecrets(
    data,
    project.secrets.filter((name) => !Object.hasOwn(overrides, name)),
  );

  const source = (): PasswordSource | undefined => {
    if (!project.secrets.includes(ADMIN_PASSWORD)) return undefined;
    if (options.vars.has(ADMIN_PASSWORD)) return { kind: "given", by: "--var" };
    if (fromEnvironment) return { kind: "given", by: PASSWORD_VARIABLE };
    const { path } = secrets;
    return secrets.made.has(ADMIN_PASSWORD)
      ? { kind: "made", password: secrets.values[ADMIN_PASSWORD] ?? "", path }
      : { kind: "kept", path };
  };
  return {
    bindings: { ...project.vars, ...NO_EDGE, ...NO_CACHE, ...secrets.values, ...overrides },
    password: source(),
  };
}
