import { createLocalJWKSet, errors, type JWK, type JWTVerifyGetKey } from "jose";
import { logError } from "../log.ts";
import type { JsonWebKeySet } from "../policy/key-set.ts";
import { fetchKeySet, KeySetError } from "./issuer-documents.ts";

export { KeySetError } from "./issuer-documents.ts";

/** How the world outside is reached: a Context is one. */
export interface Network {
  readonly fetch: typeof fetch;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Finds the key that a token names, or throws jose's JWKSNoMatchingKey. */
export type KeyFinder = JWTVerifyGetKey;

interface Limits {
  /** A key that its issuer has withdrawn is accepted no longer than this. */
  readonly keepMs: number;
  /** How soon after a request the next one may follow, be it for an unknown key or after a failure. */
  readonly againMs: number;
  /** For both requests together. */
  readonly timeoutMs: number;
  readonly issuersMax: number;
}

const LIMITS: Limits = { keepMs: 10 * 60_000, againMs: 30_000, timeoutMs: 5_000, issuersMax: 100 };

/** What is known of an issuer. */
interface Entry {
  /** When the last request began; its outcome is `keys` or `failure`, or neither when it never came to an end. */
  requestedAt: number;
  keys: { readonly find: KeyFinder; readonly since: number } | undefined;
  failure: KeySetError | undefined;
  pending: Promise<KeyFinder> | undefined;
}

/** Where keys are looked for. */
export interface KeySource {
  readonly network: Network;
  readonly issuer: string;
  /** The registry's own: it is no issuer, and never asks itself. */
  readonly registryOrigin: string;
}

/** The key sets of issuers, as an isolate keeps them. */
export class KeySets {
  readonly #limits: Limits;
  readonly #entries = new Map<string, Entry>();

  constructor(limits: Partial<Limits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
  }

  /**
   * Finds keys among those that the issuer publishes. Asks it only when a key is looked for.
   * @throws KeySetError from the finder.
   */
  finderOf(source: KeySource): KeyFinder {
    return async (header, token) => {
      const find = await this.#keysOf(source);
      try {
        return await find(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        const findNewer = await this.#keysOf(source, find);
        return await findNewer(header, token);
      }
    };
  }

  /**
   * @param lacking keys that were given before, and in which a token's key was not found: then newer ones, unless the
   * issuer was asked a moment ago, since anybody can make up tokens with unknown keys.
   */
  async #keysOf({ network, issuer, registryOrigin }: KeySource, lacking?: KeyFinder): Promise<KeyFinder> {
    // Not remembered as a failure: the origin is what a request says.
    if (new URL(issuer).host === new URL(registryOrigin).host) throw new KeySetError(issuer, "is this registry itself");
    const { keepMs, againMs, timeoutMs } = this.#limits;
    const now = network.now();
    const entry = this.#entryOf(issuer);
    const kept = entry.keys && now - entry.keys.since < keepMs ? entry.keys.find : undefined;
    if (kept && kept !== lacking) return kept;
    if (entry.pending && now - entry.requestedAt < timeoutMs) return await this.#join(issuer, entry.pending);
    if (now - entry.requestedAt < againMs) {
      if (entry.failure) throw entry.failure;
      if (kept) return kept;
    }
    return await this.#request(network, issuer, entry);
  }

  /** One request at a time for each issuer, which others join. */
  async #request({ fetch, now }: Network, issuer: string, entry: Entry): Promise<KeyFinder> {
    const since = now();
    // `fetch` goes on alone, as Workers refuse to run it as the method of another object.
    const pending = this.#inTime(issuer, async (signal) => toFinder(await fetchKeySet(fetch, issuer, signal)));
    Object.assign(entry, { requestedAt: since, failure: undefined, pending });
    try {
      const find = await pending;
      entry.keys = { find, since };
      return find;
    } catch (cause) {
      const failure = cause instanceof KeySetError ? cause : new KeySetError(issuer, "gave unusable keys", { cause });
      entry.failure = failure;
      logError("issuer_keys_unavailable", failure, { issuer });
      throw failure;
    } finally {
      if (entry.pending === pending) entry.pending = undefined;
    }
  }

  /** The request may be one of a client that goes away: then it never ends, and whoever joined it has his own clock. */
  async #join(issuer: string, pending: Promise<KeyFinder>): Promise<KeyFinder> {
    return await this.#inTime(issuer, async () => await pending);
  }

  /** Ends with the work or the time, even if the work does not heed its signal. */
  async #inTime<T>(issuer: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs } = this.#limits;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const error = new KeySetError(issuer, `did not answer within ${timeoutMs / 1000} s`);
        reject(error);
        abort.abort(error);
      }, timeoutMs);
    });
    try {
      return await Promise.race([work(abort.signal), timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  #entryOf(issuer: string): Entry {
    const { issuersMax } = this.#limits;
    const entry = this.#entries.get(issuer) ?? {
      ...{ requestedAt: -Infinity, keys: undefined, failure: undefined, pending: undefined },
    };
    // The entry goes to the end; the first is the one that nobody has asked for the longest time.
    this.#entries.delete(issuer);
    this.#entries.set(issuer, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > issuersMax && oldest !== undefined) this.#entries.delete(oldest);
    return entry;
  }
}

/** Selects keys by the token's header: type, algorithm, use and id (RFC 7517, section 4). */
export function toFinder({ keys }: JsonWebKeySet): KeyFinder {
  // JWK's type knows jose's algorithms alone; a key of another one is just never found.
  return createLocalJWKSet({ keys: [...keys] as JWK[] });
}
