import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 100;
const STOP_TIMEOUT_MS = 20_000;
const KEPT_OUTPUT_CHARACTERS = 20_000;

/** A program to run beside the tests: the registry, dockerd, containerd. */
export interface BackgroundProgram {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Whether the program is ready to serve; gets what it has printed so far. */
  readonly isReady: (output: string) => boolean | Promise<boolean>;
}

/** A running background program. */
export interface Background {
  readonly pid: number;
  /** Asks it to end, and waits. Throws when it has to be killed. */
  stop(): Promise<void>;
}

/** Starts a program and waits until it is ready. Throws with its output when it ends or dawdles before that. */
export async function startBackground(program: BackgroundProgram): Promise<Background> {
  const child = spawn(program.command, program.args, {
    cwd: program.cwd,
    env: program.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const keep = (text: string) => (output = (output + text).slice(-KEPT_OUTPUT_CHARACTERS));
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  child.on("error", (error) => keep(error.message));

  const end = once(child, "exit").catch(() => undefined);
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  const killWithUs = () => child.kill("SIGTERM");
  process.once("exit", killWithUs);

  const stop = async () => {
    process.off("exit", killWithUs);
    child.kill("SIGTERM");
    await Promise.race([end, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
    if (hasEnded()) return;
    child.kill("SIGKILL");
    await end;
    throw new Error(`${program.name} did not end on SIGTERM and had to be killed.\n${output}`);
  };

  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (!(await program.isReady(output))) {
    if (hasEnded()) {
      await sleep(READY_POLL_MS); // Its last words may still be in the pipe.
      throw new Error(`${program.name} ended before it was ready.\n${output}`);
    }
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`${program.name} was not ready after ${READY_TIMEOUT_MS / 1000} s.\n${output}`);
    }
    await sleep(READY_POLL_MS);
  }
  return { pid: child.pid ?? NaN, stop };
}
