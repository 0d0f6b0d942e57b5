// Package memstore is the reference locallog.Store: local logs in memory. Several connections may share one database, as
// several tabs do, and a test may make any call fail. In the browser it is where a database goes on that the browser does not keep.
package memstore

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
)

// Database outlives its connections.
type Database struct {
	mu    sync.Mutex
	logs  map[string]*log
	names []string // of the logs, as they were made
	life  int      // counts how often the database was destroyed

	// Fail, where not nil, is asked before each call ("load", "append", "show", "manifest", "remains", "checkpoint") and after each
	// append and checkpoint that was made durable ("appended", "checkpointed"): an error it gives is the call's, so
	// that both kinds of unknown outcome can be had.
	Fail func(op, stream string, lsn locallog.LSN) error

	// Written counts the bytes of records and pages that were stored.
	Written int
}

// log is one stream's: its records from first on, and its checkpoint.
type log struct {
	first    locallog.LSN
	records  [][]byte
	manifest []byte
	pages    map[string][]byte
	spare    []byte
	shown    map[locallog.LSN]string
	rows     map[string]string // of pages
}

// New makes an empty database.
func New() *Database { return &Database{logs: map[string]*log{}} }

// Size is how many records and bytes a stream has stored, pages included.
func (d *Database) Size(stream string) (records, bytes int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.logs[stream]
	if l == nil {
		return 0, 0
	}
	for _, b := range l.records {
		bytes += len(b)
	}
	for _, b := range l.pages {
		bytes += len(b)
	}
	return len(l.records), bytes
}

// Open makes a connection.
func (d *Database) Open() *Store {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &Store{db: d, life: d.life}
}

// Store is one connection.
type Store struct {
	db     *Database
	life   int // the one that it was opened in
	closed bool
}

var _ locallog.Store = (*Store)(nil)

var errClosed = &action.Error{Code: action.CodeClosed, Message: "the store is closed"}

func (s *Store) usable() error {
	switch {
	case s.closed:
		return errClosed
	case s.life != s.db.life:
		return locallog.ErrGone
	}
	return nil
}

func (d *Database) fails(op, stream string, lsn locallog.LSN) error {
	if d.Fail == nil {
		return nil
	}
	return d.Fail(op, stream, lsn)
}

// Load implements locallog.Store.
func (s *Store) Load(_ context.Context, stream string, from locallog.LSN) (out locallog.Log, err error) {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	if err := s.usable(); err != nil {
		return out, err
	}
	if err := s.db.fails("load", stream, from); err != nil {
		return out, err
	}
	l := s.db.logs[stream]
	switch {
	case l == nil && from > 0:
		return out, locallog.ErrGone
	case l == nil:
		return out, nil
	}
	if l.manifest != nil && (from == 0 || from-1 < l.first) {
		m, err := locallog.DecodeManifest(l.manifest)
		if err != nil {
			return out, err
		}
		out.Manifest, from = l.manifest, m.LSN+1
		for _, name := range m.Names() {
			out.Pages = append(out.Pages, slices.Clone(l.pages[name]))
		}
	}
	if from > l.next() {
		return out, locallog.ErrGone
	}
	if from < l.first {
		return out, action.Corrupt("the local log lacks its beginning")
	}
	for _, b := range l.records[from-l.first:] {
		out.Records = append(out.Records, slices.Clone(b))
	}
	return out, nil
}

func (l *log) next() locallog.LSN { return l.first + locallog.LSN(len(l.records)) }

// Append implements locallog.Store.
func (s *Store) Append(_ context.Context, stream string, lsn locallog.LSN, record []byte, shown ...locallog.Shown) error {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	if err := s.db.fails("append", stream, lsn); err != nil {
		return err
	}
	l := s.db.logs[stream]
	switch {
	case l == nil && lsn > 0:
		return locallog.ErrGone
	case l == nil:
		l = &log{pages: map[string][]byte{}, shown: map[locallog.LSN]string{}, rows: map[string]string{}}
		s.db.logs[stream] = l
		s.db.names = append(s.db.names, stream)
	case l.next() != lsn:
		return locallog.ErrLost
	}
	l.records = append(l.records, slices.Clone(record))
	s.db.Written += len(record)
	for _, at := range shown {
		l.shown[at.LSN] = at.Text
	}
	return s.db.fails("appended", stream, lsn)
}

// Show implements locallog.Store.
func (s *Store) Show(_ context.Context, stream string, shown locallog.Shown) error {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	if err := s.db.fails("show", stream, shown.LSN); err != nil {
		return err
	}
	l := s.db.logs[stream]
	if l == nil || shown.LSN < l.first || shown.LSN >= l.next() || l.shown[shown.LSN] != "" {
		return locallog.ErrLost
	}
	l.shown[shown.LSN] = shown.Text
	return nil
}

// Shown is what is stored of what an app sees: by record, and the rows of pages by their names. first and next are the numbers of the
// first record and of the one after the last.
func (d *Database) Shown(stream string) (first, next locallog.LSN, shown map[locallog.LSN]string, rows map[string]string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := d.logs[stream]; l != nil {
		return l.first, l.next(), maps.Clone(l.shown), maps.Clone(l.rows)
	}
	return 0, 0, nil, nil
}

// Shown implements storetest.Showing.
func (s *Store) Shown(stream string) (shown map[locallog.LSN]string, rows map[string]string) {
	_, _, shown, rows = s.db.Shown(stream)
	return shown, rows
}

// Manifest implements locallog.Store.
func (s *Store) Manifest(_ context.Context, stream string) ([]byte, error) {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	if err := s.usable(); err != nil {
		return nil, err
	}
	if err := s.db.fails("manifest", stream, 0); err != nil {
		return nil, err
	}
	if l := s.db.logs[stream]; l != nil {
		return l.manifest, nil
	}
	return nil, nil
}

// Pages implements locallog.Store.
func (s *Store) Pages(_ context.Context, stream string, names []string) (out [][]byte, err error) {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	if err := s.usable(); err != nil {
		return nil, err
	}
	if err := s.db.fails("pages", stream, 1); err != nil {
		return nil, err
	}
	l := s.db.logs[stream]
	if l == nil {
		return nil, locallog.ErrGone
	}
	for _, name := range names {
		page, is := l.pages[name]
		if !is {
			return nil, locallog.ErrLost
		}
		out = append(out, slices.Clone(page))
	}
	return out, nil
}

// Remains implements locallog.Store.
func (s *Store) Remains(_ context.Context, stream string) (out locallog.Remains, err error) {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	if err := s.usable(); err != nil {
		return out, err
	}
	if err := s.db.fails("remains", stream, 0); err != nil {
		return out, err
	}
	l := s.db.logs[stream]
	if l == nil {
		return out, nil
	}
	out = locallog.Remains{Manifest: slices.Clone(l.manifest), Spare: slices.Clone(l.spare)}
	for name, b := range l.pages {
		out.Pages = append(out.Pages, locallog.Page{Name: name, Bytes: slices.Clone(b)})
	}
	for i, b := range l.records {
		out.Records = append(out.Records, locallog.StoredRecord{LSN: l.first + locallog.LSN(i), Bytes: slices.Clone(b)})
	}
	return out, nil
}

// Checkpoint implements locallog.Store.
func (s *Store) Checkpoint(_ context.Context, stream string, c *locallog.Checkpoint) error {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	if err := s.db.fails("checkpoint", stream, c.LSN); err != nil {
		return err
	}
	l := s.db.logs[stream]
	if l == nil {
		return locallog.ErrGone
	}
	if !bytes.Equal(l.manifest, c.Base) || c.LSN < l.first || c.Record == nil && c.LSN >= l.next() || c.Record != nil && c.LSN != l.next() {
		return locallog.ErrLost
	}
	for _, p := range c.Pages {
		if l.pages[p.Name] != nil {
			return locallog.ErrLost
		}
	}
	if c.Record != nil {
		l.records = append(l.records, slices.Clone(c.Record))
	}
	if c.Afresh {
		clear(l.rows)
	}
	for _, p := range c.Pages {
		l.pages[p.Name] = slices.Clone(p.Bytes)
		s.db.Written += len(p.Bytes)
		if p.Rows != "" {
			l.rows[p.Name] = p.Rows
		}
	}
	for _, name := range c.Drop {
		delete(l.pages, name)
		delete(l.rows, name)
	}
	maps.DeleteFunc(l.shown, func(at locallog.LSN, _ string) bool { return at <= c.LSN })
	if c.Shown != "" {
		l.shown[c.LSN] = c.Shown
	}
	l.manifest, l.spare = slices.Clone(c.Manifest), slices.Clone(c.Spare)
	l.records, l.first = slices.Clone(l.records[c.LSN-l.first:]), c.LSN
	s.db.Written += len(c.Manifest) + len(c.Spare)
	return s.db.fails("checkpointed", stream, c.LSN)
}

// Streams implements locallog.Store.
func (s *Store) Streams(context.Context) ([]string, error) {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	if err := s.usable(); err != nil {
		return nil, err
	}
	return slices.Clone(s.db.names), nil
}

// Destroy implements locallog.Store.
func (s *Store) Destroy(_ context.Context, next map[string]locallog.LSN) error {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	if next != nil {
		if len(next) != len(s.db.logs) {
			return locallog.ErrLost
		}
		for name, l := range s.db.logs {
			if at, ok := next[name]; !ok || at != l.first+locallog.LSN(len(l.records)) {
				return locallog.ErrLost
			}
		}
	}
	s.db.logs, s.db.names = map[string]*log{}, nil
	s.db.life++
	s.closed = true
	return nil
}

// Close implements locallog.Store.
func (s *Store) Close() error {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	s.closed = true
	return nil
}

// Clone copies the database: a profile as a backup would bring it back.
func (d *Database) Clone() *Database {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := New()
	c.names = slices.Clone(d.names)
	for name, l := range d.logs {
		c.logs[name] = &log{first: l.first, records: slices.Clone(l.records), manifest: l.manifest, spare: l.spare, pages: maps.Clone(l.pages),
			shown: maps.Clone(l.shown), rows: maps.Clone(l.rows)}
	}
	return c
}
