-- What nothing needs is found by counting, in the transaction that changes it, what needs it: so that collection searches an
-- index of the garbage, and never looks at the rest. Triggers count, whoever writes. They know no time: collection notes when
-- it has found something.

-- How many references of the repository's manifests are to this blob, and since when collection waits to take the link.
ALTER TABLE repository_blobs ADD COLUMN reference_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repository_blobs ADD COLUMN condemned_at INTEGER;
CREATE INDEX repository_blobs_unreferenced ON repository_blobs (linked_at)
  WHERE reference_count = 0 AND condemned_at IS NULL;
CREATE INDEX repository_blobs_condemned ON repository_blobs (condemned_at) WHERE condemned_at IS NOT NULL;

-- How many repositories link the blob. It is the link that someone was told of: a blob without one may go at once.
ALTER TABLE blobs DROP COLUMN condemned_at;
ALTER TABLE blobs ADD COLUMN link_count INTEGER NOT NULL DEFAULT 0;
CREATE INDEX blobs_unlinked ON blobs (digest) WHERE link_count = 0;

-- What holds a manifest: its tags, the indexes that list it, and its subject, each once. `unheld_at` is when collection found
-- that nothing does. `deleted_at` is when someone deleted it: then nobody sees it, and it can come back until it is collected.
ALTER TABLE manifests ADD COLUMN hold_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE manifests ADD COLUMN unheld_at INTEGER;
ALTER TABLE manifests ADD COLUMN deleted_at INTEGER;
CREATE INDEX manifests_unheld ON manifests (id) WHERE hold_count = 0 AND unheld_at IS NULL AND deleted_at IS NULL;
CREATE INDEX manifests_by_unheld_at ON manifests (unheld_at) WHERE unheld_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX manifests_by_deleted_at ON manifests (deleted_at) WHERE deleted_at IS NOT NULL;

UPDATE repository_blobs SET reference_count = (
  SELECT COUNT(*) FROM manifest_references mr
  WHERE mr.repository_id = repository_blobs.repository_id AND mr.digest = repository_blobs.digest);
UPDATE blobs SET link_count = (SELECT COUNT(*) FROM repository_blobs rb WHERE rb.digest = blobs.digest);
UPDATE manifests SET hold_count =
  (SELECT COUNT(*) FROM tags t WHERE t.repository_id = manifests.repository_id AND t.digest = manifests.digest)
  + (SELECT COUNT(*) FROM manifest_references mr
     WHERE mr.repository_id = manifests.repository_id AND mr.digest = manifests.digest AND mr.role = 'manifest')
  + EXISTS (SELECT 1 FROM manifests s
            WHERE s.repository_id = manifests.repository_id AND s.digest = manifests.subject_digest);

CREATE TRIGGER links_begin AFTER INSERT ON repository_blobs
BEGIN
  UPDATE blobs SET link_count = link_count + 1 WHERE digest = NEW.digest;
  -- Where sparse manifests are allowed, they may be here before what they refer to.
  UPDATE repository_blobs SET reference_count = (
    SELECT COUNT(*) FROM manifest_references WHERE repository_id = NEW.repository_id AND digest = NEW.digest)
  WHERE repository_id = NEW.repository_id AND digest = NEW.digest
    AND EXISTS (SELECT 1 FROM manifest_references WHERE repository_id = NEW.repository_id AND digest = NEW.digest);
END;

CREATE TRIGGER links_end AFTER DELETE ON repository_blobs
BEGIN
  UPDATE blobs SET link_count = link_count - 1 WHERE digest = OLD.digest;
END;

CREATE TRIGGER references_begin AFTER INSERT ON manifest_references
BEGIN
  UPDATE repository_blobs SET reference_count = reference_count + 1, condemned_at = NULL
  WHERE repository_id = NEW.repository_id AND digest = NEW.digest;
  UPDATE manifests SET hold_count = hold_count + 1, unheld_at = NULL
  WHERE NEW.role = 'manifest' AND repository_id = NEW.repository_id AND digest = NEW.digest;
END;

CREATE TRIGGER references_end AFTER DELETE ON manifest_references
BEGIN
  UPDATE repository_blobs SET reference_count = reference_count - 1
  WHERE repository_id = OLD.repository_id AND digest = OLD.digest;
  UPDATE manifests SET hold_count = hold_count - 1
  WHERE OLD.role = 'manifest' AND repository_id = OLD.repository_id AND digest = OLD.digest;
END;

CREATE TRIGGER tags_begin AFTER INSERT ON tags
BEGIN
  UPDATE manifests SET hold_count = hold_count + 1, unheld_at = NULL
  WHERE repository_id = NEW.repository_id AND digest = NEW.digest;
END;

CREATE TRIGGER tags_move AFTER UPDATE OF digest ON tags
WHEN NEW.digest <> OLD.digest
BEGIN
  UPDATE manifests SET hold_count = hold_count - 1 WHERE repository_id = OLD.repository_id AND digest = OLD.digest;
  UPDATE manifests SET hold_count = hold_count + 1, unheld_at = NULL
  WHERE repository_id = NEW.repository_id AND digest = NEW.digest;
END;

CREATE TRIGGER tags_end AFTER DELETE ON tags
BEGIN
  UPDATE manifests SET hold_count = hold_count - 1 WHERE repository_id = OLD.repository_id AND digest = OLD.digest;
END;

-- An index may have listed it, and others may have named it their subject, before it came.
CREATE TRIGGER manifests_begin AFTER INSERT ON manifests
BEGIN
  UPDATE manifests SET hold_count =
    (SELECT COUNT(*) FROM manifest_references
     WHERE repository_id = NEW.repository_id AND digest = NEW.digest AND role = 'manifest')
    + EXISTS (SELECT 1 FROM manifests WHERE repository_id = NEW.repository_id AND digest = NEW.subject_digest)
  WHERE id = NEW.id;
  UPDATE manifests SET hold_count = hold_count + 1, unheld_at = NULL
  WHERE repository_id = NEW.repository_id AND subject_digest = NEW.digest AND id <> NEW.id;
END;

-- What only it held has been waiting for as long as it has: the time of an index that nobody tags is its children's as well,
-- but for those that were pushed, or lost a tag, since then.
CREATE INDEX tag_events_by_previous ON tag_events (repository_id, previous_digest, occurred_at)
  WHERE previous_digest IS NOT NULL;
CREATE TRIGGER manifests_leave BEFORE DELETE ON manifests
WHEN COALESCE(OLD.deleted_at, OLD.unheld_at) IS NOT NULL
BEGIN
  UPDATE manifests SET unheld_at = MAX(COALESCE(OLD.deleted_at, OLD.unheld_at), pushed_at, COALESCE(
    (SELECT MAX(occurred_at) FROM tag_events
     WHERE repository_id = OLD.repository_id AND previous_digest = manifests.digest), 0))
  WHERE repository_id = OLD.repository_id AND subject_digest = OLD.digest AND hold_count = 1;
  UPDATE manifests SET unheld_at = MAX(COALESCE(OLD.deleted_at, OLD.unheld_at), pushed_at, COALESCE(
    (SELECT MAX(occurred_at) FROM tag_events
     WHERE repository_id = OLD.repository_id AND previous_digest = manifests.digest), 0))
  WHERE repository_id = OLD.repository_id
    AND digest IN (SELECT digest FROM manifest_references
                   WHERE repository_id = OLD.repository_id AND manifest_digest = OLD.digest AND role = 'manifest')
    AND hold_count = (SELECT COUNT(*) FROM manifest_references mr
                      WHERE mr.repository_id = OLD.repository_id AND mr.manifest_digest = OLD.digest
                        AND mr.role = 'manifest' AND mr.digest = manifests.digest);
END;

CREATE TRIGGER manifests_end AFTER DELETE ON manifests
BEGIN
  UPDATE manifests SET hold_count = hold_count - 1
  WHERE repository_id = OLD.repository_id AND subject_digest = OLD.digest;
END;

-- Each run of the collection that did or found something.
CREATE TABLE collection_runs (
  id         INTEGER PRIMARY KEY,
  started_at INTEGER NOT NULL,
  ended_at   INTEGER NOT NULL,
  -- JSON: what it did, by kind, and the bytes that it freed.
  outcome    TEXT    NOT NULL
) STRICT;

-- Where the slow reading of the bucket stands.
CREATE TABLE bucket_audit (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  -- Objects up to this key have been read; empty: from the beginning.
  after_key  TEXT    NOT NULL,
  started_at INTEGER NOT NULL
) STRICT;
INSERT INTO bucket_audit (id, after_key, started_at) VALUES (1, '', 0);

-- Rows whose object is gone: told to the operator, and never dropped silently.
CREATE TABLE missing_objects (
  object_key TEXT    PRIMARY KEY,
  digest     TEXT    NOT NULL,
  found_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Tags that end by themselves, and the repositories, by pattern, in which a tag such as `1h` or `7d` says how soon it does.
ALTER TABLE tags ADD COLUMN expires_at INTEGER;
CREATE INDEX tags_by_expiry ON tags (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE expiring_tags (
  repository TEXT    PRIMARY KEY,
  created_at INTEGER NOT NULL,
  created_by TEXT    NOT NULL,
  low        TEXT    NOT NULL AS (SUBSTR(repository, 1, INSTR(repository || '*', '*') - 1)) STORED,
  high       TEXT    NOT NULL AS (SUBSTR(repository, 1, INSTR(repository || '*', '*') - 1)
                                  || IIF(INSTR(repository, '*') > 0, '~', '!')) STORED,
  glob       TEXT             AS (IIF(INSTR(repository, '*') > 0 AND INSTR(repository, '**') = 0, repository, NULL)) STORED,
  depth      INTEGER NOT NULL AS (LENGTH(repository) - LENGTH(REPLACE(repository, '/', ''))) STORED
) STRICT, WITHOUT ROWID;

-- When a manifest was last pulled, right to the day.
ALTER TABLE manifests ADD COLUMN pulled_at INTEGER;

-- The state of a tag at a time is that of the last event before it.
CREATE INDEX tag_events_by_time ON tag_events (repository_id, name, occurred_at);
