import { AgedCache } from "../aged-cache.ts";
import type { Digest } from "../oci/digest.ts";
import type { Tag } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Flight } from "./flights.ts";

/** What an entry takes, by estimate. */
const ENTRY_BYTES = 500;
const BOUNDS = { entries: 4_096, bytes: 2_000_000 };

/** How long an isolate believes an upstream that it does not have something. */
const UNKNOWN_MS = 30_000;

/** A token of an upstream. */
interface KeptToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What this isolate remembers of upstreams. Nothing depends on it: another isolate asks again. */
export class MirrorMemory {
  /** Blobs on their way, by repository and digest. */
  readonly flights = new Map<string, Flight>();
  readonly #unknown = new AgedCache<true>(BOUNDS);
  readonly #tags = new AgedCache<Tag>(BOUNDS);
  readonly #tokens = new AgedCache<KeptToken>(BOUNDS);
  readonly #pauses = new Map<string, number>();
  readonly #noted = new Map<string, number>();

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

  /** Whether an upstream is better not asked for what is here: it is out of order, or has had enough of us. */
  isPaused(upstream: string, now: number): boolean {
    return (this.#pauses.get(upstream) ?? 0) > now;
  }

  pause(upstream: string, until: number): void {
    this.#pauses.set(upstream, until);
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
