import { AgedCache } from "../aged-cache.ts";
import type { Digest } from "../oci/digest.ts";
import type { Tag } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { type Flight, isFlying } from "./flights.ts";
import type { UpstreamError } from "./upstream-error.ts";

/** What an entry takes, by estimate. */
const ENTRY_BYTES = 500;
const BOUNDS = { entries: 4_096, bytes: 2_000_000 };

/** So many blobs are hardly ever on their way at once. */
const FLIGHTS_MAX = 256;

/** How long an isolate believes an upstream that it does not have something. */
const UNKNOWN_MS = 30_000;

/** A token of an upstream. */
interface KeptToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

interface Pause {
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly error: UpstreamError;
}

/** What this isolate remembers of upstreams. Nothing depends on it: another isolate asks again. */
export class MirrorMemory {
  readonly #flights = new Map<string, Flight>();
  readonly #unknown = new AgedCache<true>(BOUNDS);
  readonly #tags = new AgedCache<Tag>(BOUNDS);
  readonly #tokens = new AgedCache<KeptToken>(BOUNDS);
  readonly #pauses = new Map<string, Pause>();
  readonly #noted = new Map<string, number>();

  /** The blob of this key, if it is on its way here. */
  flightOf(key: string, now: number): Flight | undefined {
    const flight = this.#flights.get(key);
    return flight && isFlying(flight, now) ? flight : undefined;
  }

  depart(key: string, flight: Flight, now: number): void {
    // Those whose request has died, or whose answer nobody read.
    if (this.#flights.size >= FLIGHTS_MAX) {
      for (const [other, one] of this.#flights) if (!isFlying(one, now)) this.#flights.delete(other);
    }
    this.#flights.set(key, flight);
  }

  arrive(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  /** Whether the upstream said a moment ago that it has nothing of this name. */
  isUnknown(repository: RepositoryName, reference: string, now: number): boolean {
    return this.#unknown.get(`${repository} ${reference}`, now - UNKNOWN_MS) !== undefined;
  }

  noteUnknown(repository: RepositoryName, reference: string, now: number): void {
    this.#unknown.put(`${repository} ${reference}`, true, now, ENTRY_BYTES);
  }

  /** The tag that named this a moment ago, once: clients ask by HEAD what a tag names, and then for that by its digest. */
  takeTag(repository: RepositoryName, digest: Digest, after: number): Tag | undefined {
    const key = `${repository}@${digest}`;
    const tag = this.#tags.get(key, after);
    if (tag !== undefined) this.#tags.forget(key);
    return tag;
  }

  noteTag(repository: RepositoryName, digest: Digest, tag: Tag, now: number): void {
    this.#tags.put(`${repository}@${digest}`, tag, now, ENTRY_BYTES);
  }

  token(key: string, now: number): string | undefined {
    const kept = this.#tokens.get(key, 0);
    return kept && kept.expiresAt > now ? kept.token : undefined;
  }

  keepToken(key: string, token: string, now: number, expiresAt: number): void {
    this.#tokens.put(key, { token, expiresAt }, now, ENTRY_BYTES + 2 * token.length);
  }

  forgetToken(key: string): void {
    this.#tokens.forget(key);
  }

  /** Why, and until when, an upstream is better not asked for what is here: it is out of order, or has had enough of us. */
  pauseOf(upstream: string, now: number): Pause | undefined {
    const pause = this.#pauses.get(upstream);
    return pause && pause.until > now ? pause : undefined;
  }

  pause(upstream: string, until: number, error: UpstreamError): void {
    this.#pauses.set(upstream, { until, error });
  }

  resume(upstream: string): void {
    this.#pauses.delete(upstream);
  }

  /** Whether something is to be noted again; it is taken for noted then. */
  isDue(what: string, now: number, intervalMs: number): boolean {
    if ((this.#noted.get(what) ?? -Infinity) > now - intervalMs) return false;
    this.#noted.set(what, now);
    return true;
  }
}
