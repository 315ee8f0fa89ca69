import { spawn } from "node:child_process";

const DEFAULT_TIMEOUT_MS = 4 * 60_000;
const SHOWN_OUTPUT_CHARACTERS = 4_000;

/** How a command is run. */
export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
}

/** How a command ended. `code` is null when a signal ended it. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end, whatever its exit code. Rejects only when it cannot be started. */
export function attempt(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdin.on("error", () => {
      // A command may end before it has read its input: its exit code tells, not the broken pipe.
    });
    child.stdin.end(options.input ?? "");
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Runs a command that must succeed, and answers its standard output without the surrounding white space. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const outcome = await attempt(command, args, options);
  if (outcome.code !== 0) throw new Error(describeFailure(command, args, outcome));
  return outcome.stdout.trim();
}

function describeFailure(command: string, args: readonly string[], outcome: Outcome): string {
  const end = outcome.code === null ? "was ended by a signal (time-out?)" : `ended with ${outcome.code}`;
  const output = `${outcome.stderr}\n${outcome.stdout}`.trim().slice(-SHOWN_OUTPUT_CHARACTERS);
  return `${[command, ...args].join(" ")}\n${end}\n${output}`;
}
