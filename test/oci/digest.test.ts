import fc from "fast-check";
import { expect, it } from "vitest";
import {
  computeDigest,
  digestAlgorithm,
  digestFromHash,
  digestHex,
  isDigest,
  parseAlgorithm,
  parseDigest,
} from "../../src/oci/digest.ts";
import { thrownBy } from "../support/thrown.ts";

const hex = (length: number) => "0123456789abcdef".repeat(length / 16);

it.each([`sha256:${hex(64)}`, `sha512:${hex(128)}`])("accepts %s", (text) => {
  expect(parseDigest(text)).toBe(text);
  expect(isDigest(text)).toBe(true);
});

it.each([
  "",
  "sha256",
  "sha256:",
  ":",
  `:${hex(64)}`,
  hex(64),
  `sha256:${hex(64).slice(1)}`,
  `sha256:${hex(64)}0`,
  `sha256:${hex(128)}`,
  `sha512:${hex(64)}`,
  `sha256:${hex(64).toUpperCase()}`,
  `SHA256:${hex(64)}`,
  `sha256:${hex(64).slice(1)}g`,
  `sha256:${hex(64).slice(1)}\n`,
  ` sha256:${hex(64)}`,
  `sha256:${hex(64)} `,
  `sha256:${hex(64)}:0`,
  `sha384:${hex(96)}`,
  `md5:${hex(32)}`,
  `__proto__:${hex(64)}`,
  `constructor:${hex(64)}`,
])("refuses %j", (text) => {
  expect(isDigest(text)).toBe(false);
  expect(thrownBy(() => parseDigest(text)).code).toBe("DIGEST_INVALID");
});

it("says which algorithms there are", () => {
  expect(thrownBy(() => parseDigest(`md5:${hex(32)}`)).message).toContain("sha256, sha512");
  expect(thrownBy(() => parseAlgorithm("toString")).code).toBe("DIGEST_INVALID");
  expect(parseAlgorithm("sha512")).toBe("sha512");
});

it("repeats no endless digest in its error", () => {
  expect(JSON.stringify(thrownBy(() => parseDigest("a".repeat(100_000)))).length).toBeLessThan(1_000);
  expect(JSON.stringify(thrownBy(() => parseAlgorithm("a".repeat(100_000)))).length).toBeLessThan(1_000);
});

it("knows the digests of the standards' examples", async () => {
  const abc = new TextEncoder().encode("abc");
  expect(await computeDigest("sha256", abc)).toBe(
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  expect(await computeDigest("sha512", abc)).toBe(
    "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
  );
});

it("takes a digest apart as it was put together", () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(hash, (bytes) => {
      const digest = digestFromHash("sha256", bytes);
      expect(parseDigest(digest)).toBe(digest);
      expect(digestAlgorithm(digest)).toBe("sha256");
      expect(Uint8Array.fromHex(digestHex(digest))).toEqual(bytes);
      expect(digestFromHash("sha256", bytes.slice().buffer)).toBe(digest);
    }),
  );
});
