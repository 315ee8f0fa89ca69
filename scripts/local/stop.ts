import { reasonOf } from "./failure.ts";
import { commandOf, parentOf } from "./processes.ts";
import { report } from "./report.ts";

/** Not SIGHUP: its default ends the server as well, and `nohup` can say otherwise. */
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** What a shell reports of a process that Ctrl-C ended. */
const INTERRUPTED = 130;
/** How often a server that npm started looks whether npm still lives. */
const PARENT_CHECK_MS = 500;

/**
 * Closes with `close` at the first signal, and ends with code 0; a second signal ends at once. The returned signal is
 * given at the first.
 */
export function onStop(close: () => Promise<void>): AbortSignal {
  const stopping = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stopping.signal.aborted) process.exit(INTERRUPTED);
      stopping.abort();
      void stop(close);
    });
  }
  return stopping.signal;
}

/**
 * Stops a server whose npm is gone. npm signals the shell between the two, which passes nothing on, and a killed npm
 * signals nobody: either would leave a server behind that holds its port and that nobody sees.
 */
export function endWithNpm(): void {
  const script = process.env.npm_lifecycle_script;
  if (script === undefined) return;
  const throughShell = commandOf(process.ppid).includes(script);
  const findAncestors = () => `${process.ppid} ${throughShell ? parentOf(process.ppid) : ""}`;

  const ancestors = findAncestors();
  const timer = setInterval(() => {
    if (findAncestors() === ancestors) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGTERM");
  }, PARENT_CHECK_MS);
  timer.unref();
}

async function stop(close: () => Promise<void>): Promise<void> {
  try {
    await close();
    process.exit(0);
  } catch (error) {
    report(`could not close cleanly: ${reasonOf(error)}`);
    process.exit(1);
  }
}
