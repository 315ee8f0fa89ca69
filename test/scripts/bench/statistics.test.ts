import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatFigure, median } from "../../bench/report/statistics.ts";

describe("the median", () => {
  test.each([
    [[], undefined],
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
  ])("of %j is %j", (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  test("has at least half of the values on either side, whatever their order", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1 }), (values) => {
        const middle = median(values) ?? NaN;
        expect(values.filter((value) => value <= middle).length).toBeGreaterThanOrEqual(values.length / 2);
        expect(values.filter((value) => value >= middle).length).toBeGreaterThanOrEqual(values.length / 2);
      }),
    );
  });
});

test.each([
  [0, "0"],
  [0.01234, "0.0123"],
  [0.9999, "1"],
  [12.34, "12.3"],
  [123.4, "123"],
  [12_345, "12,345"],
])("%j is written %j", (value, text) => {
  expect(formatFigure(value)).toBe(text);
});
