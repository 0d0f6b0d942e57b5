package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// What is kept of each principal is counted as it comes, with the commit that brings it, and as it goes, by the database itself: whatever takes rows away.
const usesSchema = `
CREATE TABLE IF NOT EXISTS uses (
	by      TEXT PRIMARY KEY,
	streams INTEGER NOT NULL,
	bytes   INTEGER NOT NULL,
	data    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS data_uploads_of ON data_uploads (producer, size);
CREATE TRIGGER IF NOT EXISTS entries_go AFTER DELETE ON entries WHEN old.by <> '' BEGIN
	UPDATE uses SET bytes = bytes - octet_length(old.body) WHERE by = old.by;
END;
CREATE TRIGGER IF NOT EXISTS data_entries_go AFTER DELETE ON data_entries WHEN old.by <> '' BEGIN
	UPDATE uses SET data = data - old.size WHERE by = old.by;
END;
`

// countAnew is for a database of an earlier format.
const countAnew = `
UPDATE streams SET head = ifnull((SELECT max(idx) FROM entries WHERE stream = streams.id), 0), by = ifnull((SELECT by FROM entries WHERE stream = streams.id ORDER BY idx LIMIT 1), '');
INSERT INTO uses (by, streams, bytes, data)
	SELECT by, sum(s), sum(b), sum(d) FROM (
		SELECT by, count(*) AS s, 0 AS b, 0 AS d FROM streams WHERE name >= char(1) GROUP BY by UNION ALL
		SELECT by, 0, sum(octet_length(body)), 0 FROM entries GROUP BY by UNION ALL
		SELECT by, 0, 0, sum(size) FROM data_entries GROUP BY by
	) WHERE by <> '' GROUP BY by;
`

// use is what a commit adds to a principal's.
func (tx *writeTx) use(by string) *engine.Use {
	if tx.uses == nil {
		tx.uses = map[string]*engine.Use{}
	}
	u := tx.uses[by]
	if u == nil {
		u = new(engine.Use)
		tx.uses[by] = u
	}
	return u
}

// account writes what the commit adds, once for each principal. What nobody is named for is nobody's.
func (tx *writeTx) account(ctx context.Context) error {
	for by, u := range tx.uses {
		if by == "" || *u == (engine.Use{}) {
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO uses (by, streams, bytes, data) VALUES (?, ?, ?, ?)
			ON CONFLICT (by) DO UPDATE SET streams = streams + excluded.streams, bytes = bytes + excluded.bytes, data = data + excluded.data`, by, u.Streams, u.Bytes, u.Data); err != nil {
			return err
		}
	}
	return nil
}

// Use implements engine.Engine.
func (e *Engine) Use(ctx context.Context, principal string) (u engine.Use, err error) {
	err = e.read.QueryRowContext(ctx, "SELECT streams, bytes, data FROM uses WHERE by = ?", principal).Scan(&u.Streams, &u.Bytes, &u.Data)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	if err != nil || principal == "" {
		return engine.Use{}, err
	}
	err = e.read.QueryRowContext(ctx, "SELECT ifnull(sum(size), 0) FROM data_uploads WHERE producer >= ? AND producer < ?", principal+"\x00", principal+"\x01").Scan(&u.Parts)
	return u, err
}

// Uses gives those of the principals that keep most.
func (e *Engine) Uses(ctx context.Context, limit int) (map[string]engine.Use, error) {
	rows, err := e.scan.QueryContext(ctx, "SELECT by, streams, bytes, data FROM uses ORDER BY bytes + data DESC LIMIT ?", limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]engine.Use{}
	for rows.Next() {
		var by string
		var u engine.Use
		if err := rows.Scan(&by, &u.Streams, &u.Bytes, &u.Data); err != nil {
			return nil, err
		}
		out[by] = u
	}
	return out, rows.Err()
}

// NoteErased notes that an object was erased, so that a restore erases it again.
func (e *Engine) NoteErased(stream string, object action.UUID) error {
	return e.note([]deletion{{Name: hashedWhole(stream), Object: object.String()}})
}

// Scrub rewrites the database, so that what was changed or taken away is in no gap between its rows either: SQLite overwrites what it deletes, but not each
// place that a row has been at before it was moved. Appends wait meanwhile, a second or so for 100 MB, and the disk needs room for as much again.
func (e *Engine) Scrub() error {
	for _, bury := range []func(<-chan time.Time) error{e.buryLogs, e.buryData, e.buryUploads} { // what the digger has not taken away yet
		if err := bury(nil); err != nil {
			return err
		}
	}
	return e.queued(&request{result: make(chan error, 1), alone: func() error {
		if _, err := e.write.Exec("VACUUM"); err != nil {
			return fmt.Errorf("rewrite the database, whose gaps may hold what was erased: %w", cause(err))
		}
		e.written = 0
		done, err := e.bringIn("TRUNCATE") // waits for those who read what was there before
		if err == nil && !done {
			err = errors.New("what was erased may still be in the write-ahead log, which somebody reads: do it again")
		}
		return err
	}})
}

// Forget implements engine.Engine, a few rows a commit: appends wait for a commit.
func (e *Engine) Forget(ctx context.Context, principal string) error {
	if principal == "" || principal == engine.Nobody {
		return errors.New("nobody is named")
	}
	if err := e.note([]deletion{{Principal: hashedWhole(principal)}}); err != nil {
		return err
	}
	if err := e.eachPiece(ctx, "UPDATE clients SET by = ?3 WHERE id IN (SELECT id FROM clients WHERE by = ?1 LIMIT ?2)", principal, forgetRows, engine.Nobody); err != nil {
		return err
	}
	for table, of := range map[string]string{"entries": "streams", "data_entries": "data_streams"} {
		ids, err := column[int64](ctx, e.scan, "SELECT id FROM "+of)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := e.eachPiece(ctx, "UPDATE "+table+" SET by = '' WHERE stream = ?3 AND idx IN (SELECT idx FROM "+table+" WHERE stream = ?3 AND by = ?1 LIMIT ?2)", principal, forgetRows, id); err != nil {
				return err
			}
		}
		if err := e.eachPiece(ctx, "UPDATE "+of+" SET by = '' WHERE id IN (SELECT id FROM "+of+" WHERE by = ?1 LIMIT ?2)", principal, forgetRows); err != nil {
			return err
		}
	}
	for _, query := range []string{ // a producer's name begins with its principal's
		"DELETE FROM data_producers WHERE (stream, name) IN (SELECT stream, name FROM data_producers WHERE name >= ?1 AND name < ?3 LIMIT ?2)",
		"UPDATE data_uploads SET stream = 0, producer = id WHERE id IN (SELECT id FROM data_uploads WHERE producer >= ?1 AND producer < ?3 LIMIT ?2)",
	} {
		if err := e.eachPiece(ctx, query, principal+"\x00", forgetRows, principal+"\x01"); err != nil {
			return err
		}
	}
	defer e.bury()
	if err := e.disown(ctx, principal); err != nil {
		return err
	}
	return e.eachPiece(ctx, "DELETE FROM uses WHERE by IN (SELECT by FROM uses WHERE by = ?1 LIMIT ?2)", principal, forgetRows)
}

// forgetRows is how many of them one commit changes.
const forgetRows = 1000

// eachPiece runs a statement, whose second argument is how many rows it changes at most, until it changes fewer.
func (e *Engine) eachPiece(ctx context.Context, query string, args ...any) error {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := e.submit(forgetRows, func(ctx context.Context, tx *writeTx) (conflict, err error) {
			done, err := tx.ExecContext(ctx, query, args...)
			if err != nil {
				return nil, err
			}
			n, err := done.RowsAffected()
			more = n == forgetRows
			tx.rows += int(n)
			return nil, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// disown takes a principal out of the owners that checkpoints have.
func (e *Engine) disown(ctx context.Context, principal string) error {
	streams, err := column[int64](ctx, e.scan, "SELECT DISTINCT stream FROM checkpoints")
	if err != nil {
		return err
	}
	for _, stream := range streams {
		indexes, err := column[int64](ctx, e.scan, "SELECT idx FROM checkpoints WHERE stream = ?", stream)
		if err != nil {
			return err
		}
		for _, index := range indexes {
			if err := e.disownAt(principal, stream, index); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Engine) disownAt(principal string, stream, index int64) error {
	return e.submit(1, func(ctx context.Context, tx *writeTx) (conflict, err error) {
		var text []byte
		err = tx.QueryRowContext(ctx, "SELECT owners FROM checkpoints WHERE stream = ? AND idx = ?", stream, index).Scan(&text)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		text, changed, err := engine.Disown(text, principal)
		if err != nil || !changed {
			return err, nil // this request's own, and not the whole commit's
		}
		_, err = tx.ExecContext(ctx, "UPDATE checkpoints SET owners = ? WHERE stream = ? AND idx = ?", text, stream, index)
		return nil, err
	})
}
