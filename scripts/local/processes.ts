import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** The command line of a process; empty when it is gone, or dead and not yet collected. */
export function commandOf(pid: number): string {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return execFileSync("ps", ["-p", String(pid), "-o", "args="], { encoding: "utf8" });
  } catch {
    return "";
  }
}

/** The parent of a process, where /proc tells it. */
export function parentOf(pid: number): number | undefined {
  try {
    // `pid (name) state ppid …`, where the name may hold anything, parentheses too.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return Number(fields[1]);
  } catch {
    return undefined;
  }
}
