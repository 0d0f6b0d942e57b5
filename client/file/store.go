// Package file keeps the local logs of a database in a file: SQLite, where each commit is synced before it is told.
package file

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"

	"github.com/google/uuid"
	"modernc.org/sqlite" // the driver, too

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
)

// format is that of the file; a newer one is refused.
const format = 1

const schema = `
CREATE TABLE IF NOT EXISTS life (id TEXT NOT NULL) STRICT; -- another one after each Destroy
CREATE TABLE IF NOT EXISTS streams (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	name     TEXT NOT NULL UNIQUE,
	manifest BLOB -- of the last checkpoint
) STRICT;
CREATE TABLE IF NOT EXISTS records (
	stream INTEGER NOT NULL,
	lsn    INTEGER NOT NULL,
	body   BLOB NOT NULL,
	PRIMARY KEY (stream, lsn)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pages (
	stream INTEGER NOT NULL,
	name   TEXT NOT NULL,
	body   BLOB NOT NULL,
	PRIMARY KEY (stream, name)
) STRICT;
CREATE TABLE IF NOT EXISTS shown (
	stream INTEGER NOT NULL,
	lsn    INTEGER NOT NULL,
	body   TEXT NOT NULL,
	PRIMARY KEY (stream, lsn)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rows (
	stream INTEGER NOT NULL,
	page   TEXT NOT NULL,
	body   TEXT NOT NULL,
	PRIMARY KEY (stream, page)
) STRICT;
`

// Store implements locallog.Store over a file.
type Store struct {
	db   *sql.DB
	life string

	mu     sync.Mutex
	closed bool
}

var _ locallog.Store = (*Store)(nil)

// Open opens the file, which is made where it is missing.
func Open(path string) (*Store, error) {
	q := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, storage(err)
	}
	db.SetMaxOpenConns(1)
	s := &Store{db: db}
	if err := s.begin(); err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) begin() error {
	tx, err := s.db.Begin()
	if err != nil {
		return storage(err)
	}
	defer tx.Rollback()
	var version int
	if err := tx.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return storage(err)
	}
	if version > format {
		return action.Fail(action.CodeUpgrade, "", fmt.Sprintf("the file's format %d is newer than this program's %d", version, format))
	}
	if _, err := tx.Exec(schema + fmt.Sprintf("PRAGMA user_version = %d", format)); err != nil {
		return storage(err)
	}
	if err := tx.QueryRow("SELECT id FROM life").Scan(&s.life); errors.Is(err, sql.ErrNoRows) {
		s.life = uuid.NewString()
		_, err = tx.Exec("INSERT INTO life (id) VALUES (?)", s.life)
		if err != nil {
			return storage(err)
		}
	} else if err != nil {
		return storage(err)
	}
	return storage(tx.Commit())
}

// full is SQLite's code of a disk that is.
const full = 13

// storage makes an error of the database one of the store, whose outcome is not known; a full disk is known to have kept nothing.
func storage(err error) error {
	var e *action.Error
	var failed *sqlite.Error
	switch {
	case err == nil, errors.As(err, &e), errors.Is(err, locallog.ErrLost):
		return err
	case errors.As(err, &failed) && failed.Code()&0xff == full:
		return &action.Error{Code: action.CodeQuota, Message: "the disk is full", Cause: err}
	}
	return &action.Error{Code: action.CodeStorage, Message: "the file cannot be read or written", Cause: err}
}

var errClosed = action.Fail(action.CodeClosed, "", "the store is closed")

// step runs do in a transaction of its own.
func (s *Store) step(ctx context.Context, do func(tx *sql.Tx) error) error {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return errClosed
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return storage(err)
	}
	defer tx.Rollback()
	var life string
	if err := tx.QueryRow("SELECT id FROM life").Scan(&life); err != nil {
		return storage(err)
	}
	if life != s.life {
		return locallog.ErrGone
	}
	if err := do(tx); err != nil {
		return storage(err)
	}
	return storage(tx.Commit())
}

// log is what stands of a stream's: its id, its first record and the one that comes next; there tells whether it is.
type log struct {
	id          int64
	first, next locallog.LSN
	manifest    []byte
	there       bool
}

func logOf(tx *sql.Tx, stream string) (l log, err error) {
	err = tx.QueryRow("SELECT s.id, s.manifest, min(r.lsn), max(r.lsn) + 1 FROM streams s JOIN records r ON r.stream = s.id WHERE s.name = ? GROUP BY s.id", stream).
		Scan(&l.id, &l.manifest, &l.first, &l.next)
	if errors.Is(err, sql.ErrNoRows) {
		return log{}, nil
	}
	l.there = err == nil
	return l, err
}

// Load implements locallog.Store.
func (s *Store) Load(ctx context.Context, stream string, from locallog.LSN) (out locallog.Log, err error) {
	err = s.step(ctx, func(tx *sql.Tx) error {
		l, err := logOf(tx, stream)
		switch {
		case err != nil:
			return err
		case !l.there && from > 0:
			return locallog.ErrGone
		case !l.there:
			return nil
		}
		if l.manifest != nil && (from == 0 || from-1 < l.first) {
			m, err := locallog.DecodeManifest(l.manifest)
			if err != nil {
				return err
			}
			out.Manifest, from = l.manifest, m.LSN+1
			for _, name := range m.Names() {
				var page []byte
				if err := tx.QueryRow("SELECT body FROM pages WHERE stream = ? AND name = ?", l.id, name).Scan(&page); err != nil {
					if errors.Is(err, sql.ErrNoRows) {
						return action.Corrupt("a page of a local checkpoint is missing")
					}
					return err
				}
				out.Pages = append(out.Pages, page)
			}
		}
		if from > l.next {
			return locallog.ErrGone
		}
		rows, err := tx.Query("SELECT lsn, body FROM records WHERE stream = ? AND lsn >= ? ORDER BY lsn", l.id, int64(from))
		if err != nil {
			return err
		}
		defer rows.Close()
		for at := from; rows.Next(); at++ {
			var lsn locallog.LSN
			var body []byte
			if err := rows.Scan(&lsn, &body); err != nil {
				return err
			}
			if lsn != at {
				return action.Corrupt("a record of a local log is missing")
			}
			out.Records = append(out.Records, body)
		}
		return rows.Err()
	})
	if err != nil {
		return locallog.Log{}, err
	}
	return out, nil
}

// Append implements locallog.Store.
func (s *Store) Append(ctx context.Context, stream string, lsn locallog.LSN, record []byte, shown ...locallog.Shown) error {
	return s.step(ctx, func(tx *sql.Tx) error {
		l, err := logOf(tx, stream)
		switch {
		case err != nil:
			return err
		case !l.there && lsn > 0:
			return locallog.ErrGone
		case l.next != lsn:
			return locallog.ErrLost
		}
		if !l.there {
			done, err := tx.Exec("INSERT INTO streams (name) VALUES (?)", stream)
			if err != nil {
				return err
			}
			if l.id, err = done.LastInsertId(); err != nil {
				return err
			}
		}
		if _, err := tx.Exec("INSERT INTO records (stream, lsn, body) VALUES (?, ?, ?)", l.id, int64(lsn), record); err != nil {
			return err
		}
		for _, at := range shown {
			if _, err := tx.Exec("INSERT OR REPLACE INTO shown (stream, lsn, body) VALUES (?, ?, ?)", l.id, int64(at.LSN), at.Text); err != nil {
				return err
			}
		}
		return nil
	})
}

// Show implements locallog.Store.
func (s *Store) Show(ctx context.Context, stream string, shown locallog.Shown) error {
	return s.step(ctx, func(tx *sql.Tx) error {
		l, err := logOf(tx, stream)
		if err != nil {
			return err
		}
		if !l.there || shown.LSN < l.first || shown.LSN >= l.next {
			return locallog.ErrLost
		}
		done, err := tx.Exec("INSERT OR IGNORE INTO shown (stream, lsn, body) VALUES (?, ?, ?)", l.id, int64(shown.LSN), shown.Text)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, locallog.ErrLost)
		}
		return nil
	})
}

// Manifest implements locallog.Store.
func (s *Store) Manifest(ctx context.Context, stream string) (manifest []byte, err error) {
	err = s.step(ctx, func(tx *sql.Tx) error {
		l, err := logOf(tx, stream)
		manifest = l.manifest
		return err
	})
	return manifest, err
}

// Pages implements locallog.Store.
func (s *Store) Pages(ctx context.Context, stream string, names []string) (out [][]byte, err error) {
	err = s.step(ctx, func(tx *sql.Tx) error {
		l, err := logOf(tx, stream)
		if err == nil && !l.there {
			err = locallog.ErrGone
		}
		for _, name := range names {
			var page []byte
			if err == nil {
				err = tx.QueryRow("SELECT body FROM pages WHERE stream = ? AND name = ?", l.id, name).Scan(&page)
			}
			if errors.Is(err, sql.ErrNoRows) {
				err = locallog.ErrLost
			}
			out = append(out, page)
		}
		return err
	})
	return out, err
}

// Remains implements locallog.Store.
func (s *Store) Remains(ctx context.Context, stream string) (out locallog.Remains, err error) {
	err = s.step(ctx, func(tx *sql.Tx) error {
		l, err := logOf(tx, stream)
		if err != nil || !l.there {
			return err
		}
		out = locallog.Remains{Manifest: l.manifest}
		pages, err := tx.Query("SELECT name, body FROM pages WHERE stream = ?", l.id)
		if err != nil {
			return err
		}
		defer pages.Close()
		for pages.Next() {
			var p locallog.Page
			if err := pages.Scan(&p.Name, &p.Bytes); err != nil {
				return err
			}
			if p.Name == locallog.SpareName {
				out.Spare = p.Bytes
			} else {
				out.Pages = append(out.Pages, p)
			}
		}
		records, err := tx.Query("SELECT lsn, body FROM records WHERE stream = ? ORDER BY lsn", l.id)
		if err != nil {
			return errors.Join(err, pages.Err())
		}
		defer records.Close()
		for records.Next() {
			var r locallog.StoredRecord
			if err := records.Scan(&r.LSN, &r.Bytes); err != nil {
				return err
			}
			out.Records = append(out.Records, r)
		}
		return errors.Join(pages.Err(), records.Err())
	})
	return out, err
}

// Checkpoint implements locallog.Store.
func (s *Store) Checkpoint(ctx context.Context, stream string, c *locallog.Checkpoint) error {
	return s.step(ctx, func(tx *sql.Tx) error {
		l, err := logOf(tx, stream)
		switch {
		case err != nil:
			return err
		case !l.there:
			return locallog.ErrGone
		case !bytes.Equal(l.manifest, c.Base), c.LSN < l.first, c.Record == nil && c.LSN >= l.next, c.Record != nil && c.LSN != l.next:
			return locallog.ErrLost
		}
		exec := func(query string, args ...any) {
			if err == nil {
				_, err = tx.Exec(query, append([]any{l.id}, args...)...)
			}
		}
		for _, p := range c.Pages {
			var there bool
			if err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM pages WHERE stream = ? AND name = ?)", l.id, p.Name).Scan(&there); err != nil {
				return err
			}
			if there {
				return locallog.ErrLost
			}
		}
		if c.Record != nil {
			exec("INSERT INTO records (stream, lsn, body) VALUES (?, ?, ?)", int64(c.LSN), c.Record)
		}
		if c.Afresh {
			exec("DELETE FROM rows WHERE stream = ?")
		}
		for _, p := range c.Pages {
			exec("INSERT INTO pages (stream, name, body) VALUES (?, ?, ?)", p.Name, p.Bytes)
			if p.Rows != "" {
				exec("INSERT OR REPLACE INTO rows (stream, page, body) VALUES (?, ?, ?)", p.Name, p.Rows)
			}
		}
		for _, name := range c.Drop {
			exec("DELETE FROM pages WHERE stream = ? AND name = ?", name)
			exec("DELETE FROM rows WHERE stream = ? AND page = ?", name)
		}
		exec("DELETE FROM shown WHERE stream = ? AND lsn <= ?", int64(c.LSN))
		if c.Shown != "" {
			exec("INSERT INTO shown (stream, lsn, body) VALUES (?, ?, ?)", int64(c.LSN), c.Shown)
		}
		exec("INSERT OR REPLACE INTO pages (stream, name, body) VALUES (?, ?, ?)", locallog.SpareName, append([]byte{}, c.Spare...))
		exec("UPDATE streams SET manifest = ?2 WHERE id = ?1", c.Manifest)
		exec("DELETE FROM records WHERE stream = ? AND lsn < ?", int64(c.LSN))
		return err
	})
}

// Streams implements locallog.Store.
func (s *Store) Streams(ctx context.Context) (names []string, err error) {
	err = s.step(ctx, func(tx *sql.Tx) error {
		rows, err := tx.Query("SELECT name FROM streams ORDER BY id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			names = append(names, name)
		}
		return rows.Err()
	})
	return names, err
}

// Destroy implements locallog.Store: the file stays, and is empty.
func (s *Store) Destroy(ctx context.Context, next map[string]locallog.LSN) error {
	err := s.step(ctx, func(tx *sql.Tx) error {
		if next != nil {
			rows, err := tx.Query("SELECT s.name, max(r.lsn) + 1 FROM streams s JOIN records r ON r.stream = s.id GROUP BY s.id")
			if err != nil {
				return err
			}
			defer rows.Close()
			n := 0
			for rows.Next() {
				var name string
				var at locallog.LSN
				if err := rows.Scan(&name, &at); err != nil {
					return err
				}
				if want, named := next[name]; !named || want != at {
					return locallog.ErrLost
				}
				n++
			}
			if err := rows.Err(); err != nil {
				return err
			}
			if n != len(next) {
				return locallog.ErrLost
			}
		}
		for _, table := range []string{"streams", "records", "pages", "shown", "rows"} {
			if _, err := tx.Exec("DELETE FROM " + table); err != nil {
				return err
			}
		}
		_, err := tx.Exec("UPDATE life SET id = ?", uuid.NewString())
		return err
	})
	if err != nil {
		return err
	}
	return s.Close()
}

// Close implements locallog.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	return storage(s.db.Close())
}
