// Package memstore is the reference core.Store: local logs in memory. Several connections may share one database, as
// several tabs do, and a test may make any call fail.
package memstore

import (
	"context"
	"slices"
	"sync"

	"github.com/strandline-sync/strandline/core"
)

// Database outlives its connections.
type Database struct {
	mu   sync.Mutex
	logs map[string]map[core.LSN][]byte
	life int // counts how often the database was destroyed

	// Fail, where not nil, is asked before each call ("load", "append") and after each append that was made durable
	// ("appended"): an error it gives is the call's, so that both kinds of unknown outcome can be had.
	Fail func(op, stream string, lsn core.LSN) error
}

// New makes an empty database.
func New() *Database { return &Database{logs: map[string]map[core.LSN][]byte{}} }

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

var _ core.Store = (*Store)(nil)

var errClosed = &core.Error{Code: core.CodeClosed, Message: "the store is closed"}

func (s *Store) usable() error {
	switch {
	case s.closed:
		return errClosed
	case s.life != s.db.life:
		return core.ErrGone
	}
	return nil
}

func (d *Database) fails(op, stream string, lsn core.LSN) error {
	if d.Fail == nil {
		return nil
	}
	return d.Fail(op, stream, lsn)
}

// Load implements core.Store.
func (s *Store) Load(_ context.Context, stream string, from core.LSN) ([][]byte, error) {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	if err := s.usable(); err != nil {
		return nil, err
	}
	if err := s.db.fails("load", stream, from); err != nil {
		return nil, err
	}
	log := s.db.logs[stream]
	if from > 0 && log[from-1] == nil {
		return nil, core.ErrGone
	}
	var out [][]byte
	for lsn := from; log[lsn] != nil; lsn++ {
		out = append(out, slices.Clone(log[lsn]))
	}
	return out, nil
}

// Append implements core.Store.
func (s *Store) Append(_ context.Context, stream string, lsn core.LSN, record []byte) error {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	if err := s.db.fails("append", stream, lsn); err != nil {
		return err
	}
	log := s.db.logs[stream]
	switch {
	case lsn > 0 && len(log) == 0:
		return core.ErrGone
	case lsn == 0 && len(log) > 0, lsn > 0 && (log[lsn-1] == nil || log[lsn] != nil):
		return core.ErrLost
	}
	if log == nil {
		log = map[core.LSN][]byte{}
		s.db.logs[stream] = log
	}
	log[lsn] = slices.Clone(record)
	return s.db.fails("appended", stream, lsn)
}

// Streams implements core.Store.
func (s *Store) Streams(context.Context) ([]string, error) {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	if err := s.usable(); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(s.db.logs))
	for name := range s.db.logs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// Destroy implements core.Store.
func (s *Store) Destroy(context.Context) error {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	s.db.logs = map[string]map[core.LSN][]byte{}
	s.db.life++
	s.closed = true
	return nil
}

// Close implements core.Store.
func (s *Store) Close() error {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	s.closed = true
	return nil
}
