import * as v from "valibot";
import * as lifecycle from "../lifecycle/bucket-audit.ts";
import * as collection from "../lifecycle/collection.ts";
import { toTime, toTimeOrNull } from "../oci/time.ts";
import { endpoint } from "./endpoint.ts";

/** What one answer shows of each kind. */
const SHOWN = 200;

const Outcome = v.object({
  marked: v.pipe(v.number(), v.description("Manifests found to be held by nothing: their time begins.")),
  condemned: v.pipe(
    v.number(),
    v.description("Blobs found to be needed by nothing in a repository: their grace begins."),
  ),
  manifests: v.number(),
  links: v.pipe(v.number(), v.description("Repositories' holds on blobs.")),
  blobs: v.number(),
  bytes: v.pipe(v.number(), v.description("Freed, when the objects are deleted, some ten minutes later.")),
});

const Candidate = v.object({
  kind: v.picklist(["manifest", "blob"]),
  repository: v.nullable(v.string()),
  digest: v.string(),
  size: v.number(),
  freed: v.pipe(v.number(), v.description("Bytes: none while another repository holds the blob.")),
  reason: v.picklist(["untagged", "deleted", "unreferenced", "unlinked"]),
  since: v.nullable(v.string()),
  dueAt: v.nullable(v.string()),
});

function toCandidate(candidate: collection.Candidate): v.InferOutput<typeof Candidate> {
  const { kind, repository, digest, size, reason, isLast } = candidate;
  return {
    ...{ kind, repository, digest, size, freed: isLast ? size : 0, reason },
    ...{ since: toTimeOrNull(candidate.since), dueAt: toTimeOrNull(candidate.dueAt) },
  };
}

export const showCollection = endpoint(
  {
    summary: "Shows what waits for collection, why, and until when; the last runs; and objects that are missing.",
    answer: v.object({
      due: v.pipe(v.array(Candidate), v.description("What the next run takes.")),
      waiting: v.array(Candidate),
      freed: v.pipe(v.number(), v.description("Bytes of what is shown as due.")),
      runs: v.array(v.object({ startedAt: v.string(), endedAt: v.string(), outcome: Outcome })),
      missing: v.array(v.object({ key: v.string(), digest: v.string(), foundAt: v.string() })),
      isComplete: v.pipe(
        v.boolean(),
        v.description(`If not, more is due, waits or is missing than is shown: ${SHOWN} of each kind, oldest first.`),
      ),
    }),
  },
  async ({ context }) => {
    const [{ candidates, isComplete }, runs, missing] = await Promise.all([
      collection.previewCollection(context, SHOWN),
      collection.listCollectionRuns(context, SHOWN),
      lifecycle.listMissing(context, SHOWN),
    ]);
    const now = context.now();
    const isDue = ({ dueAt }: collection.Candidate) => dueAt !== null && dueAt <= now;
    const due = candidates.filter(isDue).map(toCandidate);
    return {
      due,
      waiting: candidates.filter((candidate) => !isDue(candidate)).map(toCandidate),
      freed: due.reduce((bytes, { freed }) => bytes + freed, 0),
      runs: runs.map(({ startedAt, endedAt, outcome }) => ({
        ...{ startedAt: toTime(startedAt), endedAt: toTime(endedAt), outcome },
      })),
      missing: missing.entries.map(({ key, digest, foundAt }) => ({ key, digest, foundAt: toTime(foundAt) })),
      isComplete: isComplete && missing.next === undefined,
    };
  },
);

export const runCollection = endpoint(
  {
    summary: "Collects what is due now, as the schedule does every ten minutes.",
    answer: v.object({
      outcome: Outcome,
      isComplete: v.pipe(v.boolean(), v.description("If not, there is more: ask again.")),
    }),
  },
  async ({ context }) => await collection.collectDue(context),
);
