import { Failure } from "../local/failure.ts";
import { type CredentialFinding, findDockerCredentials } from "./docker-config.ts";
import type { Environment } from "./environment.ts";
import { readAdminPassword } from "./local-server.ts";
import type { Registry } from "./registry.ts";

/** What proves who asks, and where it was found, to name it when the registry refuses it. */
export type Credentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string; readonly source: string }
  | { readonly kind: "identity token"; readonly token: string; readonly source: string };

/**
 * The environment first, then the data folder of the registry if it is a local one, then what `docker login` kept.
 * @throws Failure that names all three ways where none has any.
 */
export async function findCredentials(registry: Registry, environment: Environment): Promise<Credentials> {
  const { credentials, problem } = await lookForCredentials(registry, environment);
  if (credentials) return credentials;
  const { url } = registry;
  const told = problem === undefined ? "" : ` (${problem})`;
  throw new Failure(
    `no credentials for ${url.host}${told}: set STOWAGE_USERNAME and STOWAGE_PASSWORD, run docker login ${url.host}, or ` +
      "name the data folder of a registry on this machine with --data",
  );
}

/** The same; none are no failure: many registries let anybody pull. */
export async function lookForCredentials(
  { url, local }: Registry,
  environment: Environment,
): Promise<CredentialFinding> {
  const given = readVariables(environment.env);
  if (given) return { credentials: given };
  const admin = local && readAdminPassword(local.data);
  if (!admin) return await findDockerCredentials(url.host, environment);
  return {
    credentials: { kind: "password", username: "admin", password: admin.password, source: admin.path },
  };
}

function readVariables({ STOWAGE_USERNAME, STOWAGE_PASSWORD }: Environment["env"]): Credentials | undefined {
  const username = STOWAGE_USERNAME ?? "";
  const password = STOWAGE_PASSWORD ?? "";
  if (username === "" && password === "") return undefined;
  if (username === "")
    throw new Failure("STOWAGE_PASSWORD is set and STOWAGE_USERNAME is not: set both, or neither", 2);
  if (password === "")
    throw new Failure("STOWAGE_USERNAME is set and STOWAGE_PASSWORD is not: set both, or neither", 2);
  return { kind: "password", username, password, source: "STOWAGE_USERNAME and STOWAGE_PASSWORD" };
}
