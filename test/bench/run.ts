import { reasonOf } from "../../scripts/local/failure.ts";
import { run } from "../e2e/support/run.ts";
import type { Plan } from "./plan.ts";
import type { Results } from "./report/results.ts";
import { MemoryWatch } from "./servers/memory.ts";
import type { BenchServer, Contender } from "./servers/server.ts";
import type { Workload } from "./workloads/workload.ts";

/**
 * Runs a workload: starts its servers, without data, and gives them their turns, round by round; the first server of a round
 * is another one each time. The servers end with it. How much memory they held at most is measured as well.
 */
export async function runWorkload(
  workload: Workload,
  contenders: readonly Contender[],
  plan: Plan,
  results: Results,
  report: (progress: string) => void,
): Promise<void> {
  const taking = contenders.filter(({ name }) => workload.servers.includes(name));
  report(`${workload.name}: starting`);
  const servers = await startAll(taking);
  const memory = new MemoryWatch(servers.map(({ pid }) => pid));
  try {
    for (const server of servers) await workload.setUp?.(server);
    for (let round = plan.warmUp ? 0 : 1; round <= plan.rounds; round += 1) {
      report(`${workload.name}: ${round === 0 ? "warming up" : `round ${round} of ${plan.rounds}`}`);
      await runRound(workload, rotated(servers, round), round === 0 ? undefined : results);
    }
    for (const { name, pid } of servers) {
      const peak = memory.peakMb(pid);
      const metric = { id: `memory.${workload.name}`, title: `peak memory: ${workload.title}`, unit: "MB" } as const;
      if (peak !== undefined) results.add(metric, name, peak);
    }
  } finally {
    memory.stop();
    await Promise.all(servers.map(async (server) => await server.stop()));
  }
}

async function runRound(workload: Workload, servers: readonly BenchServer[], results: Results | undefined) {
  for (const step of workload.steps) {
    await step.prepare?.();
    for (const server of servers) {
      // What one server wrote must not go to the disk in another's time.
      await run("sync", []);
      const figures = await step.measure(server).catch((error: unknown) => {
        throw new Error(`${workload.name}, ${server.name}: ${reasonOf(error)}`, { cause: error });
      });
      for (const metric of workload.metrics) {
        const figure = figures[metric.id];
        if (figure !== undefined) results?.add(metric, server.name, figure);
      }
    }
  }
}

/** Starts all of them, or none. */
async function startAll(contenders: readonly Contender[]): Promise<BenchServer[]> {
  const started = await Promise.allSettled(contenders.map(async ({ start }) => await start()));
  const servers = started.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const failed = started.find((each) => each.status === "rejected");
  if (failed === undefined) return servers;
  await Promise.all(servers.map(async (server) => await server.stop()));
  throw failed.reason;
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const first = by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
