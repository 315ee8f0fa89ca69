-- What mirrors hold: counted apart from what is ours, and kept for as long as it is pulled.

-- Whether its repository mirrors another registry's, as `repositories.upstream` says, which never changes: who counts has it at hand.
ALTER TABLE repository_blobs ADD COLUMN is_mirrored INTEGER NOT NULL DEFAULT 0;
UPDATE repository_blobs SET is_mirrored = 1
WHERE repository_id IN (SELECT id FROM repositories WHERE upstream IS NOT NULL);

-- Of the links of a blob, those of repositories that mirror.
ALTER TABLE blobs ADD COLUMN mirror_link_count INTEGER NOT NULL DEFAULT 0;
UPDATE blobs SET mirror_link_count =
  (SELECT COUNT(*) FROM repository_blobs rb WHERE rb.digest = blobs.digest AND rb.is_mirrored = 1);

DROP TRIGGER links_begin;
CREATE TRIGGER links_begin AFTER INSERT ON repository_blobs
BEGIN
  UPDATE blobs SET
    link_count = link_count + 1, mirror_link_count = mirror_link_count + NEW.is_mirrored, last_repository_id = NEW.repository_id
  WHERE digest = NEW.digest;
  -- Where sparse manifests are allowed, they may be here before what they refer to.
  UPDATE repository_blobs SET reference_count = (
    SELECT COUNT(*) FROM manifest_references WHERE repository_id = NEW.repository_id AND digest = NEW.digest)
  WHERE repository_id = NEW.repository_id AND digest = NEW.digest
    AND EXISTS (SELECT 1 FROM manifest_references WHERE repository_id = NEW.repository_id AND digest = NEW.digest);
END;

DROP TRIGGER links_end;
CREATE TRIGGER links_end AFTER DELETE ON repository_blobs
BEGIN
  UPDATE blobs SET
    link_count = link_count - 1, mirror_link_count = mirror_link_count - OLD.is_mirrored, last_repository_id = OLD.repository_id
  WHERE digest = OLD.digest;
END;

-- Of the bytes in `usage`, those that mirrors alone hold: of blobs that only they link, and of their manifests too big for a row.
ALTER TABLE usage ADD COLUMN mirrored_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_days ADD COLUMN mirrored_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE usage SET mirrored_bytes =
  (SELECT COALESCE(SUM(size), 0) FROM blobs WHERE mirror_link_count > 0 AND mirror_link_count = link_count)
  + (SELECT COALESCE(SUM(m.size), 0) FROM repositories r JOIN manifests m ON m.repository_id = r.id
     WHERE r.upstream IS NOT NULL AND m.object_key IS NOT NULL);

CREATE TRIGGER mirrored_blobs_are_counted AFTER UPDATE OF link_count ON blobs
WHEN (NEW.mirror_link_count > 0 AND NEW.mirror_link_count = NEW.link_count)
  <> (OLD.mirror_link_count > 0 AND OLD.mirror_link_count = OLD.link_count)
BEGIN
  UPDATE usage SET mirrored_bytes = mirrored_bytes
    + IIF(NEW.mirror_link_count > 0 AND NEW.mirror_link_count = NEW.link_count, NEW.size, -NEW.size)
  WHERE id = 1;
END;

CREATE TRIGGER big_mirrored_manifests_are_counted AFTER INSERT ON manifests
WHEN NEW.object_key IS NOT NULL
BEGIN
  UPDATE usage SET mirrored_bytes = mirrored_bytes + NEW.size
  WHERE id = 1 AND (SELECT upstream FROM repositories WHERE id = NEW.repository_id) IS NOT NULL;
END;

CREATE TRIGGER big_mirrored_manifests_are_discounted AFTER DELETE ON manifests
WHEN OLD.object_key IS NOT NULL
BEGIN
  UPDATE usage SET mirrored_bytes = mirrored_bytes - OLD.size
  WHERE id = 1 AND (SELECT upstream FROM repositories WHERE id = OLD.repository_id) IS NOT NULL;
END;

-- What is known of a tag goes with it.
CREATE TRIGGER mirrored_tags_end AFTER DELETE ON tags
BEGIN
  DELETE FROM mirrored_tags WHERE repository_id = OLD.repository_id AND name = OLD.name;
END;

-- Until when a manifest of a mirror stays, whatever holds it: it was pulled so lately. Collection clears it when that is over, and
-- then looks at the manifest as at any other; so no run looks at what stays.
ALTER TABLE manifests ADD COLUMN kept_until INTEGER;
CREATE INDEX manifests_by_kept_until ON manifests (kept_until) WHERE kept_until IS NOT NULL AND hold_count = 0;
DROP INDEX manifests_unheld;
CREATE INDEX manifests_unheld ON manifests (id)
  WHERE hold_count = 0 AND unheld_at IS NULL AND deleted_at IS NULL AND kept_until IS NULL;

-- As in 0005, but for what is kept: its time has not begun.
DROP TRIGGER manifests_leave;
CREATE TRIGGER manifests_leave BEFORE DELETE ON manifests
BEGIN
  UPDATE manifests SET unheld_at = MAX(COALESCE(OLD.deleted_at, OLD.unheld_at), pushed_at, COALESCE(
    (SELECT MAX(occurred_at) FROM tag_events
     WHERE repository_id = OLD.repository_id AND previous_digest = manifests.digest), 0))
  WHERE repository_id = OLD.repository_id AND subject_digest = OLD.digest AND hold_count = 1 AND kept_until IS NULL
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
    AND kept_until IS NULL AND COALESCE(OLD.deleted_at, OLD.unheld_at) IS NOT NULL;
  DELETE FROM manifest_references WHERE repository_id = OLD.repository_id AND manifest_digest = OLD.digest;
END;
