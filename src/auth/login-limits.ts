import type { LoginLimiters } from "../context.ts";
import { OciError } from "../oci/error.ts";

/** Failures are counted by the minute, and what had too many waits for one. wrangler.toml has the same numbers. */
const PERIOD_MS = 60_000;
const NARROW_LIMIT = 10;
const WIDE_LIMIT = 100;

/** The most keys that an isolate remembers; the oldest go first. */
const KEYS_MAX = 10_000;

/** Who tries to log in, and from where. */
export interface LoginAttempt {
  /** Undefined for credentials that nobody can guess: then only the address counts. */
  readonly account: string | undefined;
  /** Undefined where no edge tells. */
  readonly address: string | undefined;
}

interface Count {
  failures: number;
  periodEndsAt: number;
  blockedUntil: number;
}

interface Limit {
  readonly key: string;
  readonly limit: number;
  readonly limiter: keyof LoginLimiters;
}

/**
 * Counts failed log-ins of an account from an address, of an account, and of an address. An isolate counts what it sees, and
 * asks Cloudflare's counters, which see all isolates of a location, where they are bound. Only failures are counted, and cost
 * no database: whoever knows the password does not notice, and an attack costs next to nothing.
 *
 * So that nobody can lock another out, an account's own limit does not hold where it has logged in from before.
 */
export class LoginLimits {
  readonly #counts = new Map<string, Count>();
  readonly #familiar = new Set<string>();

  /** Throws TOOMANYREQUESTS, with Retry-After, if there were too many failures. */
  assertOpen(attempt: LoginAttempt, now: number): void {
    const blockedUntil = Math.max(
      0,
      ...this.#limitsOf(attempt).map(({ key }) => this.#counts.get(key)?.blockedUntil ?? 0),
    );
    if (blockedUntil > now) throw tooMany(blockedUntil - now);
  }

  /** Remembers where an account has logged in from. */
  recordSuccess(attempt: LoginAttempt): void {
    if (attempt.account !== undefined) remember(this.#familiar, narrowKey(attempt.account, attempt.address));
  }

  /** Counts a failure. */
  async recordFailure(attempt: LoginAttempt, limiters: LoginLimiters, now: number): Promise<void> {
    await Promise.all(
      this.#limitsOf(attempt).map(async ({ key, limit, limiter }) => {
        const count = this.#count(key, now);
        // At once: others that were tried at the same time are about to be answered.
        if (count.failures >= limit) count.blockedUntil = now + PERIOD_MS;
        const isOver = (await limiters[limiter]?.limit({ key }))?.success === false;
        if (isOver) count.blockedUntil = now + PERIOD_MS;
      }),
    );
  }

  #limitsOf(attempt: LoginAttempt): Limit[] {
    return [...this.#limitsOfAccount(attempt), ...limitsOfAddress(attempt)];
  }

  #limitsOfAccount({ account, address }: LoginAttempt): Limit[] {
    if (account === undefined) return [];
    const narrow = narrowKey(account, address);
    return [
      { key: narrow, limit: NARROW_LIMIT, limiter: "narrow" },
      ...(this.#familiar.has(narrow)
        ? []
        : [{ key: `account ${account}`, limit: WIDE_LIMIT, limiter: "wide" } as const]),
    ];
  }

  #count(key: string, now: number): Count {
    const known = this.#counts.get(key);
    const isCurrent = known !== undefined && known.periodEndsAt > now;
    const count = isCurrent
      ? known
      : { failures: 0, periodEndsAt: now + PERIOD_MS, blockedUntil: known?.blockedUntil ?? 0 };
    count.failures += 1;
    const [oldest] = this.#counts.keys();
    if (!known && this.#counts.size >= KEYS_MAX && oldest !== undefined) this.#counts.delete(oldest);
    // To the end: the first is the one that has not failed for the longest time.
    this.#counts.delete(key);
    this.#counts.set(key, count);
    return count;
  }
}

function limitsOfAddress({ address }: LoginAttempt): Limit[] {
  return address === undefined ? [] : [{ key: `address ${network(address)}`, limit: WIDE_LIMIT, limiter: "wide" }];
}

function narrowKey(account: string, address: string | undefined): string {
  return `account ${account} from ${address === undefined ? "here" : network(address)}`;
}

/** Who has one IPv6 address has 2^64 of them. */
function network(address: string): string {
  if (!address.includes(":")) return address;
  const [beforeZeros = ""] = address.split("::", 1);
  const groups = beforeZeros.split(":").filter((group) => group !== "");
  return [...groups, "0", "0", "0", "0"].slice(0, 4).join(":");
}

function remember(set: Set<string>, key: string): void {
  set.delete(key);
  const [oldest] = set;
  if (set.size >= KEYS_MAX && oldest !== undefined) set.delete(oldest);
  set.add(key);
}

function tooMany(waitMs: number): OciError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new OciError("TOOMANYREQUESTS", {
    message: `too many failed log-ins: wait ${seconds} seconds`,
    headers: { "Retry-After": String(seconds) },
  });
}
