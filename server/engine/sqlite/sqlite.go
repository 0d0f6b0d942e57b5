// Package sqlite is the embedded engine: one SQLite database in a data directory that it holds alone.
//
// WAL with synchronous=FULL: every acknowledged append is synced. One writer goroutine takes all appends that wait and
// commits them together, so that many streams share one sync. Readers have connections of their own; with FULL they never see
// what is not synced. Local disks only: WAL needs shared memory.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

const schema = `
CREATE TABLE IF NOT EXISTS streams (
	id    INTEGER PRIMARY KEY,
	name  TEXT NOT NULL UNIQUE,
	epoch BLOB NOT NULL,
	head  INTEGER NOT NULL DEFAULT 0, -- the same as its last entry's index, for lists
	by    TEXT NOT NULL DEFAULT ''    -- who wrote its first entry
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
CREATE TABLE IF NOT EXISTS clients (
	id BLOB PRIMARY KEY,
	by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoints (
	stream INTEGER NOT NULL,
	idx    INTEGER NOT NULL,
	chain  INTEGER NOT NULL,
	bytes  INTEGER NOT NULL,
	sha256 BLOB NOT NULL,
	packed BLOB NOT NULL,
	owners BLOB NOT NULL,
	leases BLOB, -- NULL in rows of earlier formats
	PRIMARY KEY (stream, idx)
) STRICT;
CREATE TABLE IF NOT EXISTS cursors (
	consumer TEXT NOT NULL,
	stream   BLOB NOT NULL, -- a hash of its name, which may be that of a deleted one
	at       BLOB NOT NULL,
	PRIMARY KEY (consumer, stream)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (
	key   TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS epochs ( -- that a log had before it was restored
	epoch  BLOB PRIMARY KEY,
	stream INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS epochs_of ON epochs (stream);
CREATE TABLE IF NOT EXISTS deleted ( -- epochs of deleted logs
	epoch BLOB PRIMARY KEY,
	at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`

// Engine implements engine.Engine.
type Engine struct {
	write *sql.DB
	read  *sql.DB
	scan  *sql.DB // for what looks at many rows, so that others have their readers
	lock  *os.File

	dir, path  string
	instance   instance   // the writer's
	written    int        // bytes, about, that are in the write-ahead log
	generation uint64     // of the ids of data streams
	copied     uint64     // the one that the file had
	again      int        // streams that were deleted again
	erased     []deletion // objects that are to be erased again

	// Frozen is why nothing can be written, where Open has found that: the disk is full, or is not to be written. Reading goes on until it is opened anew.
	Frozen error
	// Renewed tells that Open found an older copy in the database's place: its logs are others now.
	Renewed bool

	mu     sync.Mutex // of closed and sends to queue
	ending bool
	closed bool
	queue  chan *request
	done   chan struct{}

	dead    chan struct{} // something was deleted
	closing chan struct{}
	dug     chan struct{}
}

var _ engine.Engine = (*Engine)(nil)

// Open takes the data directory, which is made where it is missing. A directory that another process holds is an error.
func Open(dir string) (_ *Engine, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	e := &Engine{queue: make(chan *request, 1024), done: make(chan struct{}),
		dead: make(chan struct{}, 1), closing: make(chan struct{}), dug: make(chan struct{})}
	if e.lock, err = lockDir(dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			e.release()
		}
	}()
	path := filepath.Join(dir, "strandline.db")
	e.dir, e.path = dir, path
	in, err := readInstance(dir)
	if err != nil {
		return nil, err
	}
	if err := sameFile(dir, path, in); err != nil {
		return nil, err
	}
	header, err := headerOf(path)
	if err != nil {
		return nil, err
	}
	if in != nil { // from here on SQLite may change the file, also where opening fails
		e.instance = *in
		e.instance.Moving = true
		if err := e.instance.write(dir); err != nil {
			e.instance = instance{}
			if unwritable(err) {
				if err := e.freeze(in, header, err); err != nil {
					return nil, fmt.Errorf("open %s: %w", path, err)
				}
				return e, nil
			}
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
	}
	if e.write, err = open(path, 1); err != nil {
		return nil, err
	}
	if e.read, err = open(path, 4); err != nil {
		return nil, err
	}
	if e.scan, err = open(path, 2); err != nil {
		return nil, err
	}
	var version int
	if err := e.write.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, cause(err))
	}
	if version > Format {
		return nil, fmt.Errorf("open %s: its format %d is newer than this program's %d", path, version, Format)
	}
	if version < Format {
		if err := upgrade(e.write, version); err != nil {
			return nil, fmt.Errorf("open %s: %w", path, cause(err))
		}
	}
	if err := e.sound(); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := e.began(in, header); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, cause(err))
	}
	if err := syncDir(dir); err != nil {
		return nil, err
	}
	go e.writer()
	go e.digger()
	e.bury()
	if e.instance.Again {
		if e.again, err = e.deleteAgain(context.Background()); err == nil {
			err = e.submit(1, func(context.Context, *writeTx) (conflict, err error) { // the file is the writer's
				e.instance.Again, e.instance.Erased = false, e.erased
				return nil, e.instance.write(dir)
			})
		}
		if err != nil {
			kept := err
			err = nil // it is closed here, with its writer
			return nil, errors.Join(fmt.Errorf("open %s: %w", path, kept), e.Close())
		}
	}
	return e, nil
}

func open(path string, conns int) (*sql.DB, error) {
	q := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)", "cache_size(-16000)", "secure_delete(ON)"}}
	if conns == 1 { // the writer: before there is anything in the file, and before it is a WAL
		q["_pragma"] = append(slices.Insert(q["_pragma"], 0, "auto_vacuum(INCREMENTAL)"), "wal_autocheckpoint(0)") // see instance.go
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// openToRead opens a database that is only looked at. A copy that is made of it (VACUUM INTO) has what no row holds overwritten, as the database itself: else
// what is deleted from the copy later would be left in its gaps.
func openToRead(path string) (*sql.DB, error) {
	q := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)", "secure_delete(ON)"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return db, nil
}

// release lets go of the files. Closing brings the write-ahead log into the database; where it cannot be said before that its first page changes, the database
// is left as it is, as if the process had been killed.
func (e *Engine) release() error {
	var errs []error
	if e.Frozen != nil { // closing the database would bring its write-ahead log into it
		return e.lock.Close()
	}
	moves := e.instance.ID != ""
	if moves {
		e.instance.Moving = true
		errs = append(errs, e.instance.write(e.dir))
	}
	if errs == nil || errs[0] == nil {
		for _, db := range []*sql.DB{e.scan, e.read, e.write} {
			if db != nil {
				errs = append(errs, db.Close())
			}
		}
		if moves {
			header, err := headerOf(e.path)
			e.instance.Header, e.instance.Moving = header, err != nil
			errs = append(errs, err, e.instance.write(e.dir))
		}
	}
	if e.lock != nil {
		errs = append(errs, e.lock.Close())
	}
	return errors.Join(errs...)
}

// Bytes are those of the database's files.
func (e *Engine) Bytes() (n int64) {
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(e.path + suffix); err == nil {
			n += info.Size()
		}
	}
	return n
}

// Close implements engine.Engine.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.ending {
		e.mu.Unlock()
		<-e.done
		return nil
	}
	e.ending = true
	if e.Frozen != nil {
		e.closed = true
		e.mu.Unlock()
		return e.release()
	}
	e.mu.Unlock()
	close(e.closing)
	<-e.dug // which still writes
	e.mu.Lock()
	e.closed = true
	close(e.queue)
	e.mu.Unlock()
	<-e.done
	return e.release()
}

// Log implements engine.Engine.
func (e *Engine) Log(ctx context.Context, stream string) (engine.Log, error) {
	return readLog(ctx, e.read, stream)
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func readLog(ctx context.Context, q querier, stream string) (l engine.Log, err error) {
	var epoch []byte
	var chain int64
	err = q.QueryRowContext(ctx, `SELECT s.epoch, e.idx, e.chain, (SELECT min(idx) FROM entries WHERE stream = s.id) FROM streams s JOIN entries e ON e.stream = s.id
		WHERE s.name = ? ORDER BY e.idx DESC LIMIT 1`, stream).Scan(&epoch, &l.Head, &chain, &l.Oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return engine.Log{}, nil
	}
	if err != nil {
		return engine.Log{}, fmt.Errorf("read a log: %w", err)
	}
	copy(l.Epoch[:], epoch)
	l.Chain = action.Chain(chain)
	return l, nil
}

// Read implements engine.Engine.
func (e *Engine) Read(ctx context.Context, stream string, after uint64, limit, maxBytes int) ([]engine.Entry, error) {
	rows, err := e.read.QueryContext(ctx, `SELECT idx, stored, by, chain, body FROM entries
		WHERE stream = (SELECT id FROM streams WHERE name = ?) AND idx > ? ORDER BY idx LIMIT ?`, stream, int64(after), limit)
	if err != nil {
		return nil, fmt.Errorf("read entries: %w", err)
	}
	defer rows.Close()
	var out []engine.Entry
	for rows.Next() {
		var en engine.Entry
		var index uint64
		var chain int64
		if err := rows.Scan(&index, &en.Stored, &en.By, &chain, &en.Raw); err != nil {
			return nil, fmt.Errorf("read entries: %w", err)
		}
		if index != after+1+uint64(len(out)) {
			return nil, engine.ErrConflict
		}
		if maxBytes -= len(en.Raw); maxBytes < 0 && len(out) > 0 {
			break
		}
		en.Chain = action.Chain(chain)
		out = append(out, en)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read entries: %w", err)
	}
	return out, nil
}

// Chain implements engine.Engine.
func (e *Engine) Chain(ctx context.Context, stream string, index uint64) (action.Chain, error) {
	var chain int64
	err := e.read.QueryRowContext(ctx, `SELECT chain FROM entries
		WHERE stream = (SELECT id FROM streams WHERE name = ?) AND idx = ?`, stream, int64(index)).Scan(&chain)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, engine.ErrConflict
	}
	return action.Chain(chain), err
}

// Streams implements engine.Engine.
func (e *Engine) Streams(ctx context.Context, after string, limit int) ([]engine.Head, error) {
	rows, err := e.scan.QueryContext(ctx, `SELECT name, head FROM streams WHERE name > ? AND head > 0 ORDER BY name LIMIT ?`, max(after, "\x01"), limit)
	if err != nil {
		return nil, fmt.Errorf("list logs: %w", err)
	}
	defer rows.Close()
	var out []engine.Head
	for rows.Next() {
		var h engine.Head
		if err := rows.Scan(&h.Stream, &h.Head); err != nil {
			return nil, fmt.Errorf("list logs: %w", err)
		}
		out = append(out, h)
	}
	return out, rows.Err()
}
