import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";

const FOLDER = join(import.meta.dirname, "../../migrations");

/** What registries had before lists showed more: blobs of 10, 100 and 1000 bytes, an image, an index of it, and an index of that. */
const BEFORE = `
  INSERT INTO repositories (id, name, created_at) VALUES (1, 'a', 0), (2, 'b', 0), (3, 'empty', 0);
  INSERT INTO blobs (digest, size, object_key, created_at) VALUES ('x', 10, 'x', 0), ('y', 100, 'y', 0), ('z', 1000, 'z', 0);
  INSERT INTO repository_blobs (repository_id, digest, linked_at) VALUES (1, 'x', 0), (1, 'y', 0), (2, 'y', 0), (2, 'z', 0);
  INSERT INTO manifests (repository_id, digest, media_type, size, bytes, pushed_at, pushed_by, pulled_at, deleted_at) VALUES
    (1, 'image', 'i', 1, '{}', 7, 'p', 40, NULL), (1, 'index', 'i', 2, '{}', 8, 'p', 50, NULL), (1, 'outer', 'i', 4, '{}', 9, 'p', NULL, NULL),
    (1, 'deleted', 'i', 8, '{}', 5, 'p', NULL, 6);
  INSERT INTO manifest_references (repository_id, manifest_digest, position, role, digest) VALUES
    (1, 'image', 0, 'config', 'x'), (1, 'image', 1, 'layer', 'y'), (1, 'image', 2, 'layer', 'y'), (1, 'image', 3, 'layer', 'foreign'),
    (1, 'index', 0, 'manifest', 'image'), (1, 'outer', 0, 'manifest', 'index');
  INSERT INTO tags (repository_id, name, digest, updated_at) VALUES (1, 'one', 'outer', 0), (1, 'two', 'image', 0);`;

/** All migrations, and what there was before one of them. */
function migrate(before: string, rows: string): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  for (const name of readdirSync(FOLDER).sort()) {
    if (name === before) db.exec(rows);
    db.exec(readFileSync(join(FOLDER, name), "utf8"));
  }
  return db;
}

test("0005_page counts what was there before it", () => {
  const db = migrate("0005_page.sql", BEFORE);
  const columns = "name, tag_count, manifest_count, size, unique_size, pushed_at, pulled_at, pulls";
  const rows = db.prepare(`SELECT ${columns} FROM repositories ORDER BY name`).all();
  expect(rows.map((row) => Object.values(row))).toEqual([
    ["a", 2, 3, 125, 25, 9, 50, 0],
    ["b", 0, 0, 1_100, 1_000, 0, null, 0],
    ["empty", 0, 0, 0, 0, 0, null, 0],
  ]);
  const sizes = db.prepare("SELECT digest, content_size FROM manifests ORDER BY id").all();
  expect(sizes.map((row) => Object.values(row))).toEqual([
    ["image", 111],
    ["index", 113],
    ["outer", 117],
    ["deleted", 8],
  ]);
});

/** A repository of our own, and two that mirror: `x` is ours alone, `y` is both, `z` is of both mirrors, and `big` is a manifest of one. */
const MIRRORS = `
  INSERT INTO repositories (id, name, created_at, upstream) VALUES (1, 'a', 0, NULL), (2, 'up/b', 0, 'up'), (3, 'up/c', 0, 'up');
  INSERT INTO blobs (digest, size, object_key, created_at) VALUES ('x', 10, 'x', 0), ('y', 100, 'y', 0), ('z', 1000, 'z', 0);
  INSERT INTO repository_blobs (repository_id, digest, linked_at)
    VALUES (1, 'x', 0), (1, 'y', 0), (2, 'y', 0), (2, 'z', 0), (3, 'z', 0);
  INSERT INTO manifests (repository_id, digest, media_type, size, object_key, pushed_at, pushed_by) VALUES
    (1, 'big', 'i', 10000, 'm1', 7, 'p'), (2, 'big', 'i', 10000, 'm2', 7, 'p');`;

test("0008_mirrored_content counts what mirrors held before it", () => {
  const db = migrate("0008_mirrored_content.sql", MIRRORS);
  expect(db.prepare("SELECT mirrored_bytes FROM usage").all()).toMatchObject([{ mirrored_bytes: 11_000 }]);
  db.exec("DELETE FROM repository_blobs WHERE repository_id = 1");
  expect(db.prepare("SELECT mirrored_bytes FROM usage").all()).toMatchObject([{ mirrored_bytes: 11_100 }]);
});
