//go:build js && wasm

package idbstore

import (
	"context"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
)

// transaction is one under way, over both object stores. Its records are under [stream, lsn], which are arrays; in meta
// stand the manifests under [stream], the pages under [stream, name], and what is shown (show.go).
type transaction struct {
	*idb.Transaction
	records, meta *idb.ObjectStore
	store         *Store
	ctx           context.Context // its limit; a cancelled Await gives no error
	cancel        func()
}

// aborter is what a page that is frozen must let go of.
type aborter interface{ Abort() error }

var errFrozen = &action.Error{Code: action.CodeStorage, Message: "the page is frozen"}

// begin begins a transaction over the given object stores; a connection that the browser has closed is opened again, once.
func (s *Store) begin(ctx context.Context, mode idb.TransactionMode, stores ...string) (*transaction, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	options := idb.TransactionOptions{Mode: mode}
	if mode == idb.TransactionReadWrite {
		options.Durability = s.durability
	}
	db := s.db
	tx, err := db.TransactionWithOptions(options, stores[0], stores[1:]...)
	if err != nil {
		if err := s.reopen(ctx, db); err != nil {
			return nil, err
		}
		if tx, err = s.db.TransactionWithOptions(options, stores[0], stores[1:]...); err != nil {
			return nil, mapError("begin a transaction", err)
		}
	}
	t := &transaction{Transaction: tx, store: s}
	t.ctx, t.cancel = context.WithTimeout(ctx, s.answer)
	for _, name := range stores {
		store, err := tx.ObjectStore(name)
		if err != nil {
			return nil, mapError("begin a transaction", err)
		}
		if name == records {
			t.records = store
		} else {
			t.meta = store
		}
	}
	s.live[t] = true
	return t, nil
}

// end forgets a transaction of which nothing more is waited for.
func (tx *transaction) end() {
	if tx.ctx.Err() != nil { // its guards are asked by nobody any more
		_ = tx.Abort()
	}
	tx.cancel()
	delete(tx.store.live, tx)
}

func key(stream string, lsn locallog.LSN) js.Value {
	return js.ValueOf([]any{stream, float64(lsn)})
}

func manifestKey(stream string) js.Value { return js.ValueOf([]any{stream}) }

func pageKey(stream, name string) js.Value { return js.ValueOf([]any{stream, name}) }

func toJS(b []byte) js.Value {
	value := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(value, b)
	return value
}

// toGo copies the bytes of an answer out; a key that is not there gives nil.
func toGo(req *idb.Request) ([]byte, error) {
	value, err := req.Result()
	if err != nil || value.IsUndefined() {
		return nil, err
	}
	return bytesOf(value)
}

func bytesOf(value js.Value) ([]byte, error) {
	if value.Type() != js.TypeObject || value.Get("byteLength").Type() != js.TypeNumber {
		return nil, &action.Error{Code: action.CodeCorrupt, Message: "what is stored is no bytes"}
	}
	array := js.Global().Get("Uint8Array")
	if !value.InstanceOf(array) { // a frame's
		value = array.New(value.Get("buffer"), value.Get("byteOffset"), value.Get("byteLength"))
	}
	b := make([]byte, value.Get("byteLength").Int())
	js.CopyBytesToGo(b, value)
	return b, nil
}

// keysFrom is the range of a stream's keys from an lsn on: arrays sort after numbers.
func keysFrom(stream string, lsn locallog.LSN) (*idb.KeyRange, error) {
	return idb.NewKeyRangeBound(key(stream, lsn), js.ValueOf([]any{stream, []any{}}), false, true)
}

// listener is what guarded waits for.
type listener interface {
	ListenSuccess(ctx context.Context, success func()) error
}

// guarded issues the writes right behind a read, and takes them back unless what was read allows them.
//
// Await gives nil after an Abort from a callback: what the callback saw is looked at first.
func (tx *transaction) guarded(ctx context.Context, op string, read listener, allowed func() error, write func() error) error {
	seen, refusal := false, error(nil)
	if err := read.ListenSuccess(ctx, func() {
		seen = true
		if refusal = allowed(); refusal != nil {
			_ = tx.Abort()
		}
	}); err != nil {
		return mapError(op, err)
	}
	writeErr := write()
	if writeErr != nil {
		_ = tx.Abort() // what was issued before must not stand alone
	}
	err := tx.Await(ctx)
	switch {
	case refusal != nil:
		return refusal
	case writeErr != nil:
		return mapError(op, writeErr)
	case err != nil && domName(err) == "ConstraintError":
		return locallog.ErrLost
	case err != nil:
		return mapError(op, err)
	case !seen:
		return &action.Error{Code: action.CodeStorage, Message: op + ": the transaction ended unseen"}
	}
	return nil
}

// answered waits for a request. The result of one that has no answer must not be asked for: that throws where nothing catches.
func answered(ctx context.Context, req *idb.Request) error {
	_, err := req.Await(ctx)
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// values reads n values: all are asked for, then the last one is waited for. The transaction lives on if it is used at once.
func (tx *transaction) values(ctx context.Context, store *idb.ObjectStore, n int, key func(i int) (js.Value, error)) ([][]byte, error) {
	requests := make([]*idb.Request, n)
	for i := range n {
		k, err := key(i)
		if err != nil {
			return nil, err
		}
		if requests[i], err = store.Get(k); err != nil {
			return nil, err
		}
	}
	if err := answered(ctx, requests[n-1]); err != nil {
		return nil, err
	}
	out := make([][]byte, n)
	for i, req := range requests {
		var err error
		if out[i], err = toGo(req); err != nil {
			return nil, err
		}
	}
	return out, nil
}
