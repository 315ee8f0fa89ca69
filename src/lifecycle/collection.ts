import type { Context } from "../context.ts";
import { collect, type CollectionStep, type Cutoffs, listWaiting, type Waiting } from "../metadata/collection.ts";
import { type CollectionOutcome, listRuns, recordRun } from "../metadata/collection-runs.ts";
import { changing } from "../registry/recent.ts";

export type { CollectionOutcome } from "../metadata/collection-runs.ts";

/** Manifests that one transaction takes, with all that refers to them: a second or so of the database. */
const BATCH = 200;

/** How many of them a run on request makes; whoever asked can ask again. */
const STEPS_ON_REQUEST = 20;

/** How long what was deleted can come back where untagged manifests stay for ever. */
const DELETED_TTL_MS = 7 * 86_400_000;

const deletedTtlMs = ({ config }: Context): number => config.untaggedTtlMs ?? DELETED_TTL_MS;

function cutoffsOf(context: Context, now: number): Cutoffs {
  const { gcGraceMs, untaggedTtlMs } = context.config;
  return {
    now,
    linkedBefore: now - gcGraceMs,
    condemnedBefore: now - gcGraceMs,
    unheldBefore: untaggedTtlMs === undefined ? undefined : now - untaggedTtlMs,
    pushedBefore: now - gcGraceMs,
    deletedBefore: now - deletedTtlMs(context),
  };
}

const NOTHING: CollectionOutcome = { marked: 0, condemned: 0, manifests: 0, links: 0, blobs: 0, bytes: 0 };

function add(sum: CollectionOutcome, { manifests, blobs, ...step }: CollectionStep): CollectionOutcome {
  return {
    marked: sum.marked + step.marked,
    condemned: sum.condemned + step.condemned,
    manifests: sum.manifests + manifests.length,
    links: sum.links + step.links,
    blobs: sum.blobs + blobs.length,
    bytes: [...manifests, ...blobs].reduce((bytes, { size }) => bytes + size, sum.bytes),
  };
}

const countOf = ({ marked, condemned, manifests, links, blobs }: CollectionOutcome): number =>
  marked + condemned + manifests + links + blobs;

/**
 * Collects what is due: at most `steps` batches, each a transaction of its own, and records the run if it did anything. One D1
 * round trip for each batch, and one to record. It may run at any time, several at once, and die anywhere.
 */
async function run(context: Context, steps: number): Promise<{ outcome: CollectionOutcome; isComplete: boolean }> {
  const { db, now } = context;
  const startedAt = now();
  let outcome = NOTHING;
  let isComplete = false;
  for (let step = 0; step < steps && !isComplete; step += 1) {
    const before = countOf(outcome);
    outcome = add(outcome, await changing(context, "all", collect(db, cutoffsOf(context, now()), BATCH)));
    isComplete = countOf(outcome) === before;
  }
  if (countOf(outcome) > 0) await recordRun(db, { startedAt, endedAt: now(), outcome });
  return { outcome, isComplete };
}

/** What the cron trigger runs: one batch. Returns how many things it dealt with. */
export async function collectBatch(context: Context): Promise<number> {
  return countOf((await run(context, 1)).outcome);
}

/** Collects now what is due now. `isComplete` is false if there is more: then it can be asked for again. */
export async function collectDue(context: Context): Promise<{ outcome: CollectionOutcome; isComplete: boolean }> {
  return await run(context, STEPS_ON_REQUEST);
}

/** Something that waits, and when its time is over: null where collection has yet to find it. */
export interface Candidate extends Waiting {
  readonly dueAt: number | null;
}

function toCandidate(context: Context, waiting: Waiting, now: number): Candidate {
  const { gcGraceMs, untaggedTtlMs } = context.config;
  const waits = {
    untagged: untaggedTtlMs,
    deleted: deletedTtlMs(context),
    unreferenced: gcGraceMs,
    unlinked: 0,
  }[waiting.reason];
  const since = waiting.reason === "unlinked" ? now : waiting.since;
  return { ...waiting, dueAt: waits === undefined || since === null ? null : since + waits };
}

/** What waits for collection, at most `limit` of each kind. Changes nothing. One D1 round trip. */
export async function previewCollection(context: Context, limit: number): Promise<Candidate[]> {
  const now = context.now();
  return (await listWaiting(context.db, limit)).map((waiting) => toCandidate(context, waiting, now));
}

/** The last runs that did anything, newest first. One D1 query. */
export async function listCollectionRuns({ db }: Context, limit: number) {
  return await listRuns(db, limit);
}
