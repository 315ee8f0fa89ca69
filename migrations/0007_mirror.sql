-- Repositories that mirror those of another registry, and what is known of its tags.

-- The upstream's name; null for a repository of our own, which no mirror ever touches.
ALTER TABLE repositories ADD COLUMN upstream TEXT;

-- When a tag of a mirrored repository was last found at the upstream. A tag that names other content there, but is too young to be
-- served, waits here.
CREATE TABLE mirrored_tags (
  repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  name          TEXT    NOT NULL,
  -- When the upstream last said that the tag names what it names here.
  checked_at    INTEGER NOT NULL,
  -- What it names there instead, and since when that has been seen.
  waiting_digest TEXT,
  waiting_since  INTEGER,
  PRIMARY KEY (repository_id, name)
) STRICT, WITHOUT ROWID;

-- What upstreams last said of themselves, for whoever runs the registry.
CREATE TABLE upstream_status (
  name           TEXT    PRIMARY KEY,
  answered_at    INTEGER,
  failed_at      INTEGER,
  failure        TEXT,
  -- Of pulls, as the headers ratelimit-limit and ratelimit-remaining state them: a number, and seconds of the window.
  rate_limit     INTEGER,
  rate_remaining INTEGER,
  rate_window    INTEGER,
  rate_seen_at   INTEGER
) STRICT, WITHOUT ROWID;
