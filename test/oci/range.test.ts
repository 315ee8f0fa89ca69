import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatUploadRange, parseRange, parseUploadRange } from "../../src/oci/range.ts";

describe("a Range of 10 bytes", () => {
  it.each([
    ["bytes=0-0", 0, 1],
    ["bytes=0-9", 0, 10],
    ["bytes=2-5", 2, 4],
    ["bytes=9-9", 9, 1],
    ["bytes=0-", 0, 10],
    ["bytes=9-", 9, 1],
    ["bytes=5-99", 5, 5],
    ["bytes=5-99999999999999999999999", 5, 5],
    ["bytes=-1", 9, 1],
    ["bytes=-10", 0, 10],
    ["bytes=-99", 0, 10],
    ["Bytes=1-2", 1, 2],
  ])("%s is a part", (header, offset, length) => {
    expect(parseRange(header, 10)).toEqual({ kind: "part", offset, length });
  });

  it.each(["bytes=10-", "bytes=10-12", "bytes=99999999999999999999-", "bytes=-0", "bytes=5-4"])(
    "%s cannot be satisfied",
    (header) => {
      expect(parseRange(header, 10)).toEqual({ kind: "unsatisfiable" });
    },
  );

  it.each([
    null,
    "",
    "bytes",
    "bytes=",
    "bytes=-",
    "bytes=a-b",
    "bytes=0-1,3-4",
    "bytes=1",
    "items=0-1",
    "bytes=0-1;",
    "0-1",
  ])("%s is ignored", (header) => {
    expect(parseRange(header, 10)).toEqual({ kind: "whole" });
  });
});

it.each(["bytes=0-", "bytes=0-0", "bytes=-1"])("%s of nothing cannot be satisfied", (header) => {
  expect(parseRange(header, 0)).toEqual({ kind: "unsatisfiable" });
});

it("never goes beyond the content", () => {
  const bound = fc.option(fc.nat(200), { nil: "" as const });
  fc.assert(
    fc.property(bound, bound, fc.nat(100), (first, last, size) => {
      const range = parseRange(`bytes=${first}-${last}`, size);
      if (range.kind !== "part") return;
      expect(range.offset).toBeGreaterThanOrEqual(0);
      expect(range.length).toBeGreaterThan(0);
      expect(range.offset + range.length).toBeLessThanOrEqual(size);
    }),
  );
});

describe("the Content-Range of a chunk", () => {
  it.each([
    ["0-0", 0, 1],
    ["0-99", 0, 100],
    ["100-199", 100, 100],
    [" 5-6 ", 5, 2],
    ["bytes 0-4/10", 0, 5],
    ["bytes 0-4/*", 0, 5],
    ["bytes=0-4", 0, 5],
  ])("%s is understood", (header, offset, length) => {
    expect(parseUploadRange(header)).toEqual({ offset, length });
  });

  it.each([
    "",
    "0",
    "-",
    "0-",
    "-5",
    "5-4",
    "a-b",
    "0-1,2-3",
    "0--1",
    "-1-5",
    "1.5-2",
    "0-9999999999999999",
    "items 0-1",
  ])("%j is malformed", (header) => {
    expect(parseUploadRange(header)).toBeUndefined();
  });
});

it.each([
  [0, "0-0"],
  [1, "0-0"],
  [2, "0-1"],
  [6_291_456, "0-6291455"],
])("tells of %i received bytes as %s", (received, text) => {
  expect(formatUploadRange(received)).toBe(text);
});
