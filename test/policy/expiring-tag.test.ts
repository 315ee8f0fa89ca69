import { expect, it } from "vitest";
import { parseLife } from "../../src/policy/expiring-tag.ts";

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;

it.each([
  ["30s", HOUR / 120],
  ["30m", HOUR / 2],
  ["1h", HOUR],
  ["7d", 7 * 24 * HOUR],
  ["365d", YEAR],
  ["366d", YEAR],
  ["999999999d", YEAR],
])("%s lives for %i ms", (text, ms) => {
  expect(parseLife(text)).toBe(ms);
});

it.each([
  ...[
    "latest",
    "0m",
    "000d",
    "h",
    "1",
    "1w",
    "1H",
    "1.5h",
    "-1h",
    "1h30m",
    "app-1h",
    "1h-app",
    "1h.",
    "_1h",
    "1000000000d",
  ],
  ...["", " ", "1 h"],
])("%j does not expire", (text) => {
  expect(parseLife(text)).toBeUndefined();
});
