package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/strandline-sync/strandline/core"
	"github.com/strandline-sync/strandline/server"
)

// Checkpoint implements server.Engine.
func (e *Engine) Checkpoint(ctx context.Context, stream string, index uint64) (*server.Checkpoint, error) {
	c := new(server.Checkpoint)
	var epoch, sum []byte
	var chain int64
	err := e.read.QueryRowContext(ctx, `SELECT c.idx, s.epoch, c.chain, c.bytes, c.sha256, c.packed, c.owners
		FROM streams s JOIN checkpoints c ON c.stream = s.id
		WHERE s.name = ?1 AND (?2 = 0 OR c.idx = ?2) ORDER BY c.idx DESC LIMIT 1`, stream, int64(index)).
		Scan(&c.Index, &epoch, &chain, &c.Bytes, &sum, &c.Packed, &c.Owners)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a checkpoint: %w", err)
	}
	copy(c.Epoch[:], epoch)
	copy(c.SHA256[:], sum)
	c.Chain = core.Chain(chain)
	return c, nil
}

// PutCheckpoint implements server.Engine. Of the entries that go, it takes a part at a time: appends wait for it.
func (e *Engine) PutCheckpoint(_ context.Context, stream string, c *server.Checkpoint, oldest uint64) error {
	return e.submit(groupEntries, func(ctx context.Context, tx *writeTx) (conflict, err error) {
		log, err := readLog(ctx, tx, stream)
		if err != nil {
			return nil, err
		}
		if log.Head == 0 || log.Epoch != c.Epoch || c.Index == 0 || c.Index > log.Head {
			return server.ErrConflict, nil
		}
		id, err := streamID(ctx, tx, stream)
		if err != nil {
			return nil, err
		}
		var last int64
		if err := tx.QueryRowContext(ctx, "SELECT ifnull(max(idx), 0) FROM checkpoints WHERE stream = ?", id).Scan(&last); err != nil {
			return nil, err
		}
		if uint64(last) >= c.Index {
			return nil, nil
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO checkpoints (stream, idx, chain, bytes, sha256, packed, owners) VALUES (?, ?, ?, ?, ?, ?, ?)",
			id, int64(c.Index), int64(c.Chain), c.Bytes, c.SHA256[:], c.Packed, c.Owners); err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM checkpoints WHERE stream = ? AND idx < ?", id, last); err != nil {
			return nil, err
		}
		below := min(oldest, c.Index, log.Oldest+groupEntries)
		_, err = tx.ExecContext(ctx, "DELETE FROM entries WHERE stream = ? AND idx < ?", id, int64(below))
		return nil, err
	})
}

// Delete implements server.Engine.
func (e *Engine) Delete(_ context.Context, stream string) error {
	return e.submit(groupEntries, func(ctx context.Context, tx *writeTx) (conflict, err error) {
		id, err := streamID(ctx, tx, stream)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		for _, query := range [...]string{"DELETE FROM entries WHERE stream = ?", "DELETE FROM checkpoints WHERE stream = ?", "DELETE FROM streams WHERE id = ?"} {
			if err == nil {
				_, err = tx.ExecContext(ctx, query, id)
			}
		}
		return nil, err
	})
}
