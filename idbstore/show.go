//go:build js && wasm

package idbstore

import (
	"context"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"

	"github.com/strandline-sync/strandline/core/locallog"
)

// What is shown stands in meta: at a record under [stream, lsn], and the rows of a page under [stream, [name]], all of it texts. The
// script of a page reads it by itself.

func rowsKey(stream, name string) js.Value {
	return js.ValueOf([]any{stream, []any{name}})
}

// show is a request of the transaction.
func (tx *transaction) show(stream string, at locallog.Shown) error {
	_, err := tx.meta.PutKey(key(stream, at.LSN), js.ValueOf(at.Text))
	return err
}

// Show implements locallog.Store.
func (s *Store) Show(ctx context.Context, stream string, shown locallog.Shown) error {
	const op = "store what is shown"
	from, err := keysFrom(stream, shown.LSN)
	if err != nil {
		return mapError(op, err)
	}
	tx, err := s.begin(ctx, idb.TransactionReadWrite, records, meta)
	if err != nil {
		return err
	}
	defer tx.end()
	ctx = tx.ctx
	keys, err := tx.records.GetAllKeysRange(from, 1)
	if err != nil {
		return mapError(op, err)
	}
	return tx.guarded(ctx, op, keys, func() error {
		found, err := keys.Result()
		if err == nil && (len(found) == 0 || lsnOf(found[0]) != shown.LSN) {
			err = locallog.ErrLost
		}
		return err
	}, func() error {
		_, err := tx.meta.AddKey(key(stream, shown.LSN), js.ValueOf(shown.Text)) // that of a checkpoint stays
		return err
	})
}

// showCheckpoint stores what a checkpoint shows, in the place of what was shown before it. rows are those of its pages.
func (tx *transaction) showCheckpoint(stream string, c *locallog.Checkpoint, rows []js.Value) error {
	gone := []js.Value{within(stream, -1, float64(c.LSN)+1)}
	if c.Afresh {
		gone = append(gone, within(stream, []any{}, []any{[]any{}}))
	}
	for _, name := range c.Drop {
		gone = append(gone, rowsKey(stream, name))
	}
	for _, keys := range gone {
		if _, err := tx.meta.Delete(keys); err != nil {
			return err
		}
	}
	for i, text := range rows {
		if text.IsUndefined() {
			continue
		}
		if _, err := tx.meta.PutKey(rowsKey(stream, c.Pages[i].Name), text); err != nil {
			return err
		}
	}
	if c.Shown == "" {
		return nil
	}
	return tx.show(stream, locallog.Shown{LSN: c.LSN, Text: c.Shown})
}
