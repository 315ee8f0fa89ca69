import type { Mutation } from "./mutations.ts";

/** Bugs of what moves tags and lets them go: by rules, by their lives, and many at once. */
export const TAG_MUTATIONS: readonly Mutation[] = [
  {
    name: "retention-takes-what-moved",
    sql: [["AND t.digest = w.value ->> 'digest' AND t.updated_at = w.value ->> 'pushedAt'", ""]],
    seeds: 20_000,
    isRare: true,
  },
  {
    name: "retention-by-rules-that-changed",
    source: [{ file: "metadata/retention.ts", from: "AND ${areKnown} ", to: "" }],
    seeds: 60_000,
    isRare: true,
  },
  {
    name: "retention-empties",
    source: [
      {
        file: "lifecycle/retention/decision.ts",
        from: "decisions.some(({ keep }) => keep) ?",
        to: "decisions.length > 0 ?",
      },
    ],
    seeds: 1_000,
  },
  {
    name: "retention-keeps-too-many",
    source: [
      { file: "lifecycle/retention/condition.ts", from: "sorted.slice(0, count)", to: "sorted.slice(0, count + 1)" },
    ],
    seeds: 1_000,
  },
  {
    name: "no-untagged-time-after-retention",
    source: [
      {
        file: "lifecycle/retention-reports.ts",
        from: "gone.add(tag);",
        to: `gone.add(tag);
        await context.db.prepare("UPDATE manifests SET unheld_at = 0 WHERE hold_count = 0 AND unheld_at IS NULL").run();`,
      },
    ],
    seeds: 5_000,
  },
  {
    name: "expiry-takes-what-was-lifted",
    source: [
      {
        file: "lifecycle/tag-expiry.ts",
        from: "return await expireTags(db, ACTOR, now(), BATCH);",
        to: `const { results } = await db.prepare(
          "SELECT repository_id AS r, name AS n FROM tags WHERE expires_at <= ?1 LIMIT 1",
        ).bind(now()).all();
        for (const { r, n } of results) {
          await db.prepare("DELETE FROM tags WHERE repository_id = ?1 AND name = ?2").bind(r, n).run();
        }
        return results.length;`,
      },
    ],
    seeds: 2_000,
  },
  {
    name: "push-keeps-the-old-end",
    sql: [["updated_at = excluded.updated_at, expires_at = excluded.expires_at", "updated_at = excluded.updated_at"]],
    seeds: 1_000,
  },
  {
    name: "release-moves-what-it-can",
    source: [
      {
        file: "metadata/tag-history.ts",
        from: "const ALL_THERE = `(SELECT COUNT(*) FROM ${TARGETS}) = json_array_length(?1)`",
        to: "const ALL_THERE = `TRUE`",
      },
    ],
    seeds: 1_000,
  },
  {
    name: "release-one-by-one",
    source: [
      {
        file: "registry/tag-history.ts",
        from: "if (await metadata.releaseTags(db, releases, actor, now())) return;",
        to: `if ((await metadata.findAbsentReleases(db, releases)).length === 0) {
          for (const one of releases) await metadata.releaseTags(db, [one], actor, now());
          return;
        }`,
      },
    ],
    seeds: 2_000,
  },
  {
    name: "never-is-now",
    source: [
      {
        file: "lifecycle/collection.ts",
        from: "untaggedTtlMs === undefined ? undefined : now - untaggedTtlMs",
        to: "now - (untaggedTtlMs ?? 0)",
      },
    ],
    seeds: 1_000,
  },
];
