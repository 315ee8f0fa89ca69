import { expect, it } from "vitest";
import { MUTATIONS } from "./mutations.ts";
import { findPlanted, replay } from "./threads.ts";

it.each(MUTATIONS.filter(({ isRare }) => !isRare))("finds the planted bug $name", async (mutation) => {
  const found = await findPlanted(mutation);
  expect(found).toBeDefined();
  expect((await replay(found!.seed, { mutation: mutation.name })).outcome).toEqual(found);
  // The bug is what was found: without it, the same history is well.
  expect((await replay(found!.seed)).outcome.violation).toBeUndefined();
});
