-- What is searched: names, descriptions and readmes of repositories, and what the images that their tags name say of themselves.

ALTER TABLE repositories ADD COLUMN stars INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repositories ADD COLUMN is_official INTEGER NOT NULL DEFAULT 0;

-- Of a config of an image: JSON of its labels, within bounds, noted together with its platform; null: nobody has looked yet.
ALTER TABLE blobs ADD COLUMN labels TEXT;

-- The tags that moved last. Clients put signatures and the like under names made of their subject's digest: those say nothing here.
CREATE INDEX tags_by_update ON tags (repository_id, updated_at) WHERE name NOT GLOB 'sha256-*';

-- What images of a repository say, of the tags that moved last: the description of the newest that has one, and the values of
-- annotations and labels, each once.
CREATE TABLE image_words (
  repository_id INTEGER PRIMARY KEY REFERENCES repositories (id) ON DELETE CASCADE,
  description   TEXT,
  words         TEXT    NOT NULL
) STRICT;

-- Repositories whose tags have moved since image_words was right, and how often the schedule has tried to make it so.
CREATE TABLE repositories_to_index (
  repository_id INTEGER PRIMARY KEY REFERENCES repositories (id) ON DELETE CASCADE,
  tries         INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO repositories_to_index (repository_id) SELECT id FROM repositories WHERE tag_count > 0;

CREATE TRIGGER tags_begin_to_say AFTER INSERT ON tags
BEGIN
  INSERT INTO repositories_to_index (repository_id) VALUES (NEW.repository_id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER tags_say_something_else AFTER UPDATE OF digest ON tags
WHEN NEW.digest <> OLD.digest
BEGIN
  INSERT INTO repositories_to_index (repository_id) VALUES (NEW.repository_id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER tags_say_no_more AFTER DELETE ON tags
BEGIN
  INSERT INTO repositories_to_index (repository_id) VALUES (OLD.repository_id) ON CONFLICT DO NOTHING;
END;

-- By rowid, the id of the repository. The texts themselves are in the tables above: the indexes keep none.
CREATE VIRTUAL TABLE repository_words USING fts5 (
  name, description, readme, words, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
-- Any three letters of a name, for its parts.
CREATE VIRTUAL TABLE repository_names USING fts5 (name, content = '', contentless_delete = 1, tokenize = 'trigram');

-- Of each repository, as they are to be indexed. The first lines of a readme say what it is for.
CREATE VIEW indexed_repositories AS
SELECT r.id, r.name, COALESCE(r.description, i.description, '') AS description,
       COALESCE(SUBSTR(m.readme, 1, 1000), '') AS readme, COALESCE(i.words, '') AS words
FROM repositories r
LEFT JOIN image_words i ON i.repository_id = r.id
LEFT JOIN readmes m ON m.repository_id = r.id;

INSERT INTO repository_names (rowid, name) SELECT id, name FROM repositories;
INSERT INTO repository_words (rowid, name, description, readme, words)
SELECT id, name, description, readme, words FROM indexed_repositories;

CREATE TRIGGER repositories_are_indexed AFTER INSERT ON repositories
BEGIN
  INSERT INTO repository_names (rowid, name) VALUES (NEW.id, NEW.name);
  INSERT INTO repository_words (rowid, name, description, readme, words)
  VALUES (NEW.id, NEW.name, COALESCE(NEW.description, ''), '', '');
END;

CREATE TRIGGER repositories_leave_the_index AFTER DELETE ON repositories
BEGIN
  DELETE FROM repository_names WHERE rowid = OLD.id;
  DELETE FROM repository_words WHERE rowid = OLD.id;
END;

-- All columns at once, as an index without content wants it. INSERT OR REPLACE in a trigger of an upsert leaves the old words in it.
CREATE TRIGGER descriptions_are_indexed AFTER UPDATE OF description ON repositories
WHEN NEW.description IS NOT OLD.description
BEGIN
  UPDATE repository_words SET (name, description, readme, words) =
    (SELECT name, description, readme, words FROM indexed_repositories WHERE id = NEW.id)
  WHERE rowid = NEW.id;
END;

CREATE TRIGGER image_words_are_indexed AFTER INSERT ON image_words
BEGIN
  UPDATE repository_words SET (name, description, readme, words) =
    (SELECT name, description, readme, words FROM indexed_repositories WHERE id = NEW.repository_id)
  WHERE rowid = NEW.repository_id;
END;

CREATE TRIGGER image_words_are_indexed_again AFTER UPDATE ON image_words
BEGIN
  UPDATE repository_words SET (name, description, readme, words) =
    (SELECT name, description, readme, words FROM indexed_repositories WHERE id = NEW.repository_id)
  WHERE rowid = NEW.repository_id;
END;

CREATE TRIGGER readmes_are_indexed AFTER INSERT ON readmes
BEGIN
  UPDATE repository_words SET (name, description, readme, words) =
    (SELECT name, description, readme, words FROM indexed_repositories WHERE id = NEW.repository_id)
  WHERE rowid = NEW.repository_id;
END;

CREATE TRIGGER readmes_are_indexed_again AFTER UPDATE ON readmes
BEGIN
  UPDATE repository_words SET (name, description, readme, words) =
    (SELECT name, description, readme, words FROM indexed_repositories WHERE id = NEW.repository_id)
  WHERE rowid = NEW.repository_id;
END;

-- Those of a repository that goes find it gone already.
CREATE TRIGGER readmes_leave_the_index AFTER DELETE ON readmes
BEGIN
  UPDATE repository_words SET (name, description, readme, words) =
    (SELECT name, description, readme, words FROM indexed_repositories WHERE id = OLD.repository_id)
  WHERE rowid = OLD.repository_id;
END;
