import { type Calls, sum, times } from "./calls.ts";
import { type Image, type PullHabitName, pullOf, pushOf } from "./images.ts";
import { SCHEDULE } from "./operations.ts";
import { type Price, type PriceName, PRICES, SUBSCRIPTION, UNIT_SIZE } from "./prices.ts";

/** What happens in a month, of 30 days. */
export interface Month {
  readonly pulls: number;
  readonly pushes: number;
  /** What is pulled and pushed. */
  readonly image: Image;
  /** How pulls are done. */
  readonly habit: PullHabitName;
  /** How much of the content pulled by digest the edge has already: 0 to 1. */
  readonly cached: number;
  /** All the month long. */
  readonly storedBytes: number;
  readonly databaseBytes: number;
}

/** A line of the bill. */
export interface Part {
  readonly name: string;
  readonly quantity: number;
  /** What the quantity is divided by for the price. */
  readonly unit: Price["unit"];
  /** Units. */
  readonly included: number;
  /** Of a unit. */
  readonly price: number;
  readonly dollars: number;
}

export interface Estimate {
  readonly subscription: number;
  readonly parts: readonly Part[];
  readonly dollars: number;
}

/**
 * CPU time of a request: more than any kind was seen to take. On one core of a machine, with the simulators of D1 and R2 in the same
 * process, it is 0.1 ms for a refusal, 0.6 ms for a token, 0.7 ms for a manifest by tag and 1.1 ms for a blob that R2 gives.
 */
export const CPU_MS_PER_REQUEST = 1;

/** What is pushed is hashed on its way, at 0.7 GB/s or more; what is pulled passes by. */
const CPU_MS_PER_PUSHED_MB = 1.5;

interface Bytes {
  readonly pushed: number;
  readonly stored: number;
  readonly database: number;
}

function quantitiesOf(calls: Calls, bytes: Bytes): Readonly<Record<PriceName, number>> {
  const { requests, classA, classB, rowsRead, rowsWritten } = calls;
  const cpuMs = requests * CPU_MS_PER_REQUEST + (bytes.pushed / 1e6) * CPU_MS_PER_PUSHED_MB;
  const { stored: storedBytes, database: databaseBytes } = bytes;
  return { requests, cpuMs, rowsRead, rowsWritten, databaseBytes, classA, classB, storedBytes, egressBytes: 0 };
}

/** What a month costs, by parts. Pure. */
export function estimateMonth(month: Month): Estimate {
  const { pulls, pushes, image, habit, cached } = month;
  const calls = sum(
    times(pulls, pullOf(image, habit, cached)),
    times(pushes, pushOf(image)),
    times(SCHEDULE.runs, SCHEDULE.calls),
  );
  const bytes = {
    pushed: pushes * image.layers * image.layerBytes,
    stored: month.storedBytes,
    database: month.databaseBytes,
  };
  const parts = Object.entries(quantitiesOf(calls, bytes)).map(([name, quantity]) =>
    partOf(PRICES[name as PriceName], quantity),
  );
  return {
    subscription: SUBSCRIPTION,
    parts,
    dollars: parts.reduce((total, { dollars }) => total + dollars, SUBSCRIPTION),
  };
}

function partOf({ name, unit, dollars: price, included, roundsUp = false }: Price, quantity: number): Part {
  const beyond = Math.max(quantity / UNIT_SIZE[unit] - included, 0);
  return { name, quantity, unit, included, price, dollars: price * (roundsUp ? Math.ceil(beyond) : beyond) };
}

/** What calls cost at list prices, beyond all that a subscription includes, and without rounding. In dollars. */
export function priceOf(calls: Calls, pushedBytes = 0): number {
  const quantities = quantitiesOf(calls, { pushed: pushedBytes, stored: 0, database: 0 });
  return Object.entries(quantities).reduce((total, [name, quantity]) => {
    const { dollars, unit } = PRICES[name as PriceName];
    return total + (quantity / UNIT_SIZE[unit]) * dollars;
  }, 0);
}
