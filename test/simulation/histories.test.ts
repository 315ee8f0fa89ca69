import { expect, it } from "vitest";
import { replay, runRange } from "./threads.ts";

/** For more, `npm run simulate -- --seeds 1000000 --from 10001`. */
const HISTORIES = 10_000;

it(`finds nothing wrong in ${HISTORIES} histories`, async () => {
  const { histories, violations } = await runRange({ from: 1, count: HISTORIES });
  expect(violations).toEqual([]);
  expect(histories).toBe(HISTORIES);
});

it("repeats a history exactly, whatever ran before it", async () => {
  const [alone, again] = [await replay(77), await replay(77)];
  expect(again.trace).toEqual(alone.trace);
  const { outcomes } = await runRange({ from: 60, count: 40, isKept: true });
  expect(outcomes.find(({ seed }) => seed === 77)).toEqual(alone.outcome);
});
