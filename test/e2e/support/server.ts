import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import manifest from "../../../package.json" with { type: "json" };
import { startBackground } from "./background.ts";
import { PROJECT_ROOT } from "./paths.ts";

const USERNAME = "admin";

/** Where a registry is and how to enter it. */
export interface RegistryAccess {
  readonly url: string;
  /** Host and port, as clients write it before a repository name. */
  readonly host: string;
  readonly username: string;
  readonly password: string;
}

/** A registry under test, and how to end it. */
export interface RunningRegistry extends RegistryAccess {
  readonly stop: () => Promise<void>;
}

/** A registry of our own, in a process of its own. */
export interface StartedRegistry extends RunningRegistry {
  readonly pid: number;
}

/** What `npm start` gives to node. */
export const STOWAGE_START: readonly string[] = manifest.scripts.start.split(" ").slice(1);

/**
 * Starts Stowage as `npm start` does, on a free port of the loopback interface, with its data in a fresh folder.
 * `program` is another script that takes the same flags, and what comes before them.
 */
export async function startRegistry(
  settings: Readonly<Record<string, string>> = {},
  program = STOWAGE_START,
): Promise<StartedRegistry> {
  const data = await mkdtemp(join(tmpdir(), "stowage-data-"));
  const port = await findFreePort();
  const password = randomBytes(16).toString("hex");
  const url = `http://127.0.0.1:${port}`;
  const overrides = Object.entries(settings).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const removeData = () => rm(data, { recursive: true, force: true });
  try {
    const server = await startBackground({
      name: "Stowage",
      command: process.execPath,
      args: [...program, "--host", "127.0.0.1", "--port", String(port), "--data", data, ...overrides],
      env: { ...process.env, STOWAGE_ADMIN_PASSWORD: password },
      cwd: PROJECT_ROOT,
      isReady: (output) => output.split(/\r?\n/).includes(`Stowage is ready on ${url}`),
    });
    return { ...accessTo(url, password), pid: server.pid, stop: () => server.stop().finally(removeData) };
  } catch (error) {
    await removeData();
    throw error;
  }
}

/**
 * The registry that the tests use: the running one that STOWAGE_E2E_URL and STOWAGE_ADMIN_PASSWORD name, or a fresh one.
 */
export async function registryUnderTest(): Promise<RunningRegistry> {
  const { STOWAGE_E2E_URL: url, STOWAGE_ADMIN_PASSWORD: password } = process.env;
  if (url === undefined) return await startRegistry();
  if (password === undefined) throw new Error("STOWAGE_E2E_URL needs STOWAGE_ADMIN_PASSWORD beside it.");
  return { ...accessTo(url, password), stop: () => Promise.resolve() };
}

function accessTo(url: string, password: string): RegistryAccess {
  return { url: new URL(url).origin, host: new URL(url).host, username: USERNAME, password };
}

/** A port of the loopback interface that nobody listens on. */
export async function findFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
