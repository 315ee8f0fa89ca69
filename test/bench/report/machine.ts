import { arch, cpus, release, totalmem, type } from "node:os";
import { PROJECT_ROOT } from "../../e2e/support/paths.ts";
import { attempt } from "../../e2e/support/run.ts";
import type { Report } from "./report.ts";

/** The machine that this runs on. */
export function describeMachine(): Report["machine"] {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? arch(),
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 1e9),
    system: `${type()} ${release()}, Node ${process.versions.node}`,
  };
}

/** What is measured: the commit, and whether it was changed since. Empty outside of a checkout. */
export async function describeCommit(): Promise<string> {
  const { code, stdout } = await attempt("git", ["describe", "--always", "--dirty"], { cwd: PROJECT_ROOT });
  return code === 0 ? stdout.trim() : "";
}
