import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { stripVTControlCharacters } from "node:util";
import { main } from "../../../../scripts/stowage/main.ts";
import { makeFolder } from "../../support/server.ts";
import { PASSWORD, type StandIn } from "./stand-in.ts";

export const ROOT = resolve(import.meta.dirname, "../../../..");

/** What came of a run. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run's surroundings: nothing of this machine's, unless the test says so. */
export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  /** What is piped in; of a terminal, what is typed. */
  readonly stdin?: string | Uint8Array;
  /** Whether all three streams are a terminal, or just stderr, as in `X=$(stowage …)`. */
  readonly terminal?: "all" | "stderr";
  readonly folders?: readonly string[];
  readonly timeoutMs?: number;
  readonly now?: string;
}

/** Runs the program in this process. */
export async function run(args: readonly string[], surroundings: Surroundings = {}): Promise<Outcome> {
  const { env, stdin = "", terminal, folders = [], timeoutMs = 5_000, now = "2026-06-15T12:00:00Z" } = surroundings;
  const output = { stdout: "", stderr: "" };
  const collect = (name: keyof typeof output, isTTY: boolean) => {
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 });
    // As with the process's own, which no library can end.
    stream.end = () => stream;
    stream.on("data", (chunk: Buffer) => (output[name] += chunk.toString()));
    return stream;
  };
  const input = Object.assign(new PassThrough(), { isTTY: terminal === "all" });
  const stderr = collect("stderr", terminal !== undefined);
  if (terminal === "all") typeAnswers(input, String(stdin).split("\n").slice(0, -1), stderr);
  else input.end(stdin);

  const code = await main(args, {
    env: { HOME: "/nonexistent", PATH: process.env.PATH, ...env },
    stdin: input,
    stdout: collect("stdout", terminal === "all"),
    stderr,
    folders,
    now: () => new Date(now),
    timeoutMs,
    helperTimeoutMs: 300,
    patience: { tries: 4, firstMs: 2, mostMs: 10 },
  });
  return { code, ...output };
}

/** Types the next line whenever a question, which ends with `:`, `)` or `?` and perhaps a hint, waits on the terminal. */
function typeAnswers(input: PassThrough, lines: string[], terminal: PassThrough): void {
  let shown = "";
  let timer: NodeJS.Timeout | undefined;
  terminal.on("data", (chunk: Buffer) => {
    shown += stripVTControlCharacters(chunk.toString());
    clearTimeout(timer);
    // What was answered ends its line at once.
    timer = setTimeout(() => {
      if (lines.length > 0 && /[:)?] *(\nctrl\+t .*)?$/.test(shown)) input.write(`${lines.shift() ?? ""}\n`);
    }, 20);
  });
}

/** Runs it against the stand-in with credentials that are right. */
export async function runAt(registry: StandIn, args: readonly string[], more: Surroundings = {}): Promise<Outcome> {
  const env = { STOWAGE_URL: registry.url, STOWAGE_USERNAME: "admin", STOWAGE_PASSWORD: PASSWORD, ...more.env };
  return await run(args, { ...more, env });
}

/** Runs the program as its users do, in a process of its own. */
export async function spawnStowage(
  args: readonly string[],
  { env = {}, stdin = "", program = [process.execPath, join(ROOT, "scripts/stowage.ts")] }: SpawnOptions = {},
): Promise<Outcome> {
  const [command = "", ...before] = program;
  const child = spawn(command, [...before, ...args], {
    cwd: ROOT,
    env: { HOME: makeFolder(), PATH: process.env.PATH, ...env },
    stdio: "pipe",
  });
  child.stdin.end(stdin);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, stdout, stderr };
}

interface SpawnOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  readonly program?: readonly string[];
}
