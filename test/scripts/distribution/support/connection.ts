import { onTestFinished } from "vitest";
import { Agent } from "undici";
import { Connection, type Manners } from "../../../../scripts/distribution/connection.ts";
import type { Repository } from "../../../../scripts/distribution/repository.ts";
import type { RepositoryName } from "../../../../src/oci/repository-name.ts";
import type { Credentials } from "../../../../scripts/stowage/credentials.ts";
import { type MemoryRegistry, USER } from "./memory-registry.ts";

export const ALICE: Credentials = { kind: "password", ...USER, source: "the test" };

/** A repository of a test's registry, as the client under test has it. */
export function connect(
  registry: MemoryRegistry,
  { name = "team/web", credentials, ...manners }: Partial<Manners> & { name?: string; credentials?: Credentials } = {},
): Repository {
  const agent = new Agent();
  onTestFinished(async () => await agent.destroy());
  const patience = { tries: 4, firstMs: 1, mostMs: 5 };
  const endpoint = { host: registry.host, url: registry.url, credentials };
  return {
    connection: new Connection(endpoint, { agent, patience, timeoutMs: 2_000, ...manners }),
    name: name as RepositoryName,
  };
}

/** A fault for the requests that a pattern fits, so many times. */
export function failing<F>(pattern: RegExp, ...faults: readonly F[]): (request: { line: string }) => F | undefined {
  const left = [...faults];
  return ({ line }) => (pattern.test(line) ? left.shift() : undefined);
}
