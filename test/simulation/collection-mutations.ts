import type { Mutation } from "./mutations.ts";

const RUN = "lifecycle/collection.ts";
const COLLECTS = "outcome = add(outcome, await collect(db, cutoffsOf(context, now()), BATCH));";

/** Bugs of the collection, each one that some registry had or could have had. */
export const COLLECTION_MUTATIONS: readonly Mutation[] = [
  {
    name: "no-pardon-by-head",
    source: [{ file: "registry/blobs.ts", from: "!blob.isCondemned ||", to: "true ||" }],
    seeds: 2_000,
  },
  {
    name: "no-pardon-by-mount-or-push",
    sql: [["SET linked_at = excluded.linked_at, condemned_at = NULL", "SET linked_at = excluded.linked_at"]],
    seeds: 30_000,
    isRare: true,
  },
  {
    name: "no-grace",
    source: [{ file: RUN, from: "condemnedBefore: now - gcGraceMs", to: "condemnedBefore: now" }],
    seeds: 2_000,
  },
  {
    name: "no-grace-after-push",
    source: [{ file: RUN, from: "pushedBefore: now - gcGraceMs", to: "pushedBefore: now" }],
    seeds: 2_000,
  },
  {
    name: "deletes-objects-first",
    source: [
      {
        file: RUN,
        from: COLLECTS,
        to: `const due = await db.prepare(
          "SELECT object_key AS key FROM repository_blobs JOIN blobs USING (digest) WHERE condemned_at <= ?1 AND link_count = 1 LIMIT 3",
        ).bind(cutoffsOf(context, now()).condemnedBefore).all();
        await context.bucket.delete(due.results.map(({ key }) => key));
        ${COLLECTS}`,
      },
    ],
    seeds: 6_000,
  },
  {
    name: "no-condition-for-blobs",
    sql: [
      ["reference_count = 0 AND condemned_at IS NULL AND linked_at <= ?2", "condemned_at IS NULL AND linked_at <= ?2"],
      ["condemned_at <= ?1 AND reference_count = 0", "condemned_at <= ?1"],
    ],
    seeds: 1_000,
  },
  {
    name: "no-condition-for-manifests",
    sql: [
      ["WHERE hold_count = 0 AND unheld_at IS NULL", "WHERE unheld_at IS NULL"],
      ["unheld_at <= ?1 AND hold_count = 0", "unheld_at <= ?1"],
    ],
    seeds: 1_000,
  },
  {
    name: "stale-read",
    source: [
      {
        file: RUN,
        from: COLLECTS,
        to: `const read = await db.prepare(
          "SELECT repository_id AS r, digest AS d FROM repository_blobs WHERE condemned_at <= ?1",
        ).bind(cutoffsOf(context, now()).condemnedBefore).all();
        for (let time = 0; time < 6; time += 1) await context.bucket.head("nothing");
        ${COLLECTS}
        for (const { r, d } of read.results) {
          await db.prepare("DELETE FROM repository_blobs WHERE repository_id = ?1 AND digest = ?2").bind(r, d).run();
        }`,
      },
    ],
    seeds: 15_000,
    isRare: true,
  },
];
