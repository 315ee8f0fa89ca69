import { describe, expect, it } from "vitest";
import { generatePassword, hashPassword, isOutdated, verifyNothing, verifyPassword } from "../../src/auth/password.ts";

/** Fewer than any setting allows: what a hash costs is not what these tests are about. */
const ITERATIONS = 1_000;

describe("a stored password", () => {
  it("is its own and no other's", async () => {
    const stored = await hashPassword("correct horse", ITERATIONS);
    for (const attempt of [1, 2]) expect(await verifyPassword("correct horse", stored), `${attempt}`).toBe(true);
    for (const wrong of ["correct horse ", "Correct horse", "", "correct hors", "x".repeat(300)]) {
      expect(await verifyPassword(wrong, stored)).toBe(false);
    }
  });

  it("carries its scheme and parameters, a salt of its own, and not itself", async () => {
    const [one, other] = await Promise.all([
      hashPassword("correct horse", ITERATIONS),
      hashPassword("correct horse", ITERATIONS),
    ]);
    expect(one).toMatch(/^pbkdf2-sha512:1000:[A-Za-z0-9+/=]{24}:[A-Za-z0-9+/=]{44}$/);
    expect(one).not.toBe(other);
    expect(one).not.toContain("correct");
  });

  it("is PBKDF2 with HMAC-SHA-512, as others compute it", async () => {
    const [, , salt = "", hash] = (await hashPassword("pass", 1_000)).split(":");
    const key = await crypto.subtle.importKey("raw", new TextEncoder().encode("pass"), "PBKDF2", false, ["deriveBits"]);
    const parameters = { name: "PBKDF2", hash: "SHA-512", salt: Uint8Array.fromBase64(salt), iterations: 1_000 };
    expect(new Uint8Array(await crypto.subtle.deriveBits(parameters, key, 256)).toBase64()).toBe(hash);
  });

  it("is the same however its letters are composed", async () => {
    expect(await verifyPassword("cafe\u0301 au lait", await hashPassword("caf\u00e9 au lait", ITERATIONS))).toBe(true);
  });

  it("is outdated under other parameters", async () => {
    const stored = await hashPassword("correct horse", ITERATIONS);
    expect(isOutdated(stored, ITERATIONS)).toBe(false);
    expect(isOutdated(stored, 2 * ITERATIONS)).toBe(true);
  });

  it("of an unknown scheme is a defect, not a refusal", async () => {
    await expect(verifyPassword("x", "md5:1:x:y")).rejects.toThrow("unknown scheme");
  });
});

it("no account has a password that is never right", async () => {
  expect(await verifyNothing("anything", ITERATIONS)).toBe(false);
});

it("a generated password is long, and another one each time", () => {
  const made = Array.from({ length: 100 }, () => generatePassword());
  expect(new Set(made).size).toBe(100);
  for (const one of made) expect(one).toMatch(/^[a-z2-9]{24}$/);
});
