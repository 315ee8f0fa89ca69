import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBackground } from "../../e2e/support/background.ts";
import { TOOL_PATH } from "../../e2e/support/paths.ts";
import { attempt } from "../../e2e/support/run.ts";
import { findFreePort } from "../../e2e/support/server.ts";
import type { ServerName } from "../report/results.ts";
import { missingProgram } from "./find.ts";
import type { BenchServer, Contender } from "./server.ts";

/** Another registry: a program that takes a configuration file and needs no log-in. */
interface Program {
  readonly name: ServerName;
  readonly title: string;
  /** The program's name, searched for on the path. */
  readonly command: string;
  readonly origin: string;
  readonly configure: (folder: string, port: number) => string;
  readonly versionOf: (output: string) => string | undefined;
}

/** The file system as storage, with the cache that its own example has; no logs, as Stowage keeps none. */
function configureDistribution(folder: string, port: number): string {
  return JSON.stringify({
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: folder }, cache: { blobdescriptor: "inmemory" } },
    http: { addr: `127.0.0.1:${port}`, secret: "of the benchmark" },
    health: { storagedriver: { enabled: true, interval: "10s", threshold: 3 } },
  });
}

function configureZot(folder: string, port: number): string {
  return JSON.stringify({
    distSpecVersion: "1.1.1",
    storage: { rootDirectory: folder },
    http: { address: "127.0.0.1", port: String(port) },
    log: { level: "error" },
  });
}

const PROGRAMS: readonly Program[] = [
  {
    name: "distribution-2.8",
    title: "distribution 2.8",
    command: "docker-registry",
    origin: "Debian package docker-registry",
    configure: configureDistribution,
    versionOf: (output) => /\S+$/.exec(output)?.[0],
  },
  {
    name: "distribution-3",
    title: "distribution 3",
    command: "registry",
    origin: "Go module in test/bench/tools/distribution",
    configure: configureDistribution,
    versionOf: (output) => /v(3\S*?)(\+unknown)?$/.exec(output)?.[1],
  },
  {
    name: "zot",
    title: "zot",
    command: "zot",
    origin: "Go module zotregistry.dev/zot/v2, where the module proxy serves it",
    configure: configureZot,
    versionOf: (output) => /v\d+\.\d+\.\d+/.exec(output)?.[0],
  },
];

/** distribution 3 would look for a collector of traces. */
const ENVIRONMENT = { ...process.env, PATH: TOOL_PATH, OTEL_TRACES_EXPORTER: "none" };

/** distribution 2.8, distribution 3 and zot. */
export const programs: readonly Contender[] = PROGRAMS.map((program) => ({
  name: program.name,
  title: program.title,
  missing: () => missingProgram(program.command, program.origin),
  version: async () => {
    const { stdout, stderr } = await attempt(program.command, ["--version"], { env: ENVIRONMENT });
    return program.versionOf(`${stdout}${stderr}`.trim()) ?? "of a version that it does not tell";
  },
  start: async () => await start(program),
}));

async function start({ name, title, command, configure }: Program): Promise<BenchServer> {
  const folder = await mkdtemp(join(tmpdir(), `bench-${name}-`));
  const removeData = async () => await rm(folder, { recursive: true, force: true });
  try {
    const port = await findFreePort();
    const configuration = join(folder, "config.json");
    await writeFile(configuration, configure(join(folder, "data"), port));
    const server = await startBackground({
      name: title,
      command,
      args: ["serve", configuration],
      env: ENVIRONMENT,
      isReady: async () => await answers(`http://127.0.0.1:${port}/v2/`),
    });
    return {
      name,
      url: `http://127.0.0.1:${port}`,
      pid: server.pid,
      authorize: () => Promise.resolve({}),
      stop: async () => await server.stop().finally(removeData),
    };
  } catch (error) {
    await removeData();
    throw error;
  }
}

async function answers(url: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const request = get(url, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once("error", () => resolve(false));
  });
}
