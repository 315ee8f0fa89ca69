import { expect, it } from "vitest";
import { parseDuration } from "../../src/oci/duration.ts";

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
