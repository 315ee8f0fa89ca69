import { beforeEach, describe, expect, it } from "vitest";
import { type LoginAttempt, LoginLimits } from "../../src/auth/login-limits.ts";
import type { LoginLimiters } from "../../src/context.ts";
import { OciError } from "../../src/oci/error.ts";

const UNBOUND: LoginLimiters = { narrow: undefined, wide: undefined };
const MINUTE = 60_000;
let limits: LoginLimits;

beforeEach(() => {
  limits = new LoginLimits();
});

const from = (account: string, address?: string): LoginAttempt => ({ account, address });

async function fail(attempt: LoginAttempt, times: number, now = 0, limiters = UNBOUND): Promise<void> {
  for (let time = 0; time < times; time += 1) await limits.recordFailure(attempt, limiters, now);
}

/** How long an attempt has to wait, in seconds; 0 if it may try. */
function wait(attempt: LoginAttempt, now = 0): number {
  try {
    limits.assertOpen(attempt, now);
    return 0;
  } catch (error) {
    expect(error).toBeInstanceOf(OciError);
    expect(error).toMatchObject({ code: "TOOMANYREQUESTS", status: 429 });
    return Number((error as OciError).headers["Retry-After"]);
  }
}

describe("an account from an address", () => {
  it("may fail nine times a minute, and waits a minute after the tenth", async () => {
    await fail(from("alice", "192.0.2.1"), 9);
    expect(wait(from("alice", "192.0.2.1"))).toBe(0);
    await fail(from("alice", "192.0.2.1"), 1, 1_000);
    expect(wait(from("alice", "192.0.2.1"), 1_000)).toBe(60);
    expect(wait(from("alice", "192.0.2.1"), 31_500)).toBe(30);
    expect(wait(from("alice", "192.0.2.1"), 1_000 + MINUTE)).toBe(0);
  });

  it("keeps no other account or address from trying", async () => {
    await fail(from("alice", "192.0.2.1"), 10);
    expect(wait(from("bob", "192.0.2.1"))).toBe(0);
    expect(wait(from("alice", "192.0.2.2"))).toBe(0);
  });

  it("is counted anew each minute", async () => {
    await fail(from("alice", "192.0.2.1"), 9, 0);
    await fail(from("alice", "192.0.2.1"), 9, MINUTE);
    expect(wait(from("alice", "192.0.2.1"), MINUTE)).toBe(0);
  });

  it("is counted where no edge tells the address", async () => {
    await fail(from("alice"), 10);
    expect(wait(from("alice"))).toBe(60);
    expect(wait(from("bob"))).toBe(0);
  });

  it("has all addresses of an IPv6 network of 64 bits as one", async () => {
    await fail(from("alice", "2001:db8::1"), 5);
    await fail(from("alice", "2001:db8:0:0:a:b:c:d"), 5);
    expect(wait(from("alice", "2001:db8::ffff"))).toBe(60);
    expect(wait(from("alice", "2001:db8:0:1::1"))).toBe(0);
  });
});

describe("an account", () => {
  it("waits after a hundred failures from many addresses", async () => {
    for (let host = 0; host < 99; host += 1) await fail(from("alice", `192.0.2.${host}`), 1);
    expect(wait(from("alice", "198.51.100.1"))).toBe(0);
    await fail(from("alice", "192.0.2.200"), 1);
    expect(wait(from("alice", "198.51.100.1"))).toBe(60);
    expect(wait(from("bob", "198.51.100.1"))).toBe(0);
  });

  it("cannot be locked out from where it has logged in before", async () => {
    limits.recordSuccess(from("alice", "198.51.100.1"));
    for (let host = 0; host < 200; host += 1) await fail(from("alice", `192.0.2.${host}`), 1);
    expect(wait(from("alice", "198.51.100.1"))).toBe(0);
    expect(wait(from("alice", "198.51.100.2"))).toBe(60);
    await fail(from("alice", "198.51.100.1"), 10);
    expect(wait(from("alice", "198.51.100.1"))).toBe(60);
  });
});

it("an address waits after a hundred failures with many accounts", async () => {
  for (let number = 0; number < 100; number += 1) await fail(from(`user${number}`, "192.0.2.1"), 1);
  expect(wait(from("alice", "192.0.2.1"))).toBe(60);
  expect(wait(from("alice", "192.0.2.2"))).toBe(0);
});

it("asks Cloudflare's counters, which know more than one isolate", async () => {
  const asked: string[] = [];
  const limiter = (answer: boolean): RateLimit => ({
    // eslint-disable-next-line @typescript-eslint/require-await -- the interface
    limit: async ({ key }) => {
      asked.push(key);
      return { success: answer };
    },
  });
  await fail(from("alice", "192.0.2.1"), 1, 0, { narrow: limiter(true), wide: limiter(true) });
  expect(asked).toEqual(["account alice from 192.0.2.1", "account alice", "address 192.0.2.1"]);
  expect(wait(from("alice", "192.0.2.1"))).toBe(0);
  await fail(from("alice", "192.0.2.1"), 1, 0, { narrow: limiter(false), wide: limiter(true) });
  expect(wait(from("alice", "192.0.2.1"))).toBe(60);
});

it("remembers no more than so many", async () => {
  await fail(from("first", "192.0.2.1"), 10);
  for (let number = 0; number < 4_000; number += 1)
    await fail(from(`user${number}`, `10.0.${number >> 8}.${number & 255}`), 1);
  expect(wait(from("first", "192.0.2.1"))).toBe(0);
});
