import { type Calls, NO_CALLS, sum, times } from "./calls.ts";

/** An operation, and what it costs in a repository that exists. */
export interface Operation {
  /** What a client does, in words. */
  readonly does: string;
  readonly calls: Calls;
  /** What each of its parts adds, if it has any. */
  readonly each?: { readonly of: string; readonly calls: Calls };
}

/** In the order of the table in the docs. */
function calls(
  ...[requests, classA, classB, roundTrips, rowsRead, rowsWritten]: readonly [
    requests: number,
    classA: number,
    classB: number,
    roundTrips: number,
    rowsRead: number,
    rowsWritten: number,
  ]
): Calls {
  return { requests, classA, classB, roundTrips, rowsRead, rowsWritten };
}

/**
 * What each operation costs. The one place where it stands: test/budget/costs.test.ts asserts exactly this of the real Worker, and
 * estimates and docs/cost.md are made of it.
 */
export const OPERATIONS = {
  challenge: { does: "ask `/v2/`, and learn that there is a token to get", calls: calls(1, 0, 0, 0, 0, 0) },
  anonymousToken: { does: "get a token as nobody", calls: calls(1, 0, 0, 1, 4, 0) },
  accountToken: { does: "get a token with a password", calls: calls(1, 0, 0, 1, 9, 0) },
  accessTokenToken: { does: "get a token with an access token", calls: calls(1, 0, 0, 1, 10, 0) },
  withoutToken: { does: "do without a token in a public repository, besides", calls: calls(0, 0, 0, 1, 4, 0) },
  getManifestByTag: { does: "pull a manifest by tag, or HEAD it", calls: calls(1, 0, 0, 1, 3, 0) },
  getManifestByDigest: { does: "pull a manifest by digest, or HEAD it", calls: calls(1, 0, 0, 1, 2, 0) },
  firstPullOfDay: { does: "be the first in a day who pulls a manifest, besides", calls: calls(0, 0, 0, 1, 2, 1) },
  countPulls: {
    does: "be the first in a minute who pulls from a repository, by an isolate, besides",
    calls: calls(0, 0, 0, 1, 4, 1),
  },
  getCachedManifest: { does: "pull a manifest by digest that the isolate remembers", calls: calls(1, 0, 0, 0, 0, 0) },
  getBlob: { does: "pull a blob, or a range of it", calls: calls(1, 0, 1, 1, 3, 0) },
  fillCache: { does: "be the first in a data centre who pulls a blob, besides", calls: calls(0, 0, 1, 0, 0, 0) },
  getCachedBlob: { does: "pull a blob that the caches have", calls: calls(1, 0, 0, 0, 0, 0) },
  headBlob: { does: "HEAD a blob", calls: calls(1, 0, 0, 1, 3, 0) },
  headAbsentBlob: { does: "HEAD a blob that is not there", calls: calls(1, 0, 0, 1, 1, 0) },
  pushSmallBlob: { does: "push a layer below 6 MiB, as docker does", calls: calls(3, 1, 0, 5, 27, 19) },
  pushLargeBlob: {
    does: "push a layer in parts of 6 MiB, as docker does",
    calls: calls(3, 3, 1, 5, 23, 19),
    each: { of: "part", calls: calls(0, 1, 0, 0, 5, 2) },
  },
  putBlob: { does: "push a blob in one PUT", calls: calls(2, 1, 0, 3, 22, 15) },
  postBlob: { does: "push a blob in one POST", calls: calls(1, 1, 0, 1, 13, 9) },
  mountBlob: { does: "mount a blob", calls: calls(1, 0, 0, 1, 14, 6) },
  pushManifest: {
    does: "push a manifest under a new tag",
    calls: calls(1, 0, 1, 2, 93, 26),
    each: { of: "config and layer", calls: calls(0, 0, 0, 0, 9, 3) },
  },
  getArchive: {
    does: "download an image as an archive",
    calls: calls(1, 0, 0, 2, 3, 0),
    each: { of: "config and layer", calls: calls(0, 0, 1, 0, 5, 0) },
  },
  putArchive: {
    does: "push an archive of an image under a new tag",
    calls: calls(1, 0, 1, 3, 90, 30),
    each: { of: "config and layer", calls: calls(0, 1, 0, 0, 20, 12) },
  },
  lookAtOtherTags: {
    does: "look at 19 other tags that moved last, when one moves, besides",
    calls: calls(0, 0, 0, 0, 775, 0),
  },
  deleteTag: { does: "delete a tag, the last one of its manifest", calls: calls(1, 0, 0, 3, 121, 16) },
  deleteManifest: { does: "delete a manifest that no tag names", calls: calls(1, 0, 0, 2, 18, 7) },
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationName = keyof typeof OPERATIONS;

/** What an operation of so many parts costs. */
export function costOf(name: OperationName, parts = 0): Calls {
  const { calls: fixed, each }: Operation = OPERATIONS[name];
  return sum(fixed, times(parts, each?.calls ?? NO_CALLS));
}

/**
 * What the schedule costs in a month, at most: a run every ten minutes that reads a page of the bucket and the rows whose objects
 * are in it. What it collects comes besides.
 */
export const SCHEDULE = { runs: 4_464, calls: calls(1, 1, 0, 11, 3_000, 0) };
