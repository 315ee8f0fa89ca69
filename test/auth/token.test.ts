import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { ANONYMOUS } from "../../src/auth/identity.ts";
import { issueToken, verifyToken } from "../../src/auth/token.ts";
import { configOf } from "../../src/config.ts";

const NOW = 1_800_000_000_000;
const LIFE_MS = 300_000;
const SKEW_MS = 30_000;

/** A configuration of its own, which remembers nothing yet. */
const configWith = (settings: object = {}) => configOf({ ...env, TOKEN_TTL: "5m", ...settings });
const access = [{ type: "registry", name: "catalog", actions: ["*"] }] as const;
const issue = async (config = configWith()) =>
  (await issueToken(config, { identity: ANONYMOUS, access: [...access] }, NOW)).token;

const MOMENTS = [
  ["before it begins", NOW - SKEW_MS - 1_000, false],
  ["as it begins", NOW - SKEW_MS, true],
  ["now", NOW, true],
  ["in its last second", NOW + LIFE_MS - 1_000, true],
  ["as it ends", NOW + LIFE_MS, false],
  ["long after", NOW + 10 * LIFE_MS, false],
] as const;

it.each(MOMENTS)("a token %s is as valid where it was verified before as where it was not", async (_, at, isValid) => {
  const [fresh, remembering] = [configWith(), configWith()];
  const text = await issue();
  const token = { identity: ANONYMOUS, access };
  expect(await verifyToken(remembering, text, NOW)).toEqual(token);
  expect(await verifyToken(remembering, text, at)).toEqual(isValid ? token : undefined);
  expect(await verifyToken(fresh, text, at)).toEqual(isValid ? token : undefined);
});

it("a token that was verified is not verified by another secret, nor is another text", async () => {
  const config = configWith();
  const text = await issue(config);
  expect(await verifyToken(config, text, NOW)).toBeDefined();
  expect(await verifyToken(config, `${text.slice(0, -2)}xx`, NOW)).toBeUndefined();
  const other = configWith({ TOKEN_SECRET: "another secret of the tests, as long as it has to be" });
  expect(await verifyToken(other, text, NOW)).toBeUndefined();
});

it("a token that was verified is parsed once", async () => {
  const config = configWith();
  const text = await issue(config);
  expect(await verifyToken(config, text, NOW)).toBe(await verifyToken(config, text, NOW + 1_000));
});
