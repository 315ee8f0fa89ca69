-- Who may do what. Times are milliseconds since the epoch; lists within a row are JSON.

-- People. The bootstrap account `admin` is no row: its password is a secret of the Worker.
CREATE TABLE accounts (
  name          TEXT    PRIMARY KEY,
  role          TEXT    NOT NULL CHECK (role IN ('admin', 'member')),
  -- scheme, parameters, salt and hash in one text: src/auth/password.ts.
  password_hash TEXT    NOT NULL,
  -- New with each password: what was given for an older one is worth nothing any more.
  credential_id TEXT    NOT NULL UNIQUE,
  created_at    INTEGER NOT NULL,
  created_by    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- Robots. The secret is random, so that a plain hash of it is safe; what a token may do stands in policy_rules.
CREATE TABLE access_tokens (
  id           TEXT    PRIMARY KEY,
  name         TEXT    NOT NULL UNIQUE,
  secret_hash  TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  created_by   TEXT    NOT NULL,
  expires_at   INTEGER,
  last_used_at INTEGER
) STRICT, WITHOUT ROWID;

-- Leave for a subject to do something with the repositories of a pattern; src/policy/pattern.ts says what a pattern is.
-- The generated columns let SQL match it: names from `low` on and before `high`; where `glob` is not null, only those that fit
-- it and have `depth` slashes. All that may follow a name within a longer one lies between '!' and '~'.
CREATE TABLE policy_rules (
  subject     TEXT    NOT NULL,
  repository  TEXT    NOT NULL,
  actions     TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  created_by  TEXT    NOT NULL,
  is_wildcard INTEGER NOT NULL AS (INSTR(repository, '*') > 0) STORED,
  low         TEXT    NOT NULL AS (SUBSTR(repository, 1, INSTR(repository || '*', '*') - 1)) STORED,
  high        TEXT    NOT NULL AS (SUBSTR(repository, 1, INSTR(repository || '*', '*') - 1)
                                   || IIF(INSTR(repository, '*') > 0, '~', '!')) STORED,
  glob        TEXT             AS (IIF(INSTR(repository, '*') > 0 AND INSTR(repository, '**') = 0, repository, NULL)) STORED,
  depth       INTEGER NOT NULL AS (LENGTH(repository) - LENGTH(REPLACE(repository, '/', ''))) STORED,
  PRIMARY KEY (subject, repository)
) STRICT, WITHOUT ROWID;
CREATE INDEX policy_rules_wildcard ON policy_rules (subject) WHERE is_wildcard = 1;
CREATE INDEX policy_rules_by_repository ON policy_rules (repository);

-- Which tokens of other issuers are let in, and to what: src/policy/trust.ts.
CREATE TABLE trust_rules (
  name         TEXT    PRIMARY KEY,
  issuer       TEXT    NOT NULL,
  audience     TEXT    NOT NULL,
  claims       TEXT    NOT NULL,
  repositories TEXT    NOT NULL,
  actions      TEXT    NOT NULL,
  keys         TEXT,
  created_at   INTEGER NOT NULL,
  created_by   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX trust_rules_by_issuer ON trust_rules (issuer);

-- Repositories, by pattern, whose tags stay where they are, but for tags that match one of `except_tags`.
CREATE TABLE immutable_tags (
  repository  TEXT    PRIMARY KEY,
  except_tags TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  created_by  TEXT    NOT NULL,
  low         TEXT    NOT NULL AS (SUBSTR(repository, 1, INSTR(repository || '*', '*') - 1)) STORED,
  high        TEXT    NOT NULL AS (SUBSTR(repository, 1, INSTR(repository || '*', '*') - 1)
                                   || IIF(INSTR(repository, '*') > 0, '~', '!')) STORED,
  glob        TEXT             AS (IIF(INSTR(repository, '*') > 0 AND INSTR(repository, '**') = 0, repository, NULL)) STORED,
  depth       INTEGER NOT NULL AS (LENGTH(repository) - LENGTH(REPLACE(repository, '/', ''))) STORED
) STRICT, WITHOUT ROWID;

-- Which tags those are. There are few rules, and every one is looked at.
CREATE VIEW tags_that_stay AS
  SELECT t.repository_id, t.name, t.digest, i.repository AS rule
  FROM tags t
  JOIN repositories r ON r.id = t.repository_id
  JOIN immutable_tags i ON r.name >= i.low AND r.name < i.high
   AND (i.glob IS NULL OR (r.name GLOB i.glob AND i.depth = LENGTH(r.name) - LENGTH(REPLACE(r.name, '/', ''))))
  WHERE NOT EXISTS (SELECT 1 FROM json_each(i.except_tags) e WHERE t.name GLOB e.value);

-- Held in the transaction that would move or delete one, whoever does: the whole of it fails.
CREATE TRIGGER tags_that_stay_do_not_move BEFORE UPDATE OF digest ON tags
WHEN NEW.digest <> OLD.digest
BEGIN
  SELECT RAISE(ABORT, 'TAG_IMMUTABLE')
  FROM tags_that_stay WHERE repository_id = OLD.repository_id AND name = OLD.name;
END;

CREATE TRIGGER tags_that_stay_do_not_go BEFORE DELETE ON tags
BEGIN
  SELECT RAISE(ABORT, 'TAG_IMMUTABLE')
  FROM tags_that_stay WHERE repository_id = OLD.repository_id AND name = OLD.name;
END;

-- Who did what, when, with which credential. The id is the time in microseconds, a little later where two would meet: so it is
-- order, cursor and time at once, and needs no index of its own.
CREATE TABLE audit_events (
  id         INTEGER PRIMARY KEY,
  actor      TEXT    NOT NULL,
  credential TEXT    NOT NULL,
  action     TEXT    NOT NULL,
  repository TEXT,
  tag        TEXT,
  digest     TEXT,
  detail     TEXT
) STRICT;
CREATE INDEX audit_events_by_repository ON audit_events (repository, id) WHERE repository IS NOT NULL;
CREATE INDEX audit_events_by_actor ON audit_events (actor, id);
CREATE INDEX audit_events_by_action ON audit_events (action, id);

-- The deletion of a repository ends its uploads.
CREATE INDEX upload_sessions_by_repository ON upload_sessions (repository);

-- Actors are named like subjects from now on.
UPDATE manifests SET pushed_by = 'account:' || pushed_by;
UPDATE tag_events SET actor = 'account:' || actor;
