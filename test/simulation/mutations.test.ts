import { expect, it } from "vitest";
import { MUTATIONS } from "./mutations.ts";
import { replay, runRange } from "./threads.ts";

it.each(MUTATIONS)("finds the planted bug $name", async ({ name, seeds, from = 1 }) => {
  const { violations } = await runRange({ from, count: seeds, mutation: name });
  const [found] = violations;
  expect(found).toBeDefined();
  expect((await replay(found!.seed, { mutation: name })).outcome).toEqual(found);
  // The bug is what was found: without it, the same history is well.
  expect((await replay(found!.seed)).outcome.violation).toBeUndefined();
});
