import { connect as openSocket } from "node:net";
import { onTestFinished } from "vitest";
import { Agent, type buildConnector } from "undici";
import { Connection, type Manners } from "../../../../scripts/distribution/connection.ts";
import type { Repository } from "../../../../scripts/distribution/repository.ts";
import type { RepositoryName } from "../../../../src/oci/repository-name.ts";
import type { Credentials } from "../../../../scripts/stowage/credentials.ts";
import { type MemoryRegistry, USER } from "./memory-registry.ts";

export const ALICE: Credentials = { kind: "password", ...USER, source: "the test" };

interface Options extends Partial<Manners> {
  readonly name?: string;
  readonly credentials?: Credentials;
  /** Whether the client believes that it speaks TLS, also with whoever else it is sent to by `https://`. */
  readonly isSecure?: boolean;
}

/** A repository of a test's registry, as the client under test has it. */
export function connect(
  registry: MemoryRegistry,
  { name = "team/web", credentials, isSecure = false, ...manners }: Options = {},
): Repository {
  const agent = new Agent(isSecure ? { connect: connectWithoutTls } : {});
  onTestFinished(async () => await agent.destroy());
  const patience = { tries: 4, firstMs: 1, mostMs: 5 };
  const url = isSecure ? new URL(`https://${registry.host}`) : registry.url;
  const endpoint = { host: registry.host, url, credentials };
  return {
    connection: new Connection(endpoint, { agent, patience, timeoutMs: 2_000, ...manners }),
    name: name as RepositoryName,
  };
}

const connectWithoutTls: buildConnector.connector = ({ hostname, port }, done) => {
  const socket = openSocket(Number(port), hostname);
  socket.once("connect", () => done(null, socket));
  socket.once("error", (error) => done(error, null));
};

/** A fault for the requests that a pattern fits, so many times. */
export function failing<F>(pattern: RegExp, ...faults: readonly F[]): (request: { line: string }) => F | undefined {
  const left = [...faults];
  return ({ line }) => (pattern.test(line) ? left.shift() : undefined);
}
