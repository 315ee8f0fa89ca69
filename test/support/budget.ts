import { expect } from "vitest";
import { type Measured, sumUsage } from "./counted-registry.ts";
import type { Usage } from "./counting.ts";

/** The most that an operation may cost: calls of R2's classes, and round trips to D1. */
export type Budget = readonly [classA: number, classB: number, roundTrips: number];

/** Asserts that requests, taken together, stay within a budget. Returns what they cost. */
export function expectWithin(measured: readonly Measured[], [classA, classB, roundTrips]: Budget): Usage {
  const usage = sumUsage(measured);
  expect.soft(usage.classA, "R2 class A").toBeLessThanOrEqual(classA);
  expect.soft(usage.classB, "R2 class B").toBeLessThanOrEqual(classB);
  expect.soft(usage.roundTrips, "D1 round trips").toBeLessThanOrEqual(roundTrips);
  return usage;
}
