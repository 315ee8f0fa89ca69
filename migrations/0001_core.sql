-- Times are milliseconds since the epoch. Digests are `algorithm:hex`. Tables are STRICT: a wrong type is an error, not a guess.

CREATE TABLE repositories (
  id         INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL UNIQUE,
  created_at INTEGER NOT NULL
) STRICT;

-- One row for each distinct content, stored once for all repositories. object_key is unique and never used again.
CREATE TABLE blobs (
  digest       TEXT    PRIMARY KEY,
  size         INTEGER NOT NULL,
  object_key   TEXT    NOT NULL UNIQUE,
  created_at   INTEGER NOT NULL,
  condemned_at INTEGER
) STRICT, WITHOUT ROWID;

-- Which repository may see which blob: a digest alone opens nothing.
CREATE TABLE repository_blobs (
  repository_id INTEGER NOT NULL REFERENCES repositories (id),
  digest        TEXT    NOT NULL REFERENCES blobs (digest),
  linked_at     INTEGER NOT NULL,
  PRIMARY KEY (repository_id, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX repository_blobs_by_digest ON repository_blobs (digest);

-- The bytes lie in `bytes`, exact, or, when they are too big for a row, in the object `object_key`.
CREATE TABLE manifests (
  id             INTEGER PRIMARY KEY,
  repository_id  INTEGER NOT NULL REFERENCES repositories (id),
  digest         TEXT    NOT NULL,
  media_type     TEXT    NOT NULL,
  artifact_type  TEXT,
  subject_digest TEXT,
  size           INTEGER NOT NULL,
  annotations    TEXT,
  bytes          TEXT,
  object_key     TEXT    UNIQUE,
  pushed_at      INTEGER NOT NULL,
  pushed_by      TEXT    NOT NULL,
  UNIQUE (repository_id, digest),
  CHECK ((bytes IS NULL) <> (object_key IS NULL))
) STRICT;
CREATE INDEX manifests_by_subject ON manifests (repository_id, subject_digest, id) WHERE subject_digest IS NOT NULL;
CREATE INDEX manifests_by_subject_and_type ON manifests (repository_id, subject_digest, artifact_type, id)
  WHERE subject_digest IS NOT NULL;

-- What a manifest holds. A reference may be to something absent where the operator allows sparse manifests, and to layers
-- that are not distributed.
CREATE TABLE manifest_references (
  repository_id   INTEGER NOT NULL,
  manifest_digest TEXT    NOT NULL,
  position        INTEGER NOT NULL,
  role            TEXT    NOT NULL CHECK (role IN ('config', 'layer', 'manifest')),
  digest          TEXT    NOT NULL,
  PRIMARY KEY (repository_id, manifest_digest, position),
  FOREIGN KEY (repository_id, manifest_digest) REFERENCES manifests (repository_id, digest) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX manifest_references_by_digest ON manifest_references (repository_id, digest);

-- The key begins with the name: if it began with the repository, SQLite would prefer it to tags_by_digest, and the deletion
-- of a manifest would read all tags of its repository.
CREATE TABLE tags (
  repository_id INTEGER NOT NULL,
  name          TEXT    NOT NULL,
  digest        TEXT    NOT NULL,
  updated_at    INTEGER NOT NULL,
  PRIMARY KEY (name, repository_id),
  FOREIGN KEY (repository_id, digest) REFERENCES manifests (repository_id, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_by_digest ON tags (repository_id, digest);
-- The order in which the specification lists tags: case does not count, but for ties.
CREATE INDEX tags_in_order ON tags (repository_id, name COLLATE NOCASE, name);

-- Every move and deletion of a tag; a deletion has no digest.
CREATE TABLE tag_events (
  id              INTEGER PRIMARY KEY,
  repository_id   INTEGER NOT NULL REFERENCES repositories (id),
  name            TEXT    NOT NULL,
  digest          TEXT,
  previous_digest TEXT,
  actor           TEXT    NOT NULL,
  occurred_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX tag_events_by_tag ON tag_events (repository_id, name, id);

-- An upload in progress: docs/decisions/002-uploads.md tells what each column means on the way from POST to PUT.
CREATE TABLE upload_sessions (
  id                TEXT    PRIMARY KEY,
  repository        TEXT    NOT NULL,
  received          INTEGER NOT NULL DEFAULT 0,
  algorithm         TEXT    NOT NULL,
  hash              TEXT,
  multipart_key     TEXT,
  multipart_id      TEXT,
  part_size         INTEGER,
  part_count        INTEGER NOT NULL DEFAULT 0,
  tail              TEXT    NOT NULL,
  writer            TEXT,
  writer_expires_at INTEGER,
  expires_at        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_sessions_by_expiry ON upload_sessions (expires_at);

CREATE TABLE upload_parts (
  session_id TEXT    NOT NULL REFERENCES upload_sessions (id) ON DELETE CASCADE,
  number     INTEGER NOT NULL,
  etag       TEXT    NOT NULL,
  PRIMARY KEY (session_id, number)
) STRICT, WITHOUT ROWID;

-- Objects in R2 that no row needs any more. A key is written here in the transaction that lets go of it, and leaves only
-- after R2 has deleted the object, so that a crash between the two loses nothing and leaves nothing.
CREATE TABLE discarded_objects (
  object_key   TEXT    PRIMARY KEY,
  multipart_id TEXT,
  discarded_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX discarded_objects_by_age ON discarded_objects (discarded_at);
