import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { INDEXED_TAGS_MAX } from "../../src/metadata/image-words.ts";
import { CountedRegistry } from "../support/counted-registry.ts";
import { BIG_REPOSITORY, seedOthers, seedReferrers } from "../support/seed.ts";
import type { Statement } from "../support/watched-bindings.ts";
import { doEverything } from "./every-operation.ts";
import type { Costs } from "./session.ts";

/** Rows of each kind in the database that the costs of a small one are compared with. */
const OTHERS = 2_000;

/** Steps of a plan that look as if they grew with a table, and do not: each with its reason. */
const EXCEPTIONS: readonly { readonly sql: RegExp; readonly step: RegExp; readonly reason: string }[] = [
  {
    sql: /^SELECT id, digest, media_type, artifact_type, size, object_key, fits, [^]* ORDER BY m\.id LIMIT \?5\)\s+ORDER BY id$/,
    step: /^USE TEMP B-TREE FOR ORDER BY$/,
    reason: "sorts one page of referrers, which LIMIT has cut off before",
  },
  {
    sql: /^INSERT INTO repositories /,
    step: /^SEARCH (tag_events|manifests|repository_blobs|mirrored_tags) USING .* \(repository_id=\?\)$/,
    reason: "is the foreign keys' search for orphans that a new row adopts, which never runs: there are none",
  },
  {
    sql: /immutable_tags|tags_that_stay/,
    step: /^SCAN (immutable_tags|i)$/,
    reason: "reads the rules for immutable tags, of which there are 200 at most",
  },
  {
    sql: /expiring_tags/,
    step: /^SCAN (expiring_tags|e)( EXISTS)?$/,
    reason: "reads the rules for expiring tags, of which there are 200 at most",
  },
  {
    sql: /retention_rules/,
    step: /^SCAN (retention_rules|p)( EXISTS)?$/,
    reason: "reads the retention rules, of which there are 100 at most",
  },
  {
    sql: /^SELECT (r\.name AS repository, )?t\.name AS tag, |^SELECT m\.id, (m|mr)\.|^SELECT rb\.digest, b\.size, b\.link_count/,
    step: /^SEARCH (t|m|rb) USING .* \(repository_id=\?\)$/,
    reason: "reads what retention decides on: a repository that a rule is for, up to a limit",
  },
  {
    sql: /^(INSERT INTO (tag_events|audit_events)|DELETE FROM tags WHERE \(name, repository_id\) IN)[^]* retention_rules p /,
    step: /^SEARCH k USING .* \(repository_id=\?\)$/,
    reason: "looks for one tag of a repository that is not to go, and stops",
  },
  {
    sql: /FROM (missing_objects|collection_runs) ORDER BY \w+( DESC)? LIMIT \?1$/,
    step: /^SCAN (missing_objects|collection_runs)$/,
    reason: "reads the first of a table in the order of its key, and stops",
  },
  {
    sql: /^INSERT INTO discarded_objects \S+ \S+\s+SELECT o\.value, /,
    step: /^SCAN (upload_sessions|s)( USING .*)?$/,
    reason: "asks all uploads whether one has a stray object, of which there are hardly ever any",
  },
  {
    sql: /^WITH visible [^]*SELECT DISTINCT r\.name FROM /,
    step: /^USE TEMP B-TREE FOR ORDER BY$/,
    reason: "sorts what a caller may pull, which several rules may name; who may see all gets a page in order",
  },
  {
    sql: /^SELECT\s+r\.name, r\.created_at AS [^]* ORDER BY r\.(name|pushed_at) /,
    step: /^SCAN r USING INDEX (sqlite_autoindex_repositories_1|repositories_by_push)$/,
    reason: "reads the first page in the order of an index, and stops; where part of a name is looked for, all names",
  },
  {
    sql: /^WITH\s+(visible [^]*)?(page|found) /,
    step: /^(USE TEMP B-TREE FOR ORDER BY|SCAN r( USING COVERING INDEX .*)?)$/,
    reason:
      "sorts or counts what a caller may pull, which several rules may name; or all, or those with a part in their name",
  },
  {
    sql: /^WITH page \(repository_id, |^SELECT \(SELECT COUNT\(\*\) FROM tags t /,
    step: /^(SEARCH t USING (COVERING )?INDEX tags_in_order \(repository_id=\?\)|USE TEMP B-TREE FOR ORDER BY)$/,
    reason:
      "reads the first tags of a repository in their order, and stops; all, to order them otherwise, or to find one",
  },
  {
    sql: /tags_by_update/,
    step: /^(SEARCH t USING INDEX tags_by_update \(repository_id=\?\)|USE TEMP B-TREE FOR ORDER BY)$/,
    reason: "reads the tags of a repository that moved last, and stops; then puts in order what these say",
  },
  {
    sql: /^(DELETE FROM|UPDATE) repositories_to_index /,
    step: /^SCAN repositories_to_index$/,
    reason: "reads the first repositories that wait to be indexed, and stops",
  },
  {
    sql: /repository_(words|names) MATCH/,
    step: /^USE TEMP B-TREE FOR ORDER BY$/,
    reason: "puts what a search has found in the order of how well it matches",
  },
  {
    sql: /^(DELETE FROM \w+ WHERE|INSERT INTO discarded_objects \([^)]*\)\s+SELECT object_key, \?2, size FROM manifests WHERE) repository_id = \(SELECT id FROM repositories WHERE name = \?1\)( AND object_key IS NOT NULL)?$|^DELETE FROM repositories /,
    step: /^SEARCH (tags|tag_events|manifests|repository_blobs|mirrored_tags) USING .* \(repository_id=\?\)$/,
    reason: "deletes a repository with all that is in it",
  },
];

/** What indexing what tags say reads of those that moved last, at most. */
const INDEXED_ROWS_MAX = 25 * INDEXED_TAGS_MAX;

/** Steps that read more where there are more tags, up to that. */
const INDEXING = /^(push|move a tag|delete a (manifest|tag)|restore)/;

/** Steps that read more where there is more, each with its reason. */
const GROWING: Readonly<Record<string, string>> = {
  schedule: "reads the next page of the bucket, and the rows whose objects are in it: 1,000 of each at most",
  "schedule with nothing to do": "does so too",
  "what waits for collection, request 1": "lists what waits, 200 of each kind at most",
  "repositories by size, for an admin, request 1": "reads all repositories, as its answer says",
  "repositories by part of a name, for an admin, request 1":
    "reads all names, twice: for the page and for how many there are",
  "search for part of names, request 1": "reads what it finds",
  "search for part of names, as a member, request 1": "reads what it finds, and what the caller may pull",
  "rules for a repository, request 1": "matches each rule's pattern, for an admin who asks who may do what",
};

/**
 * Scans of what is no table: a JSON array that came with the statement, a subquery that a search filled, which may have a name,
 * no row at all; and of partial indexes that hold nothing but garbage.
 */
const HARMLESS_SCAN =
  /^SCAN (\S+ VIRTUAL TABLE INDEX \d+:|\(subquery-\d+\)$|(subjects|listed|v|w|visible|page|found|reached|target|held|newest|images|configs|said|now_said|hits|seen|ranked|d)$|unread LEFT-JOIN$|CONSTANT ROW$|.* USING (COVERING )?INDEX (blobs_unlinked|manifests_unheld|repository_blobs_unreferenced)$)/;

const registry = new CountedRegistry();
let small: Costs;

beforeAll(async () => {
  // So that no list is shorter than its page.
  await env.DB.prepare("INSERT INTO repositories (name, created_at) VALUES ('a', 0), ('zz', 0), ('zzz', 0)").run();
  small = await doEverything(registry, "small");
});

async function explain({ sql, parameters }: Statement): Promise<string[]> {
  const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...parameters)
    .all<{ detail: string }>();
  return results.map(({ detail }) => detail);
}

/** What of a plan would grow with the tables. */
function objections(sql: string, plan: readonly string[]): string[] {
  return plan.filter((step) => {
    const isScan = step.startsWith("SCAN") && !HARMLESS_SCAN.test(step);
    // A repository may hold as much as all others together.
    const isScanOfRepository = /^SEARCH \S+ USING .*\(repository_id=\?\)$/.test(step);
    const isSort = /^USE TEMP B-TREE FOR .*ORDER BY/.test(step);
    return (
      (isScan || isScanOfRepository || isSort) &&
      !EXCEPTIONS.some((one) => one.sql.test(sql.trim()) && one.step.test(step))
    );
  });
}

describe("query plans", () => {
  it("search by index in every statement", async () => {
    const bySql = new Map(registry.counter.statements.map((statement) => [statement.sql, statement]));
    expect(bySql.size).toBeGreaterThan(100);
    const objected: Record<string, string[]> = {};
    for (const [sql, statement] of bySql) {
      const plan = await explain(statement);
      if (objections(sql, plan).length > 0) objected[sql] = plan;
    }
    expect(objected).toEqual({});
  });

  it("have no exception that nothing needs", () => {
    const known = registry.counter.statements.map(({ sql }) => sql.trim());
    for (const { sql } of EXCEPTIONS) expect(known.some((one) => sql.test(one))).toBe(true);
    expect([...small.keys()]).toEqual(expect.arrayContaining(Object.keys(GROWING)));
  });
});

/**
 * A search counts the row on which it ends, if there is one, and a new key one that lies beside it. Counted for each
 * statement, this is what a step may read beyond what it read before.
 */
function expectAsCheap(costs: Costs, before: Costs): void {
  expect([...costs.keys()]).toEqual([...before.keys()]);
  for (const [step, { rowsRead, statements }] of costs) {
    if (step in GROWING) continue;
    const indexed = INDEXING.test(step) ? INDEXED_ROWS_MAX : 0;
    expect.soft(rowsRead, step).toBeLessThanOrEqual((before.get(step)?.rowsRead ?? 0) + statements + indexed);
  }
}

describe(`with ${OTHERS} others of each kind`, () => {
  beforeAll(async () => {
    await seedOthers(OTHERS);
  });

  it("every operation reads as many rows as without them", async () => {
    expectAsCheap(await doEverything(registry, "later"), small);
  });

  it("every operation in a repository that holds them all reads as many rows as in an empty one", async () => {
    expectAsCheap(await doEverything(registry, BIG_REPOSITORY), small);
  });
});

describe("a page of referrers", () => {
  const subject = `sha256:${"5".repeat(64)}`;
  beforeAll(async () => {
    await seedReferrers("few", subject, 5);
    await seedReferrers("many", subject, OTHERS);
  });

  it.each(["n=2", "n=2&artifactType=test/3"])("with %s reads as many rows of many as of few", async (query) => {
    const ofFew = await registry.send("GET", `/v2/few/referrers/${subject}?${query}`);
    const ofMany = await registry.send("GET", `/v2/many/referrers/${subject}?${query}`);
    expect(ofMany.usage.rowsRead).toBeLessThanOrEqual(ofFew.usage.rowsRead + 1);
  });
});
