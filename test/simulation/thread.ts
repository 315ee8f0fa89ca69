import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import { findMutation } from "./mutations.ts";
import { installRuntime } from "./runtime.ts";
import { replaceIn, SCALE } from "./scale.ts";

/** What a thread is made for. */
export interface ThreadOptions {
  readonly mutation: string | undefined;
}

/** Seeds to run: `count` from `from` on; with the steps of each, where they are wanted. */
export interface Task {
  readonly from: number;
  readonly count: number;
  readonly isTraced: boolean;
}

const SRC = new URL("../../src/", import.meta.url).href;

const { mutation: name } = workerData as ThreadOptions;
const mutation = name === undefined ? undefined : findMutation(name);
const replacements = [...SCALE, ...(mutation?.source ?? [])];

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.startsWith(SRC)) return loaded;
    const source = replaceIn(url.slice(SRC.length), readFileSync(fileURLToPath(url), "utf8"), replacements);
    return { ...loaded, source };
  },
});
installRuntime();

// Only now: what they import from src passes the hook.
const { SimulatedD1 } = await import("./d1.ts");
const { runHistory } = await import("./history.ts");

const change = (sql: string): string =>
  (mutation?.sql ?? []).reduce((text, [from, to]) => text.replaceAll(from, to), sql);
const db = new SimulatedD1(change);

parentPort?.on("message", (task: Task) => {
  void (async () => {
    const trace: string[] = [];
    const outcomes = [];
    for (let seed = task.from; seed < task.from + task.count; seed += 1) {
      const outcome = await runHistory(db, seed, task.isTraced ? (line) => trace.push(line) : undefined);
      outcomes.push(outcome);
    }
    parentPort?.postMessage({ outcomes, trace });
  })();
});
