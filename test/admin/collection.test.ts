import { afterAll, beforeAll, expect, it } from "vitest";
import { answerOf, callApi } from "../support/api.ts";
import { emptyStorage } from "../support/empty-storage.ts";
import { pushImage } from "../support/images.ts";
import { freshRepository } from "../support/registry.ts";
import { rows } from "../support/uploads.ts";

// What waits is a list of the whole registry.
beforeAll(emptyStorage);
afterAll(emptyStorage);

interface Collection {
  readonly due: readonly object[];
  readonly waiting: readonly object[];
  readonly missing: readonly object[];
  readonly isComplete: boolean;
}

const showCollection = async () => await answerOf<Collection>(await callApi("GET", "collection"));

it.each<[string, string, (shown: Collection) => readonly object[]]>([
  [
    "what waits",
    `INSERT INTO manifests (repository_id, digest, media_type, size, bytes, pushed_at, pushed_by, deleted_at)
     SELECT (SELECT id FROM repositories WHERE name = ?1), 'sha256:' || value, 'a/b', 1, 'x', 0, 'test', ?3`,
    ({ due, waiting }) => [...due, ...waiting],
  ],
  [
    "what is missing",
    "INSERT INTO missing_objects (object_key, digest, found_at) SELECT ?1 || value, 'sha256:0', ?3",
    ({ missing }) => missing,
  ],
])("of %s, 200 of a kind are shown, and whether there are more", async (_what, insert, shownOf) => {
  const repository = freshRepository();
  await pushImage(repository, { tag: "v1" });
  const add = async (first: number, last: number) =>
    await rows(
      `WITH RECURSIVE n (value) AS (SELECT ${first} UNION ALL SELECT value + 1 FROM n WHERE value < ?2) ${insert} FROM n`,
      ...[repository, last, Date.now()],
    );
  await add(1, 200);
  const all = await showCollection();
  expect([all.isComplete, shownOf(all).length]).toEqual([true, 200]);
  await add(201, 201);
  const some = await showCollection();
  expect([some.isComplete, shownOf(some).length]).toEqual([false, 200]);
  await emptyStorage();
});
