-- What is stored, counted in the transaction that changes it: to know it, nobody reads a million rows.
CREATE TABLE usage (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  repositories INTEGER NOT NULL,
  -- Objects in R2 that a row names, or named until they were discarded, and their bytes: blobs, and manifests too big for a row.
  objects      INTEGER NOT NULL,
  bytes        INTEGER NOT NULL
) STRICT;

INSERT INTO usage (id, repositories, objects, bytes)
SELECT 1, (SELECT COUNT(*) FROM repositories), COUNT(*), COALESCE(SUM(size), 0)
FROM (SELECT size FROM blobs UNION ALL SELECT size FROM manifests WHERE object_key IS NOT NULL);

CREATE TRIGGER repositories_are_counted AFTER INSERT ON repositories
BEGIN
  UPDATE usage SET repositories = repositories + 1 WHERE id = 1;
END;

CREATE TRIGGER repositories_are_discounted AFTER DELETE ON repositories
BEGIN
  UPDATE usage SET repositories = repositories - 1 WHERE id = 1;
END;

CREATE TRIGGER blobs_are_counted AFTER INSERT ON blobs
BEGIN
  UPDATE usage SET objects = objects + 1, bytes = bytes + NEW.size WHERE id = 1;
END;

CREATE TRIGGER big_manifests_are_counted AFTER INSERT ON manifests
WHEN NEW.object_key IS NOT NULL
BEGIN
  UPDATE usage SET objects = objects + 1, bytes = bytes + NEW.size WHERE id = 1;
END;

-- Of an object that is counted, until R2 has deleted it: so counting costs collection no row.
ALTER TABLE discarded_objects ADD COLUMN size INTEGER;

CREATE TRIGGER discarded_objects_are_discounted AFTER DELETE ON discarded_objects
WHEN OLD.size IS NOT NULL
BEGIN
  UPDATE usage SET objects = objects - 1, bytes = bytes - OLD.size WHERE id = 1;
END;
