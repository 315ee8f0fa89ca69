import { median } from "./statistics.ts";

/** Who is measured. `limit` is what the runtime can do at most: see a metric's own `limit`. */
export const SERVER_NAMES = ["stowage", "distribution-2.8", "distribution-3", "zot", "limit"] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

export type Unit = "s" | "ms" | "requests/s" | "MB" | "kB" | "times";

/** One thing that is measured. */
export interface Metric {
  /** Words and dots, the workload's name first. */
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  /** What the column `limit` holds, where it holds something. */
  readonly limit?: string;
}

/** A metric's figures: of each server, one for each round. */
export interface Measured {
  readonly metric: Metric;
  readonly rounds: Readonly<Partial<Record<ServerName, readonly number[]>>>;
}

/** What was measured so far. */
export class Results {
  readonly #measured = new Map<string, { metric: Metric; rounds: Partial<Record<ServerName, number[]>> }>();

  add(metric: Metric, server: ServerName, value: number): void {
    const entry = this.#measured.get(metric.id) ?? { metric, rounds: {} };
    this.#measured.set(metric.id, entry);
    (entry.rounds[server] ??= []).push(value);
  }

  list(): readonly Measured[] {
    return [...this.#measured.values()];
  }
}

/** The median of a server's rounds; undefined where it was not measured. */
export function medianOf({ rounds }: Measured, server: ServerName): number | undefined {
  return median(rounds[server] ?? []);
}

/** Whether more of it is better. */
export function isMoreBetter(unit: Unit): boolean {
  return unit === "requests/s";
}
