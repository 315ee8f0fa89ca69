import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { MUTATIONS } from "./mutations.ts";
import { type Conditions, findPlanted, replay, runRange } from "./threads.ts";

const USAGE = `npm run simulate -- --seeds N [--from S]   runs N histories, from seed S (1) on
npm run simulate -- --seed S               runs one and prints each step
npm run simulate -- --planted              looks for every planted bug, the rare ones too
  --mutation NAME                          with a planted bug (test/simulation/mutations.ts)`;

/** How often progress is told. */
const PROGRESS_EVERY_MS = 5_000;

function wholeNumber(text: string | undefined, otherwise: number): number {
  const number = Number(text ?? otherwise);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`not a whole number: ${text ?? ""}\n${USAGE}`);
  return number;
}

async function showOne(seed: number, conditions: Conditions): Promise<boolean> {
  const { outcome, trace } = await replay(seed, conditions);
  for (const line of trace) console.log(line);
  console.log(`seed ${seed}: ${outcome.violation ?? "all is well"}`);
  return outcome.violation === undefined;
}

async function runMany(count: number, from: number, conditions: Conditions): Promise<boolean> {
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1_000;
  let told = 0;
  const onProgress = (done: number, violations: number): void => {
    if (seconds() * 1_000 - told < PROGRESS_EVERY_MS) return;
    told = seconds() * 1_000;
    console.log(`${done} of ${count} histories, ${Math.round(done / seconds())}/s, ${violations} violations`);
  };
  const summary = await runRange({ ...conditions, from, count, violationsMax: 20, onProgress });
  for (const { seed, violation } of summary.violations) console.log(`seed ${seed}: ${violation ?? ""}`);
  const { histories, steps, violations } = summary;
  const rate = `${Math.round(histories / seconds())} histories/s`;
  console.log(
    `${histories} histories, ${steps} steps, ${seconds().toFixed(1)} s, ${rate}, ${violations.length} violations`,
  );
  return violations.length === 0;
}

/** Tells for each planted bug by which seed it is found. */
async function findAllPlanted(): Promise<boolean> {
  let areFound = true;
  const left = MUTATIONS.values();
  const search = async (): Promise<void> => {
    for (const mutation of left) {
      const found = await findPlanted(mutation);
      areFound &&= found !== undefined;
      const result = found ? `seed ${found.seed}` : `not found in ${mutation.seeds} histories`;
      console.log(`${mutation.name}: ${result}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, search));
  return areFound;
}

/** Runs what the command line asks for; whether all is well. */
async function run(): Promise<boolean> {
  const { seeds, from, seed, mutation, planted } = values;
  if (planted) return await findAllPlanted();
  if (seed !== undefined) return await showOne(wholeNumber(seed, 0), { mutation });
  if (seeds === undefined) throw new Error(USAGE);
  return await runMany(wholeNumber(seeds, 0), wholeNumber(from, 1), { mutation });
}

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string" },
    seed: { type: "string" },
    mutation: { type: "string" },
    planted: { type: "boolean", default: false },
  },
});
if (!(await run())) process.exitCode = 1;
