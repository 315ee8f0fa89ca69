import { expect, it } from "vitest";
import { MUTATIONS } from "./mutations.ts";
import { findPlanted } from "./threads.ts";

// Each takes one thread, and Vitest runs as many at once as there are cores. That nothing but the bug is found, histories.test.ts shows: without it, the same seeds are well.
it.concurrent.each(MUTATIONS.filter(({ isRare }) => !isRare))("finds the planted bug $name", async (mutation) => {
  expect(await findPlanted(mutation)).toBeDefined();
});
