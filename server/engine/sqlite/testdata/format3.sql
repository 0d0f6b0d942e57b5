-- What a database of format 3 was made with, and some rows.
CREATE TABLE IF NOT EXISTS streams (
	id    INTEGER PRIMARY KEY,
	name  TEXT NOT NULL UNIQUE,
	epoch BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS entries (
	stream INTEGER NOT NULL,
	idx    INTEGER NOT NULL,
	stored INTEGER NOT NULL,
	by     TEXT NOT NULL,
	chain  INTEGER NOT NULL,
	body   TEXT NOT NULL,
	PRIMARY KEY (stream, idx)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoints (
	stream INTEGER NOT NULL,
	idx    INTEGER NOT NULL,
	chain  INTEGER NOT NULL,
	bytes  INTEGER NOT NULL,
	sha256 BLOB NOT NULL,
	packed BLOB NOT NULL,
	owners BLOB NOT NULL,
	PRIMARY KEY (stream, idx)
) STRICT;

CREATE TABLE IF NOT EXISTS data_streams (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	name    TEXT NOT NULL UNIQUE,
	source  INTEGER NOT NULL,
	deleted INTEGER NOT NULL,
	head    INTEGER NOT NULL,
	tail    INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	meta    BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS data_sources ON data_streams (source) WHERE source <> 0;
CREATE INDEX IF NOT EXISTS data_expiries ON data_streams (expires) WHERE expires <> 0;
CREATE TABLE IF NOT EXISTS data_entries (
	stream INTEGER NOT NULL,
	idx    INTEGER NOT NULL,
	end    INTEGER NOT NULL,
	size   INTEGER NOT NULL,
	id     BLOB,
	stored INTEGER NOT NULL,
	by     TEXT NOT NULL,
	upload INTEGER NOT NULL,
	body   BLOB,
	PRIMARY KEY (stream, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS data_ids ON data_entries (stream, id) WHERE id IS NOT NULL;
CREATE TABLE IF NOT EXISTS data_producers (
	stream INTEGER NOT NULL,
	name   TEXT NOT NULL,
	epoch  INTEGER NOT NULL,
	seq    INTEGER NOT NULL,
	PRIMARY KEY (stream, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS data_uploads (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	stream   INTEGER NOT NULL,
	producer TEXT NOT NULL,
	epoch    INTEGER NOT NULL,
	seq      INTEGER NOT NULL,
	entry    BLOB NOT NULL,
	size     INTEGER NOT NULL,
	at       INTEGER NOT NULL,
	UNIQUE (stream, producer)
) STRICT;
CREATE TABLE IF NOT EXISTS data_parts (
	upload INTEGER NOT NULL,
	end    INTEGER NOT NULL,
	body   BLOB NOT NULL,
	PRIMARY KEY (upload, end)
) STRICT, WITHOUT ROWID;
INSERT INTO streams (id, name, epoch) VALUES (1, 'a', x'01000000000040008000000000000001'), (2, 'b', x'02000000000040008000000000000002'), (3, char(0) || 'deleted/3', x'03000000000040008000000000000003');
INSERT INTO entries (stream, idx, stored, by, chain, body) VALUES (1, 3, 7, 'me', 5, '{"n":3}'), (1, 4, 8, 'me', 6, '{"n":4}'), (3, 1, 7, 'me', 5, '{"n":1}');
INSERT INTO checkpoints (stream, idx, chain, bytes, sha256, packed, owners) VALUES (1, 3, 5, 2, zeroblob(32), x'01', CAST('{}' AS BLOB));
INSERT INTO data_streams (id, name, source, deleted, head, tail, expires, meta) VALUES (1, 'd', 0, 0, 2, 8, 0, CAST('{}' AS BLOB));
INSERT INTO data_entries (stream, idx, end, size, id, stored, by, upload, body) VALUES (1, 1, 3, 3, NULL, 7, 'me', 0, CAST('abc' AS BLOB)), (1, 2, 8, 5, NULL, 7, 'me', 1, NULL);
INSERT INTO data_parts (upload, end, body) VALUES (1, 2, CAST('de' AS BLOB)), (1, 5, CAST('fgh' AS BLOB));
PRAGMA user_version = 3;
