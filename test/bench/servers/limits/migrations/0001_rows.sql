-- One row of the size of a small manifest.
CREATE TABLE rows (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO rows VALUES ('manifest', hex(zeroblob(512)));
