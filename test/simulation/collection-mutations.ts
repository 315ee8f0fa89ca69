import type { Mutation } from "./mutations.ts";

const COLLECTION = "metadata/collection.ts";
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
    seeds: 5_000,
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
      [
        "INDEXED BY repository_blobs_unreferenced\n           WHERE reference_count = 0 AND condemned_at",
        "WHERE condemned_at",
      ],
      ["condemned_at <= ?1 AND reference_count = 0", "condemned_at <= ?1"],
    ],
    seeds: 1_000,
  },
  {
    name: "no-condition-for-manifests",
    sql: [
      ["INDEXED BY manifests_unheld\n           WHERE hold_count = 0 AND", "WHERE"],
      ["unheld_at <= ?1 AND hold_count = 0", "unheld_at <= ?1"],
    ],
    seeds: 1_000,
  },
  {
    name: "stale-read",
    source: [
      {
        file: COLLECTION,
        from: "const [marked, , manifests, condemned, links, , blobs] = await",
        to: `const read = await db.prepare(\`\${DUE_LINKS} LIMIT ?2\`).bind(cutoffs.condemnedBefore, batch.blobs).all();
             const stale = JSON.stringify(read.results);
             const [marked, , manifests, condemned, links, , blobs] = await`,
      },
      {
        file: COLLECTION,
        from: "IN (${DUE_LINKS} LIMIT ?2)",
        to: "IN (SELECT value ->> 'repository_id', value ->> 'digest' FROM json_each(?1))",
      },
      { file: COLLECTION, from: ".bind(cutoffs.condemnedBefore, batch.blobs),", to: ".bind(stale)," },
    ],
    seeds: 15_000,
  },
];
