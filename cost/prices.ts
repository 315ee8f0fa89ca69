/** A price of the platform. */
export interface Price {
  readonly name: string;
  /** What is counted, and how many of it the price is for. */
  readonly unit: "million" | "GB-month";
  readonly dollars: number;
  /** Units of each month that the subscription includes. */
  readonly included: number;
  /** Whether a unit that was begun is billed as a whole. */
  readonly roundsUp?: boolean;
}

/** Dollars a month; the Workers Paid plan, without which there is no more than a trial. */
export const SUBSCRIPTION = 5;

/** Cloudflare's list prices. */
export const PRICES = {
  requests: { name: "Worker requests", unit: "million", dollars: 0.3, included: 10 },
  cpuMs: { name: "Worker CPU, in ms", unit: "million", dollars: 0.02, included: 30 },
  rowsRead: { name: "D1 rows read", unit: "million", dollars: 0.001, included: 25_000 },
  rowsWritten: { name: "D1 rows written", unit: "million", dollars: 1, included: 50 },
  databaseBytes: { name: "D1 storage", unit: "GB-month", dollars: 0.75, included: 5 },
  classA: { name: "R2 class A", unit: "million", dollars: 4.5, included: 1, roundsUp: true },
  classB: { name: "R2 class B", unit: "million", dollars: 0.36, included: 10, roundsUp: true },
  storedBytes: { name: "R2 storage", unit: "GB-month", dollars: 0.015, included: 10, roundsUp: true },
  egressBytes: { name: "Egress", unit: "GB-month", dollars: 0, included: 0 },
} as const satisfies Readonly<Record<string, Price>>;

export type PriceName = keyof typeof PRICES;

/** The youngest reading of all of them that has a date, and where they stand. */
export const PRICES_READ = "2026-08-03";
export const PRICE_SOURCES = [
  "https://developers.cloudflare.com/workers/platform/pricing/",
  "https://developers.cloudflare.com/d1/platform/pricing/",
  "https://developers.cloudflare.com/r2/pricing/",
];

export const UNIT_SIZE: Readonly<Record<Price["unit"], number>> = { million: 1e6, "GB-month": 1e9 };
