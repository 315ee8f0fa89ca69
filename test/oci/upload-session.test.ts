import fc from "fast-check";
import { expect, it } from "vitest";
import { parseRepositoryName } from "../../src/oci/repository-name.ts";
import {
  choosePartSize,
  EMPTY_TAIL,
  PART_SIZE_BYTES,
  PARTS_MAX,
  tailLength,
  uploadLocation,
} from "../../src/oci/upload-session.ts";

const MIB = 1024 * 1024;

it.each([
  [undefined, PART_SIZE_BYTES],
  [0, PART_SIZE_BYTES],
  [1, PART_SIZE_BYTES],
  [5 * MIB - 1, PART_SIZE_BYTES],
  [5 * MIB, 5 * MIB],
  [5.5 * MIB, 5.5 * MIB],
  [6 * MIB, 6 * MIB],
  [7 * MIB, PART_SIZE_BYTES],
  [10 * MIB, 5 * MIB],
  [11 * MIB, 5.5 * MIB],
  [12 * MIB, 6 * MIB],
  [16 * MIB, (16 * MIB) / 3 - 1 / 3],
  [100 * MIB, Math.floor((100 * MIB) / 17)],
])("chooses for chunks of %s bytes parts of %s", (chunk, part) => {
  expect(choosePartSize(chunk)).toBe(part);
});

it("never chooses a part that R2 refuses, or that takes more memory than was counted on", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31 - 1), (length) => {
      const size = choosePartSize(length);
      expect(Number.isInteger(size)).toBe(true);
      expect(size).toBeGreaterThanOrEqual(5 * MIB);
      expect(size).toBeLessThanOrEqual(PART_SIZE_BYTES);
    }),
  );
});

it("leaves room for a blob of 50 GB in parts of any size that it chooses", () => {
  expect(5 * MIB * PARTS_MAX).toBeGreaterThan(50e9);
});

it("counts the bytes of a tail", () => {
  expect(tailLength(EMPTY_TAIL)).toBe(0);
  const pieces = fc.array(fc.record({ key: fc.constant("tails/x"), size: fc.nat(9_999) }));
  fc.assert(
    fc.property(pieces, fc.uint8Array({ maxLength: 99 }), (tail, bytes) => {
      const sizes = tail.reduce((sum, { size }) => sum + size, 0);
      expect(tailLength({ pieces: tail, inline: bytes.toBase64() })).toBe(sizes + bytes.byteLength);
    }),
  );
});

it("gives a path without escapes as the place of a session", () => {
  expect(uploadLocation(parseRepositoryName("a/b"), "1-2")).toBe("/v2/a/b/blobs/uploads/1-2");
});
