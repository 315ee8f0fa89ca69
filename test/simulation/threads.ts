import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Outcome } from "./history.ts";
import type { Mutation } from "./mutations.ts";
import type { Task, ThreadOptions } from "./thread.ts";

/** Seeds that a thread takes at once; fewer, where the first violation ends it all. */
const BATCH = 50;
const SEARCH_BATCH = 10;

/** What a thread answers to a task. */
interface Report {
  readonly outcomes: readonly Outcome[];
  readonly trace: readonly string[];
}

/** What code runs, and what counts. */
export interface Conditions {
  /** The code has this planted bug. */
  readonly mutation?: string | undefined;
}

export interface Range extends Conditions {
  readonly from: number;
  readonly count: number;
  /** One for each core, if it does not say. */
  readonly threads?: number;
  /** Seeds that a thread takes at once. */
  readonly batch?: number;
  /** Ends after this many violations. */
  readonly violationsMax?: number;
  /** Returns all outcomes, not only those that are violations. */
  readonly isKept?: boolean;
  /** Hears after each batch how many histories are done. */
  readonly onProgress?: (done: number, violations: number) => void;
}

/** What many histories came to. */
export interface Summary {
  readonly histories: number;
  readonly steps: number;
  readonly violations: readonly Outcome[];
  readonly outcomes: readonly Outcome[];
}

/** A thread of its own, since it changes what src is made of and the clock that it sees. */
function startThread({ mutation }: Conditions): Worker {
  const options: ThreadOptions = { mutation };
  return new Worker(join(import.meta.dirname, "thread.ts"), { workerData: options });
}

async function ask(worker: Worker, task: Task): Promise<Report> {
  return await new Promise<Report>((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (report: Report) => {
      worker.off("error", reject);
      resolve(report);
    });
    worker.postMessage(task);
  });
}

/** Runs the seeds of a range on all cores. Whatever the order, a seed's history is the same. */
export async function runRange(range: Range): Promise<Summary> {
  const { from, count, threads = availableParallelism(), batch = BATCH } = range;
  const { violationsMax = 1, isKept = false, onProgress } = range;
  const summary = { histories: 0, steps: 0, violations: [] as Outcome[], outcomes: [] as Outcome[] };
  let next = from;
  const end = from + count;
  const work = async (): Promise<void> => {
    const worker = startThread(range);
    try {
      while (next < end && summary.violations.length < violationsMax) {
        const task = { from: next, count: Math.min(batch, end - next), isTraced: false };
        next += task.count;
        const { outcomes } = await ask(worker, task);
        for (const outcome of outcomes) {
          summary.histories += 1;
          summary.steps += outcome.steps;
          if (outcome.violation !== undefined) summary.violations.push(outcome);
          if (isKept) summary.outcomes.push(outcome);
        }
        onProgress?.(summary.histories, summary.violations.length);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, Math.ceil(count / batch)) }, work));
  summary.violations.sort((a, b) => a.seed - b.seed);
  return summary;
}

/** The first history that goes wrong by a planted bug; undefined if none of those within which it should be found does. One thread. */
export async function findPlanted({ name, seeds }: Mutation): Promise<Outcome | undefined> {
  const { violations } = await runRange({ from: 1, count: seeds, mutation: name, threads: 1, batch: SEARCH_BATCH });
  return violations[0];
}

/** One history, with a line for each step and each decision. */
export async function replay(
  seed: number,
  conditions: Conditions = {},
): Promise<Report & { readonly outcome: Outcome }> {
  const worker = startThread(conditions);
  try {
    const report = await ask(worker, { from: seed, count: 1, isTraced: true });
    const [outcome] = report.outcomes;
    if (!outcome) throw new Error(`seed ${seed} came to nothing`);
    return { ...report, outcome };
  } finally {
    await worker.terminate();
  }
}
