import { parseArgs } from "node:util";
import { type Conditions, replay, runRange } from "./threads.ts";

const USAGE = `npm run simulate -- --seeds N [--from S]   runs N histories, from seed S (1) on
npm run simulate -- --seed S               runs one and prints each step
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

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string" },
    seed: { type: "string" },
    mutation: { type: "string" },
  },
});
if (values.seed === undefined && values.seeds === undefined) throw new Error(USAGE);
const conditions = { mutation: values.mutation };
const isWell =
  values.seed === undefined
    ? await runMany(wholeNumber(values.seeds, 0), wholeNumber(values.from, 1), conditions)
    : await showOne(wholeNumber(values.seed, 0), conditions);
if (!isWell) process.exitCode = 1;
