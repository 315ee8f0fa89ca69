import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { PROJECT_ROOT } from "../../e2e/support/paths.ts";
import { run } from "../../e2e/support/run.ts";
import { type Figures, REGISTRIES, type Workload } from "./workload.ts";

const KB = 1_000;
const WRANGLER = join(PROJECT_ROOT, "node_modules/.bin/wrangler");

/** The Worker as wrangler would deploy it: how large it is, and how long it takes to load before it can answer. */
export function worker(folder: string): Workload {
  const bundle = join(folder, "deploy");
  const profile = join(folder, "startup.cpuprofile");
  const wrangler = async (...args: string[]) =>
    await run(WRANGLER, args, { cwd: PROJECT_ROOT, env: { ...process.env, WRANGLER_SEND_METRICS: "false" } });
  const measure = async (): Promise<Figures> => {
    await wrangler("deploy", "--dry-run", "--outdir", bundle);
    await wrangler("check", "startup", "--outfile", profile);
    const script = readFileSync(join(bundle, "worker.js"));
    return {
      "worker.size": script.length / KB,
      "worker.gzip": gzipSync(script).length / KB,
      "worker.startup": activeMs(JSON.parse(readFileSync(profile, "utf8")) as Profile),
    };
  };
  return {
    name: "worker",
    title: "nothing to do",
    metrics: [
      { id: "worker.size", title: "the Worker's bundle", unit: "kB" },
      { id: "worker.gzip", title: "the Worker's bundle, gzip", unit: "kB" },
      { id: "worker.startup", title: "the Worker's start-up, active time", unit: "ms" },
    ],
    // Beside it, all servers show what they hold when they have nothing to do.
    servers: [...REGISTRIES, "limit"],
    steps: [{ measure: async ({ name }) => (name === "stowage" ? await measure() : {}) }],
  };
}

/** A CPU profile, as far as it is needed; times in microseconds. */
interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string } }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The time in which something ran. */
function activeMs({ nodes, samples, timeDeltas }: Profile): number {
  const idle = new Set(nodes.filter(({ callFrame }) => callFrame.functionName === "(idle)").map(({ id }) => id));
  const active = timeDeltas.filter((_, index) => !idle.has(samples[index] ?? NaN));
  return active.reduce((sum, microseconds) => sum + microseconds, 0) / 1000;
}
