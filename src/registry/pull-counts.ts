import type { Context } from "../context.ts";
import type { StoredManifest } from "../metadata/manifests.ts";
import { notePulls, type PullCount, type PulledManifest } from "../metadata/pulls.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { mirrorByName } from "../policy/upstream.ts";

interface Entry {
  /** When the repository's pulls were last written down, in milliseconds since the epoch. */
  readonly writtenAt: number;
  /** Since then. */
  pulls: number;
  pulledAt: number;
}

/** Repositories that an isolate counts for at once: a megabyte or so. What is counted of others is written down sooner. */
const REPOSITORIES_MAX = 4_096;

/**
 * How often this isolate was asked for manifests of each repository, until that is written down: at the first pull, and
 * then at most once in an interval. What is counted when the isolate ends is lost, of each repository the pulls of an interval at
 * most, or those since its last one where nobody pulls anything from this isolate any more.
 */
export class PullCounts {
  /** Those that were written down longest ago come first. */
  readonly #entries = new Map<RepositoryName, Entry>();

  /** Counts a pull. Returns what is to be written down now: of this repository, and of others whose interval is over. */
  count(repository: RepositoryName, now: number, intervalMs: number): PullCount[] {
    const known = this.#entries.get(repository);
    if (known) {
      known.pulls += 1;
      known.pulledAt = now;
      return this.#takeDue(now, intervalMs);
    }
    this.#entries.set(repository, { writtenAt: now, pulls: 0, pulledAt: now });
    return [{ repository, pulls: 1, pulledAt: now }, ...this.#takeDue(now, intervalMs)];
  }

  /** What of the interval is over, and the oldest of too many. */
  #takeDue(now: number, intervalMs: number): PullCount[] {
    const taken: PullCount[] = [];
    for (const [repository, { writtenAt, pulls, pulledAt }] of this.#entries) {
      const isDue = writtenAt <= now - intervalMs;
      if (!isDue && this.#entries.size <= REPOSITORIES_MAX) break;
      this.#entries.delete(repository);
      if (pulls === 0) continue;
      taken.push({ repository, pulls, pulledAt });
      // It is the last one from now on, and its interval begins anew.
      if (isDue) this.#entries.set(repository, { writtenAt: now, pulls: 0, pulledAt });
    }
    return taken;
  }
}

/** When a manifest was last pulled is right to the day: so it costs one write a day at most. */
const PULLED_STEP_MS = 86_400_000;

/**
 * Counts a GET of a manifest, whatever names it and whether or not the client has it already, and notes the day of it. The answer does not
 * wait. One D1 round trip at the first of a day, and as often as {@link PullCounts} says.
 */
export function notePull(context: Context, repository: RepositoryName, manifest: StoredManifest): void {
  const { db, config, now, defer, recent, pulls } = context;
  const { digest, pulledAt } = manifest;
  const at = now();
  const isNoted = pulledAt !== undefined && pulledAt > at - PULLED_STEP_MS;
  const counts = pulls?.count(repository, at, config.pullCountIntervalMs) ?? [];
  if (!isNoted) recent?.update(repository, { ...manifest, pulledAt: at });
  if (isNoted && counts.length === 0) return;
  const kept = keptUntil(context, repository, at);
  defer(notePulls(db, { manifest: isNoted ? undefined : { repository, digest, kept }, counts, now: at }));
}

/** No date is later: for ever. */
const NEVER_MS = 8.64e15;

/** Until when a manifest that is pulled now stays, if its repository mirrors an upstream's. */
function keptUntil({ config }: Context, repository: RepositoryName, now: number): PulledManifest["kept"] {
  const upstream = mirrorByName(config.upstreams, repository)?.upstream;
  return (
    upstream && { upstream: upstream.name, until: upstream.keptMs === undefined ? NEVER_MS : now + upstream.keptMs }
  );
}
