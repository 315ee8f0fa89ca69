import pLimit, { type LimitFunction } from "p-limit";
import type { Digest } from "../../src/oci/digest.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import { BodyLimit } from "../distribution/body-limit.ts";
import type { Connection } from "../distribution/connection.ts";
import { ImageFailure } from "../distribution/image-failure.ts";
import type { Repository } from "../distribution/repository.ts";
import type { Progress } from "./progress.ts";

/** Requests about images that are sent at once, beside the blobs. */
const QUESTIONS_AT_ONCE = 8;

/** What all transfers of a run share: how much is done at once, what is known of registries, and how they end. */
export class Lanes {
  readonly progress: Progress;
  readonly isDryRun: boolean;
  readonly #questions: LimitFunction = pLimit(QUESTIONS_AT_ONCE);
  readonly #blobs: LimitFunction;
  readonly #stop: AbortController;
  readonly #chunkBytes: number | undefined;
  readonly #limits = new Map<Connection, BodyLimit>();
  readonly #holders = new Map<Connection, Map<Digest, Promise<RepositoryName | undefined>>>();

  /** `stop` is what the connections listen to: the first failure that is not of one image alone ends them all. */
  constructor(options: {
    readonly jobs: number;
    readonly isDryRun: boolean;
    readonly chunkBytes: number | undefined;
    readonly progress: Progress;
    readonly stop: AbortController;
  }) {
    this.progress = options.progress;
    this.isDryRun = options.isDryRun;
    this.#blobs = pLimit(options.jobs);
    this.#chunkBytes = options.chunkBytes;
    this.#stop = options.stop;
  }

  /** Something small. It must wait for nothing else of this kind. */
  async ask<T>(work: () => Promise<T>): Promise<T> {
    return await this.#run(this.#questions, work);
  }

  /** A blob. */
  async carry<T>(work: () => Promise<T>): Promise<T> {
    return await this.#run(this.#blobs, work);
  }

  /** What a request to a registry may hold. */
  limitOf({ connection }: Repository): BodyLimit {
    const known = this.#limits.get(connection) ?? new BodyLimit(this.#chunkBytes);
    this.#limits.set(connection, known);
    return known;
  }

  /**
   * Brings a blob into a repository, after others that bring it into this registry have done so: `work` gets another repository
   * that holds it then.
   */
  async bring(
    { connection, name }: Repository,
    digest: Digest,
    work: (holder: RepositoryName | undefined) => Promise<void>,
  ): Promise<void> {
    const holders = this.#holders.get(connection) ?? new Map<Digest, Promise<RepositoryName | undefined>>();
    this.#holders.set(connection, holders);
    const before = holders.get(digest);
    const now = (async () => {
      const holder = await before;
      await work(holder === name ? undefined : holder);
      return name;
    })();
    holders.set(
      digest,
      now.catch(() => undefined),
    );
    await now;
  }

  async #run<T>(lane: LimitFunction, work: () => Promise<T>): Promise<T> {
    return await lane(async () => {
      this.#stop.signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof ImageFailure)) this.#stop.abort(error);
        throw error;
      }
    });
  }
}

/** All of them, whatever becomes of some: then the first failure. */
export async function settle<T>(works: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(works);
  return outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}
