import { expect, test } from "vitest";
import { formatSize, plain, relativeTime } from "../../../scripts/stowage/text.ts";

test.each([
  ["2026-06-15T11:59:40Z", "just now"],
  ["2026-06-15T12:00:20Z", "in less than a minute"],
  ["2026-06-15T11:58:00Z", "2 minutes ago"],
  ["2026-06-15T09:00:00Z", "3 hours ago"],
  ["2026-06-14T12:00:00Z", "1 day ago"],
  ["2026-06-17T12:00:00Z", "in 2 days"],
  ["2026-03-15T12:00:00Z", "3 months ago"],
  ["2024-06-15T12:00:00Z", "2 years ago"],
  ["some day", "some day"],
])("%s is %s", (time, words) => {
  expect(relativeTime(time, new Date("2026-06-15T12:00:00Z"))).toBe(words);
});

test.each([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [1023, "1023 bytes"],
  [1024, "1 KiB"],
  [1024 * 1000, "1000 KiB"],
  [75_500_000, "72 MiB"],
  [1_234_567_890, "1.15 GiB"],
  [2 ** 54, "16384 TiB"],
])("%i bytes are %s", (bytes, words) => {
  expect(formatSize(bytes)).toBe(words);
});

test.each([
  ["team/web", "team/web"],
  ["Ä 日本", "Ä 日本"],
  ["\u001b[31m\n", "\\u{1b}[31m\\u{a}"],
  ["\u009b\u202e", "\\u{9b}\\u{202e}"],
])("%j is shown as %s", (text, shown) => {
  expect(plain(text)).toBe(shown);
});
