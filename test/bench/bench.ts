/**
 * Stowage beside other registries and beside the limits of its own runtime, in one run on one machine: `npm run bench`.
 * docs/benchmarks.md tells what is measured, and how.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Output } from "../../scripts/stowage/output.ts";
import { PROJECT_ROOT } from "../e2e/support/paths.ts";
import { checkNames, choose, type Options, parseOptions, USAGE } from "./options.ts";
import { FULL, type Plan, QUICK } from "./plan.ts";
import { describeCommit, describeMachine } from "./report/machine.ts";
import { printReport } from "./report/print.ts";
import type { Report } from "./report/report.ts";
import { type Measured, Results } from "./report/results.ts";
import { judge, TARGETS } from "./report/targets.ts";
import { writeReport } from "./report/write.ts";
import { runWorkload } from "./run.ts";
import { CONTENDERS } from "./servers/contenders.ts";
import type { Contender } from "./servers/server.ts";
import { workloadsOf } from "./workloads/workloads.ts";
import type { Workload } from "./workloads/workload.ts";

const RESULTS_OF_FULL_RUNS = join(PROJECT_ROOT, "docs/benchmarks");
const OTHER_RESULTS = join(PROJECT_ROOT, ".cache/bench");

const output = new Output({ env: process.env, stdout: process.stdout, stderr: process.stderr, now: () => new Date() });

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(USAGE);
  else await bench(options);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function bench({ quick, only, out }: Options): Promise<void> {
  const plan = quick ? QUICK : FULL;
  const all = workloadsOf(plan, makeTemporaryFolder());
  checkNames(
    only,
    [...all, ...CONTENDERS].map(({ name }) => name),
  );
  const [workloads, contenders] = [choose(all, only), choose(CONTENDERS, only)];
  const missing = [...contenders, ...workloads].flatMap(reasonOf);
  if (missing.length > 0 && process.env.CI === "true") throw new Error(missing.map(({ reason }) => reason).join("\n"));

  const taking = contenders.filter(isThere);
  const commit = await describeCommit();
  const measured = await measure(workloads.filter(isThere), taking, plan);
  const report: Report = {
    date: new Date().toISOString(),
    commit,
    machine: describeMachine(),
    rounds: plan.rounds,
    quick,
    participants: await Promise.all(
      taking.map(async ({ name, title, version }) => ({ name, title, version: await version() })),
    ),
    missing,
    measured,
    targets: TARGETS.map((target) => judge(target, measured)),
  };
  printReport(report, output);
  writeReport(out ?? (quick || only.length > 0 ? OTHER_RESULTS : RESULTS_OF_FULL_RUNS), report);
}

/** Each workload in turn. */
async function measure(
  workloads: readonly Workload[],
  contenders: readonly Contender[],
  plan: Plan,
): Promise<readonly Measured[]> {
  const results = new Results();
  await output.progress(async (tell) => {
    for (const workload of workloads) await runWorkload(workload, contenders, plan, results, tell);
  });
  return results.list();
}

function isThere({ missing }: Contender | Workload): boolean {
  return missing?.() === undefined;
}

function reasonOf({ title, missing }: Contender | Workload): Report["missing"] {
  const reason = missing?.();
  return reason === undefined ? [] : [{ title, reason }];
}

/** All that is written lies below it, the servers' data too, and goes with this process, however it ends. */
function makeTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "stowage-bench-"));
  process.env.TMPDIR = folder;
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      process.stderr.write(`bench: stopped by ${signal}\n`);
      process.exit(1);
    });
  }
  return folder;
}
