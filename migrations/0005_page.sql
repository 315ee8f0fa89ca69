-- What lists of repositories and tags show, so that none of them has to sum up what others hold. Counted as 0003 and 0004 count:
-- by triggers, in the transaction that changes it, whoever writes.

ALTER TABLE repositories ADD COLUMN description TEXT;
ALTER TABLE repositories ADD COLUMN tag_count INTEGER NOT NULL DEFAULT 0;
-- Without those that were deleted.
ALTER TABLE repositories ADD COLUMN manifest_count INTEGER NOT NULL DEFAULT 0;
-- Bytes of the blobs that it links and of its manifests, each once; and of these, what no other repository links.
ALTER TABLE repositories ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repositories ADD COLUMN unique_size INTEGER NOT NULL DEFAULT 0;
-- When a manifest was last pushed; 0: never, so that one comparison orders them all.
ALTER TABLE repositories ADD COLUMN pushed_at INTEGER NOT NULL DEFAULT 0;
-- GETs of manifests, as isolates have written them, and the last of them.
ALTER TABLE repositories ADD COLUMN pulls INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repositories ADD COLUMN pulled_at INTEGER;

-- Whose link came or went last: who counts what repositories link is told it, and reads nothing to know it.
ALTER TABLE blobs ADD COLUMN last_repository_id INTEGER;
-- Of a config of an image: JSON of os, architecture and variant, noted when it is first shown; `{}` where it states none.
ALTER TABLE blobs ADD COLUMN platform TEXT;

-- Bytes of what is pulled with a manifest: its own, and those that its descriptors state; of an index, those of what it lists.
ALTER TABLE manifests ADD COLUMN content_size INTEGER NOT NULL DEFAULT 0;

WITH RECURSIVE held (root, repository_id, digest) AS (
  SELECT id, repository_id, digest FROM manifests
  UNION
  SELECT h.root, h.repository_id, mr.digest
  FROM held h JOIN manifest_references mr ON mr.repository_id = h.repository_id AND mr.manifest_digest = h.digest
), sums (id, bytes) AS (
  SELECT h.root, SUM(COALESCE(m.size, b.size, 0))
  FROM held h
  LEFT JOIN manifests m ON m.repository_id = h.repository_id AND m.digest = h.digest
  LEFT JOIN blobs b ON b.digest = h.digest
  GROUP BY h.root
)
UPDATE manifests SET content_size = sums.bytes FROM sums WHERE sums.id = manifests.id;

UPDATE repositories SET
  tag_count = (SELECT COUNT(*) FROM tags t WHERE t.repository_id = repositories.id),
  manifest_count = (SELECT COUNT(*) FROM manifests m WHERE m.repository_id = repositories.id AND m.deleted_at IS NULL),
  size = (SELECT COALESCE(SUM(m.size), 0) FROM manifests m WHERE m.repository_id = repositories.id)
    + (SELECT COALESCE(SUM(b.size), 0) FROM repository_blobs rb JOIN blobs b ON b.digest = rb.digest
       WHERE rb.repository_id = repositories.id),
  unique_size = (SELECT COALESCE(SUM(m.size), 0) FROM manifests m WHERE m.repository_id = repositories.id)
    + (SELECT COALESCE(SUM(b.size), 0) FROM repository_blobs rb JOIN blobs b ON b.digest = rb.digest
       WHERE rb.repository_id = repositories.id AND b.link_count = 1),
  pushed_at = (SELECT COALESCE(MAX(m.pushed_at), 0) FROM manifests m WHERE m.repository_id = repositories.id),
  pulled_at = (SELECT MAX(m.pulled_at) FROM manifests m WHERE m.repository_id = repositories.id);

CREATE INDEX repositories_by_push ON repositories (pushed_at, name);

CREATE TRIGGER tags_are_counted AFTER INSERT ON tags
BEGIN
  UPDATE repositories SET tag_count = tag_count + 1 WHERE id = NEW.repository_id;
END;

CREATE TRIGGER tags_are_discounted AFTER DELETE ON tags
BEGIN
  UPDATE repositories SET tag_count = tag_count - 1 WHERE id = OLD.repository_id;
END;

CREATE TRIGGER manifests_are_counted AFTER INSERT ON manifests
BEGIN
  UPDATE repositories SET
    manifest_count = manifest_count + (NEW.deleted_at IS NULL), size = size + NEW.size,
    unique_size = unique_size + NEW.size, pushed_at = MAX(pushed_at, NEW.pushed_at)
  WHERE id = NEW.repository_id;
END;

-- Each for itself: where nothing was pushed, the index of pushes is not written.
CREATE TRIGGER manifests_are_pushed_again AFTER UPDATE OF pushed_at ON manifests
WHEN NEW.pushed_at > OLD.pushed_at
BEGIN
  UPDATE repositories SET pushed_at = MAX(pushed_at, NEW.pushed_at) WHERE id = NEW.repository_id;
END;

CREATE TRIGGER manifests_are_deleted_or_restored AFTER UPDATE OF deleted_at ON manifests
WHEN (NEW.deleted_at IS NULL) <> (OLD.deleted_at IS NULL)
BEGIN
  UPDATE repositories SET manifest_count = manifest_count + (NEW.deleted_at IS NULL) - (OLD.deleted_at IS NULL)
  WHERE id = NEW.repository_id;
END;

CREATE TRIGGER manifests_are_discounted AFTER DELETE ON manifests
BEGIN
  UPDATE repositories SET
    manifest_count = manifest_count - (OLD.deleted_at IS NULL), size = size - OLD.size, unique_size = unique_size - OLD.size
  WHERE id = OLD.repository_id;
END;

DROP TRIGGER links_begin;
CREATE TRIGGER links_begin AFTER INSERT ON repository_blobs
BEGIN
  UPDATE blobs SET link_count = link_count + 1, last_repository_id = NEW.repository_id WHERE digest = NEW.digest;
  -- Where sparse manifests are allowed, they may be here before what they refer to.
  UPDATE repository_blobs SET reference_count = (
    SELECT COUNT(*) FROM manifest_references WHERE repository_id = NEW.repository_id AND digest = NEW.digest)
  WHERE repository_id = NEW.repository_id AND digest = NEW.digest
    AND EXISTS (SELECT 1 FROM manifest_references WHERE repository_id = NEW.repository_id AND digest = NEW.digest);
END;

DROP TRIGGER links_end;
CREATE TRIGGER links_end AFTER DELETE ON repository_blobs
BEGIN
  UPDATE blobs SET link_count = link_count - 1, last_repository_id = OLD.repository_id WHERE digest = OLD.digest;
END;

CREATE TRIGGER links_are_counted AFTER UPDATE OF link_count ON blobs
WHEN NEW.link_count <> OLD.link_count
BEGIN
  UPDATE repositories SET
    size = size + (NEW.link_count - OLD.link_count) * NEW.size,
    unique_size = unique_size + IIF(MIN(NEW.link_count, OLD.link_count) = 0, (NEW.link_count - OLD.link_count) * NEW.size, 0)
  WHERE id = NEW.last_repository_id;
END;

-- From one to two, and back: what the other of the two has is its own no more, or again.
CREATE TRIGGER other_links_are_counted AFTER UPDATE OF link_count ON blobs
WHEN NEW.link_count + OLD.link_count = 3
BEGIN
  UPDATE repositories SET unique_size = unique_size + (OLD.link_count - NEW.link_count) * NEW.size
  WHERE id = (SELECT repository_id FROM repository_blobs
              WHERE digest = NEW.digest AND repository_id <> NEW.last_repository_id);
END;

-- As in 0003; and then what the manifest refers to is let go of before it goes itself. Left to the foreign key, SQLite would search for
-- each reference once more, and for the manifest beside each: collection pays so for what the triggers above read.
DROP TRIGGER manifests_leave;
CREATE TRIGGER manifests_leave BEFORE DELETE ON manifests
BEGIN
  UPDATE manifests SET unheld_at = MAX(COALESCE(OLD.deleted_at, OLD.unheld_at), pushed_at, COALESCE(
    (SELECT MAX(occurred_at) FROM tag_events
     WHERE repository_id = OLD.repository_id AND previous_digest = manifests.digest), 0))
  WHERE repository_id = OLD.repository_id AND subject_digest = OLD.digest AND hold_count = 1
    AND COALESCE(OLD.deleted_at, OLD.unheld_at) IS NOT NULL;
  UPDATE manifests SET unheld_at = MAX(COALESCE(OLD.deleted_at, OLD.unheld_at), pushed_at, COALESCE(
    (SELECT MAX(occurred_at) FROM tag_events
     WHERE repository_id = OLD.repository_id AND previous_digest = manifests.digest), 0))
  WHERE repository_id = OLD.repository_id
    AND digest IN (SELECT digest FROM manifest_references
                   WHERE repository_id = OLD.repository_id AND manifest_digest = OLD.digest AND role = 'manifest')
    AND hold_count = (SELECT COUNT(*) FROM manifest_references mr
                      WHERE mr.repository_id = OLD.repository_id AND mr.manifest_digest = OLD.digest
                        AND mr.role = 'manifest' AND mr.digest = manifests.digest)
    AND COALESCE(OLD.deleted_at, OLD.unheld_at) IS NOT NULL;
  DELETE FROM manifest_references WHERE repository_id = OLD.repository_id AND manifest_digest = OLD.digest;
END;

-- Markdown, as it was uploaded.
CREATE TABLE readmes (
  repository_id INTEGER PRIMARY KEY REFERENCES repositories (id) ON DELETE CASCADE,
  readme        TEXT    NOT NULL,
  updated_at    INTEGER NOT NULL,
  updated_by    TEXT    NOT NULL
) STRICT;

-- The row of `usage` as it was when the schedule last ran on a day, which is a date in UTC such as 2026-11-21.
CREATE TABLE usage_days (
  day          TEXT    PRIMARY KEY,
  repositories INTEGER NOT NULL,
  objects      INTEGER NOT NULL,
  bytes        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
