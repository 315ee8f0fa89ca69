import { Log, LogLevel } from "miniflare";
import { report } from "./report.ts";
import { isStopping } from "./workerd.ts";

/** How the runtime begins a complaint about the Worker as it loads, which also fails the start. */
const LOAD_ERROR = /^service core:user:[^:]*: /;

/** How the runtime marks what it notes for its own makers, such as that an old getter was called. */
const FOR_ITS_MAKERS = "NOSENTRY";

/** Miniflare's own log: errors alone, and on stderr. */
export class RuntimeLog extends Log {
  constructor() {
    super(LogLevel.ERROR, { prefix: "stowage" });
  }

  override log(message: string): void {
    if (!isStopping()) process.stderr.write(`${message}\n`);
  }
}

/** The Worker's console goes to stderr as it is; what the runtime says of itself is cut to its first line. */
export function printWorkerLog({ level, message }: { level: string; message: string }): void {
  const uncaught = /^Uncaught exception: .*?(?:remote\.)?jsg\.(\w*Error: .*)/.exec(message);
  if (uncaught?.[1] !== undefined) report(`the Worker threw ${uncaught[1]}`);
  else if (LOAD_ERROR.test(message) || message.startsWith(FOR_ITS_MAKERS)) return;
  else if (level === "error" && message.includes("\nstack: ")) report(message.split("\nstack: ", 1)[0] ?? "");
  else process.stderr.write(`${message}\n`);
}

/** What a failed start of the runtime says of the Worker, in one line. Its message holds the runtime's log, in JSON. */
export function describeLoadError(message: string): string {
  const [, logged] = /"message":("(?:[^"\\]|\\.)*")/.exec(message) ?? [];
  const text = logged === undefined ? message : String(JSON.parse(logged));
  return `the Worker does not load: ${text.replace(LOAD_ERROR, "").split("\n", 1)[0] ?? ""}`;
}
