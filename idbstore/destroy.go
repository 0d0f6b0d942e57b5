//go:build js && wasm

package idbstore

import (
	"context"
	"errors"
	"maps"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"

	"github.com/strandline-sync/strandline/core/locallog"
)

// Destroy implements locallog.Store. The records go first, in a transaction: a context that cannot let go of its connection now
// finds them gone, whenever the browser gets to delete the database itself.
func (s *Store) Destroy(ctx context.Context, next map[string]locallog.LSN) error {
	const op = "delete the database"
	tx, err := s.begin(ctx, idb.TransactionReadWrite, records, meta)
	if err != nil {
		return err
	}
	defer tx.end()
	ctx = tx.ctx
	keys, err := tx.records.GetAllKeys()
	if err != nil {
		return mapError(op, err)
	}
	if err := tx.guarded(ctx, op, keys, func() error {
		found, err := keys.Result()
		if err != nil || next == nil {
			return err
		}
		return mayDestroy(found, next)
	}, func() error {
		if _, err := tx.records.Clear(); err != nil {
			return err
		}
		_, err := tx.meta.Clear()
		return err
	}); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	req, err := s.factory.DeleteDatabase(s.name)
	if err != nil {
		return mapError(op, err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deleteLimit)
	defer cancel()
	if err := req.Await(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return mapError(op, err)
	}
	return nil
}

// mayDestroy looks at the keys of all records: the last one of each stream must be the one before the next.
func mayDestroy(found []js.Value, next map[string]locallog.LSN) error {
	there := map[string]locallog.LSN{}
	for _, k := range found {
		there[k.Index(0).String()] = lsnOf(k) + 1
	}
	if !maps.Equal(there, next) {
		return locallog.ErrLost
	}
	return nil
}
