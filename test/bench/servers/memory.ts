import { readFileSync } from "node:fs";

const INTERVAL_MS = 100;
const MB = 1_000_000;

/** Looks at how much memory processes hold, with all that they started. Linux alone tells; elsewhere there is no peak. */
export class MemoryWatch {
  readonly #peaks = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(roots: readonly number[]) {
    const look = () => {
      for (const pid of roots) this.#peaks.set(pid, Math.max(this.#peaks.get(pid) ?? 0, residentBytes(pid)));
    };
    look();
    this.#timer = setInterval(look, INTERVAL_MS);
  }

  /** The most that the tree held at once so far, in MB. */
  peakMb(pid: number): number | undefined {
    const bytes = this.#peaks.get(pid) ?? 0;
    return bytes === 0 ? undefined : bytes / MB;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** The resident memory of a process and all below it. Pages that several of them share are counted for each. */
export function residentBytes(pid: number): number {
  const [, kibibytes = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`)) ?? [];
  return childrenOf(pid).reduce((sum, child) => sum + residentBytes(child), Number(kibibytes) * 1024);
}

/** Those that its first thread started: Node and shells start all of theirs there, and the Go programs none. */
function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

/** Nothing of what is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
