import type { Metric, ServerName } from "../report/results.ts";
import type { BenchServer } from "../servers/server.ts";

/** What one measurement of one server gives: figures by the metric's id. */
export type Figures = Readonly<Record<string, number>>;

/** Something that is done to each server in turn. */
export interface Step {
  /** Once a round, before the servers: what is new for each of them in it. */
  readonly prepare?: () => void | Promise<void>;
  readonly measure: (server: BenchServer) => Promise<Figures>;
}

/** A group of measurements. Its servers begin without data, and run beside each other; one at a time has work. */
export interface Workload {
  /** For --only. */
  readonly name: string;
  readonly title: string;
  readonly metrics: readonly Metric[];
  readonly servers: readonly ServerName[];
  /** Why it cannot run, where it cannot. */
  readonly missing?: () => string | undefined;
  /** Once for each server. */
  readonly setUp?: (server: BenchServer) => Promise<void>;
  readonly steps: readonly Step[];
}

export const REGISTRIES: readonly ServerName[] = ["stowage", "distribution-2.8", "distribution-3", "zot"];

/** How long it takes, in seconds. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
