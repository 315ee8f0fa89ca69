import fc from "fast-check";
import { expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../src/oci/duration.ts";

it.each([
  ["0s", 0],
  ["30s", 30_000],
  ["5m", 300_000],
  ["24h", 86_400_000],
  ["7d", 604_800_000],
  [" 1h ", 3_600_000],
])("reads %j", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

it.each(["", "5", "s", "-1s", "1.5h", "1 h", "1w", "1h30m", "1H", "1ms", "9999999999s"])("does not read %j", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

it.each([
  [0, "0s"],
  [1_000, "1s"],
  [90_000, "90s"],
  [60_000, "1m"],
  [5_400_000, "90m"],
  [86_400_000, "1d"],
  [2_592_000_000, "30d"],
])("writes %i", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

it("reads what it writes", () => {
  fc.assert(
    fc.property(fc.nat(999_999_999), fc.constantFrom("s", "m", "h", "d"), (count, unit) => {
      const ms = parseDuration(`${count}${unit}`)!;
      expect(parseDuration(formatDuration(ms)) ?? `${formatDuration(ms)} of ${ms}`).toBe(ms);
    }),
  );
});
