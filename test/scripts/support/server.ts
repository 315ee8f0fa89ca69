import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";

const ROOT = resolve(import.meta.dirname, "../../..");
const FIXTURES = resolve(import.meta.dirname, "../fixtures");
const READY = /^(?:Stowage|The relay) is ready on (http:\/\/\S+)\n/m;
const DEADLINE_MS = 15_000;

/** The fixture's folder: a small Worker with R2, D1, a schedule and secrets. */
const FIXTURE_PROJECT = join(FIXTURES, "project");

/** A server in a process of its own. */
export interface ServerProcess {
  process: ChildProcess;
  stdout: () => string;
  stderr: () => string;
  /** Waits for the ready line; its URL. */
  ready: () => Promise<string>;
  /** Waits for the end; the exit code. */
  exited: () => Promise<number | null>;
  kill: (signal: NodeJS.Signals) => Promise<number | null>;
}

/** Starts the local server of this repository. */
export function startStowage(args: readonly string[], env: NodeJS.ProcessEnv = {}): ServerProcess {
  return run([join(ROOT, "scripts/start.ts"), ...args], env);
}

/** Starts `stowage relay`. */
export function startRelayProgram(args: readonly string[], env: NodeJS.ProcessEnv = {}): ServerProcess {
  return run([join(ROOT, "scripts/stowage.ts"), "relay", ...args], env);
}

/** Starts the local server of the fixture, or of another project. */
export function startFixture(
  args: readonly string[],
  { env = {}, project = FIXTURE_PROJECT }: { env?: NodeJS.ProcessEnv; project?: string } = {},
): ServerProcess {
  return run([join(FIXTURES, "start.ts"), project, ...args], env);
}

/** A copy of the fixture, to change. */
export function copyProject(): string {
  const project = makeFolder();
  cpSync(FIXTURE_PROJECT, project, { recursive: true });
  return project;
}

/** A folder that goes with the test. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "stowage-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Asks until `isRight`, for what comes with a delay. */
export async function eventually<T>(ask: () => T | Promise<T>, isRight: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const value = await ask();
    if (isRight(value)) return value;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(value)} after ${DEADLINE_MS} ms`);
    await sleep(50);
  }
}

function run(args: readonly string[], env: NodeJS.ProcessEnv): ServerProcess {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...withoutNpm(process.env), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
  const closed = once(child, "close");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await closed;
  });

  const server: ServerProcess = {
    process: child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    ready: async () => {
      await eventually(
        () => READY.test(output.stdout) || child.exitCode !== null,
        (settled) => settled,
      );
      const [, url] = READY.exec(output.stdout) ?? [];
      if (url === undefined) throw new Error(`ended with ${child.exitCode} before it was ready: ${output.stderr}`);
      return url;
    },
    exited: async () => {
      await closed;
      return child.exitCode;
    },
    kill: async (signal) => {
      child.kill(signal);
      return await server.exited();
    },
  };
  return server;
}

/** The tests' own npm must not be taken for the server's, nor the tests' mode and colours. */
function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const inherited = /^(npm_|VITEST|NODE_ENV|FORCE_COLOR|STOWAGE_|MINIFLARE_)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !inherited.test(name)));
}
