import { expect, test } from "vitest";
import { parseSize } from "../../src/oci/size.ts";

test.each([
  ["100MB", 100_000_000],
  ["64kB", 64_000],
  [" 5gb ", 5_000_000_000],
  ["12345", 12_345],
  ["0", 0],
  ["1.5MB", undefined],
  ["MB", undefined],
  ["-1", undefined],
  ["1 MB", undefined],
  ["", undefined],
])("%j is %j bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});
