//go:build js && wasm

package idbstore

import (
	"context"
	"errors"
	"slices"
	"syscall/js"
	"time"

	"github.com/google/uuid"
	"github.com/hack-pad/go-indexeddb/idb"

	"github.com/strandline-sync/strandline/core"
)

const (
	schemaVersion = 1
	records       = "records"
	meta          = "meta"
	lifeKey       = "life" // in meta: a random id made with the database

	// openLimit ends the wait for an open that the browser never answers.
	openLimit = 10 * time.Second
	// deleteLimit ends the wait for a deletion that another context blocks; the browser goes on with it by itself.
	deleteLimit = 2 * time.Second
)

// Options say how to store.
type Options struct {
	// Strict flushes each commit to the disk; else the browser's default counts, which survives everything but power loss.
	Strict bool
}

// Store implements core.Store.
type Store struct {
	name       string
	durability idb.TransactionDurability
	db         *idb.Database
	life       string // the database's; one that was deleted and made again has another
	closed     bool
}

var _ core.Store = (*Store)(nil)

var errClosed = &core.Error{Code: core.CodeClosed, Message: "the store is closed"}

// Open opens the database, or makes it.
func Open(ctx context.Context, name string, o Options) (*Store, error) {
	s := &Store{name: name, durability: idb.DurabilityRelaxed}
	if o.Strict {
		s.durability = idb.DurabilityStrict
	}
	return s, s.open(ctx)
}

func (s *Store) open(ctx context.Context) error {
	if js.Global().Get("indexedDB").IsUndefined() {
		return &core.Error{Code: core.CodeStorage, Message: "this context has no IndexedDB"}
	}
	ctx, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	req, err := idb.Global().Open(ctx, s.name, schemaVersion, func(db *idb.Database, old, _ uint) error {
		if old >= 1 {
			return nil
		}
		if _, err := db.CreateObjectStore(records, idb.ObjectStoreOptions{}); err != nil {
			return err
		}
		m, err := db.CreateObjectStore(meta, idb.ObjectStoreOptions{})
		if err == nil {
			_, err = m.AddKey(js.ValueOf(lifeKey), js.ValueOf(uuid.NewString()))
		}
		return err
	})
	if err != nil {
		return mapError("open the database", err)
	}
	db, err := req.Await(ctx)
	if ctx.Err() != nil && db == nil || err == nil && ctx.Err() != nil { // a cancelled Await gives no error
		return &core.Error{Code: core.CodeStorage, Message: "the browser does not open the database", Cause: ctx.Err()}
	}
	if err != nil {
		return mapError("open the database", err)
	}
	life, err := readLife(ctx, db)
	if err != nil {
		return mapError("open the database", err)
	}
	if s.life != "" && s.life != life {
		s.closed = true
		_ = db.Close()
		return core.ErrGone
	}
	s.db, s.life = db, life
	return nil
}

func readLife(ctx context.Context, db *idb.Database) (string, error) {
	tx, err := db.Transaction(idb.TransactionReadOnly, meta)
	if err != nil {
		return "", err
	}
	store, err := tx.ObjectStore(meta)
	if err != nil {
		return "", err
	}
	req, err := store.Get(js.ValueOf(lifeKey))
	if err != nil {
		return "", err
	}
	if err := tx.Await(ctx); err != nil {
		return "", err
	}
	value, err := req.Result()
	if err != nil || value.Type() != js.TypeString {
		return "", &core.Error{Code: core.CodeCorrupt, Message: "the database lacks its id", Cause: err}
	}
	return value.String(), nil
}

// transaction begins one; a connection that the browser has closed is opened again, once.
func (s *Store) transaction(ctx context.Context, mode idb.TransactionMode) (*idb.Transaction, *idb.ObjectStore, error) {
	if s.closed {
		return nil, nil, errClosed
	}
	options := idb.TransactionOptions{Mode: mode}
	if mode == idb.TransactionReadWrite {
		options.Durability = s.durability
	}
	tx, err := s.db.TransactionWithOptions(options, records)
	if err != nil {
		if err := s.open(ctx); err != nil {
			return nil, nil, err
		}
		if tx, err = s.db.TransactionWithOptions(options, records); err != nil {
			return nil, nil, mapError("begin a transaction", err)
		}
	}
	store, err := tx.ObjectStore(records)
	if err != nil {
		return nil, nil, mapError("begin a transaction", err)
	}
	return tx, store, nil
}

func key(stream string, lsn core.LSN) js.Value {
	return js.ValueOf([]any{stream, float64(lsn)})
}

// keysFrom is the range of a stream's keys from an lsn on: arrays sort after numbers.
func keysFrom(stream string, lsn core.LSN) (*idb.KeyRange, error) {
	return idb.NewKeyRangeBound(key(stream, lsn), js.ValueOf([]any{stream, []any{}}), false, true)
}

// Append implements core.Store.
func (s *Store) Append(ctx context.Context, stream string, lsn core.LSN, record []byte) error {
	value := js.Global().Get("Uint8Array").New(len(record))
	js.CopyBytesToJS(value, record)
	first := lsn
	if lsn > 0 {
		first = lsn - 1
	}
	from, err := keysFrom(stream, first)
	if err != nil {
		return mapError("append a record", err)
	}
	tx, store, err := s.transaction(ctx, idb.TransactionReadWrite)
	if err != nil {
		return err
	}
	keys, err := store.GetAllKeysRange(from, 2)
	if err != nil {
		return mapError("append a record", err)
	}
	// Await gives nil after an Abort from a callback: what the callback saw is looked at first.
	seen, refusal := false, error(nil)
	err = keys.ListenSuccess(ctx, func() {
		seen = true
		found, err := keys.Result()
		if err == nil {
			err = mayAppend(found, lsn)
		}
		if refusal = err; err != nil {
			_ = tx.Abort()
		}
	})
	if err != nil {
		return mapError("append a record", err)
	}
	_, addErr := store.AddKey(key(stream, lsn), value)
	err = tx.Await(ctx)
	switch {
	case refusal != nil:
		return refusal
	case addErr != nil:
		return mapError("append a record", addErr)
	case err != nil && domName(err) == "ConstraintError":
		return core.ErrLost
	case err != nil:
		return mapError("append a record", err)
	case !seen:
		return &core.Error{Code: core.CodeStorage, Message: "append a record: the transaction ended unseen"}
	}
	return nil
}

// mayAppend looks at the first two keys from lsn-1 on: exactly lsn-1 must be there.
func mayAppend(found []js.Value, lsn core.LSN) error {
	switch {
	case lsn == 0 && len(found) == 0:
		return nil
	case lsn == 0:
		return core.ErrLost
	case len(found) == 0:
		return core.ErrGone
	case len(found) == 1 && lsnOf(found[0]) == lsn-1:
		return nil
	}
	return core.ErrLost
}

func lsnOf(key js.Value) core.LSN { return core.LSN(key.Index(1).Float()) }

// Load implements core.Store.
func (s *Store) Load(ctx context.Context, stream string, from core.LSN) ([][]byte, error) {
	first := from
	if from > 0 {
		first = from - 1
	}
	r, err := keysFrom(stream, first)
	if err != nil {
		return nil, mapError("read the log", err)
	}
	tx, store, err := s.transaction(ctx, idb.TransactionReadOnly)
	if err != nil {
		return nil, err
	}
	keysRequest, err := store.GetAllKeysRange(r, 0)
	if err != nil {
		return nil, mapError("read the log", err)
	}
	keys, err := keysRequest.Await(ctx)
	if err != nil {
		return nil, mapError("read the log", err)
	}
	if from > 0 {
		if len(keys) == 0 || lsnOf(keys[0]) != from-1 {
			return nil, core.ErrGone
		}
		keys = keys[1:]
	}
	if len(keys) == 0 {
		return nil, nil // nothing else was asked of the transaction: it ends by itself
	}
	requests := make([]*idb.Request, len(keys))
	for i, k := range keys {
		if lsnOf(k) != from+core.LSN(i) {
			return nil, &core.Error{Code: core.CodeCorrupt, Message: "the local log has a hole"}
		}
		if requests[i], err = store.Get(k); err != nil {
			return nil, mapError("read the log", err)
		}
	}
	if err := tx.Await(ctx); err != nil {
		return nil, mapError("read the log", err)
	}
	out := make([][]byte, len(keys))
	for i, req := range requests {
		value, err := req.Result()
		if err != nil {
			return nil, mapError("read the log", err)
		}
		if value.Type() != js.TypeObject || value.Get("byteLength").Type() != js.TypeNumber {
			return nil, &core.Error{Code: core.CodeCorrupt, Message: "a local record is no bytes"}
		}
		out[i] = make([]byte, value.Get("byteLength").Int())
		js.CopyBytesToGo(out[i], value)
	}
	return out, nil
}

// Streams implements core.Store.
func (s *Store) Streams(ctx context.Context) ([]string, error) {
	_, store, err := s.transaction(ctx, idb.TransactionReadOnly)
	if err != nil {
		return nil, err
	}
	req, err := store.GetAllKeys()
	if err != nil {
		return nil, mapError("list the streams", err)
	}
	keys, err := req.Await(ctx)
	if err != nil {
		return nil, mapError("list the streams", err)
	}
	var names []string
	for _, k := range keys {
		names = append(names, k.Index(0).String())
	}
	return slices.Compact(names), nil
}

// Destroy implements core.Store. The records go first, in a transaction: a context that cannot let go of its connection now
// finds them gone, whenever the browser gets to delete the database itself.
func (s *Store) Destroy(ctx context.Context) error {
	tx, store, err := s.transaction(ctx, idb.TransactionReadWrite)
	if err != nil {
		return err
	}
	if _, err := store.Clear(); err != nil {
		return mapError("delete the database", err)
	}
	if err := tx.Await(ctx); err != nil {
		return mapError("delete the database", err)
	}
	if err := s.Close(); err != nil {
		return err
	}
	req, err := idb.Global().DeleteDatabase(s.name)
	if err != nil {
		return mapError("delete the database", err)
	}
	ctx, cancel := context.WithTimeout(ctx, deleteLimit)
	defer cancel()
	if err := req.Await(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return mapError("delete the database", err)
	}
	return nil
}

// Close implements core.Store.
func (s *Store) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	return mapError("close the database", s.db.Close())
}
