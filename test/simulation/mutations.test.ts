import { expect, it } from "vitest";
import { MUTATIONS } from "./mutations.ts";
import { findPlanted } from "./threads.ts";

// That nothing but the bug is found, histories.test.ts shows: without it, the same seeds are well.
it.each(MUTATIONS.filter(({ isRare }) => !isRare))("finds the planted bug $name", async (mutation) => {
  expect(await findPlanted(mutation)).toBeDefined();
});
