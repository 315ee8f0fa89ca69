import { accessSync, constants, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { commandOf } from "./processes.ts";

const SUPERVISOR = join(import.meta.dirname, "workerd.sh");
/** Tells workerd.sh, through the environment that Miniflare hands on. */
const STOPPING = "STOWAGE_STOPPING";

/**
 * Bounds what the runtime holds under load, to a quarter: 64 connections had it at 470 MB in ten seconds, and now at 130.
 * What a request leaves behind is small for V8, and large outside of its heap, so each collection looks at the old
 * generation too, where requests that were under way end up. It takes a tenth of the requests in a second that need a
 * query, and none of the others. The youngest generation of each isolate, else 16 MB in the Worker and in each simulator,
 * has 1 MB, which the caches of a core hold. Miniflare hands on what this variable holds.
 */
export function boundRuntimeHeap(): void {
  process.env.MINIFLARE_WORKERD_V8_FLAGS ??= "--max-semi-space-size=1 --gc-global";
}

/**
 * Has Miniflare start the runtime through workerd.sh, which ends it when this process dies, even by SIGKILL, and writes its
 * process id down. Returns the environment that the script needs. Where the script cannot run, workerd starts as ever.
 */
export function superviseWorkerd(folder: string): Record<string, string> {
  if (process.platform === "win32" || !isExecutable(SUPERVISOR)) return {};
  const workerd = process.env.MINIFLARE_WORKERD_PATH ?? locateWorkerd();
  process.env.MINIFLARE_WORKERD_PATH = SUPERVISOR;
  return { STOWAGE_WORKERD: workerd, STOWAGE_WORKERD_PID: pidPath(folder) };
}

/** The process id of the runtime that serves, or last served, the data folder. */
export function readPid(folder: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidPath(folder), "utf8"));
    return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Lets the runtime finish its requests: it takes no more connections, and ends after the last answer or `grace`. */
export async function drainWorkerd(folder: string, graceMs: number): Promise<void> {
  const pid = readPid(folder);
  if (pid === undefined || !isWorkerd(pid)) return;
  process.env[STOPPING] = "1";
  process.kill(pid, "SIGTERM");
  const deadline = Date.now() + graceMs;
  while (Date.now() < deadline && isWorkerd(pid)) await sleep(20);
}

/** Whether the runtime's end is meant: what Miniflare says of it then is not worth telling. */
export function isStopping(): boolean {
  return process.env[STOPPING] !== undefined;
}

/** Whether the process is a running workerd, and not gone, dead, or another program under the same number. */
export function isWorkerd(pid: number): boolean {
  return commandOf(pid).includes("workerd");
}

function pidPath(folder: string): string {
  return join(folder, "workerd.pid");
}

/** Miniflare's own workerd, whichever version it asks for. */
function locateWorkerd(): string {
  const require = createRequire(import.meta.url);
  const workerd = createRequire(require.resolve("miniflare"))("workerd") as { default: string };
  return workerd.default;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
