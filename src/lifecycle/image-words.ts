import type { Context } from "../context.ts";
import { logError } from "../log.ts";
import { takeToIndex } from "../metadata/image-words.ts";
import { indexWhereDue } from "../registry/image-words.ts";

/** Repositories of one tick, one after the other: each may have dozens of configs to read. */
const REPOSITORIES_MAX = 20;

/**
 * Indexes repositories whose tags have moved without that: by retention, by their end, or just before a Worker died. One D1 round trip
 * where there are none; else two for each, and a class B operation for each config that nobody has read.
 * @returns how many.
 */
export async function indexWaiting(context: Context): Promise<number> {
  const repositories = await takeToIndex(context.db, REPOSITORIES_MAX);
  for (const repository of repositories) {
    try {
      await indexWhereDue(context, repository);
    } catch (error) {
      // It waits for the next tick, a few times.
      logError("a repository could not be indexed", error, { repository });
    }
  }
  return repositories.length;
}
