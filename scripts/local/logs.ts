import { Log, LogLevel } from "miniflare";
import type { Project } from "./project.ts";

/** A line for the operator, on stderr. */
export function report(line: string): void {
  process.stderr.write(`stowage: ${line}\n`);
}

/** Miniflare's own log: errors alone, and on stderr. */
export class RuntimeLog extends Log {
  constructor() {
    super(LogLevel.ERROR, { prefix: "stowage" });
  }

  override log(message: string): void {
    process.stderr.write(`${message}\n`);
  }
}

/** The Worker's console goes to stderr as it is; what the runtime says of itself is cut to its first line. */
export function printWorkerLog({ level, message }: { level: string; message: string }): void {
  const uncaught = /^Uncaught exception: .*?(?:remote\.)?jsg\.(\w*Error: .*)/.exec(message);
  if (uncaught?.[1] !== undefined) report(`the Worker threw ${uncaught[1]}`);
  else if (level === "error" && message.includes("\nstack: ")) report(message.split("\nstack: ", 1)[0] ?? "");
  else process.stderr.write(`${message}\n`);
}

/** What an error of `setOptions` or `ready` says of the Worker, without Miniflare's preamble. */
export function describeRuntimeFailure(message: string, project: Project): string {
  const [, detail] = /Runtime stderr:\s+(.*)/.exec(message) ?? [];
  return `the Workers runtime does not take ${project.main}: ${detail ?? message.split("\n", 1)[0] ?? ""}`;
}
