package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// Checkpoint implements engine.Engine.
func (e *Engine) Checkpoint(ctx context.Context, stream string, index uint64) (*engine.Checkpoint, error) {
	c := new(engine.Checkpoint)
	var epoch, sum []byte
	var chain int64
	err := e.read.QueryRowContext(ctx, `SELECT c.idx, s.epoch, c.chain, c.bytes, c.sha256, c.packed, c.owners, c.leases
		FROM streams s JOIN checkpoints c ON c.stream = s.id
		WHERE s.name = ?1 AND (?2 = 0 OR c.idx = ?2) ORDER BY c.idx DESC LIMIT 1`, stream, int64(index)).
		Scan(&c.Index, &epoch, &chain, &c.Bytes, &sum, &c.Packed, &c.Owners, &c.Leases)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a checkpoint: %w", err)
	}
	copy(c.Epoch[:], epoch)
	copy(c.SHA256[:], sum)
	c.Chain = action.Chain(chain)
	return c, nil
}

// Checkpoints implements engine.Engine.
func (e *Engine) Checkpoints(ctx context.Context, stream string) (indexes []uint64, err error) {
	rows, err := e.read.QueryContext(ctx, "SELECT idx FROM checkpoints WHERE stream = (SELECT id FROM streams WHERE name = ?) ORDER BY idx DESC", stream)
	if err != nil {
		return nil, fmt.Errorf("list checkpoints: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var index uint64
		if err := rows.Scan(&index); err != nil {
			return nil, fmt.Errorf("list checkpoints: %w", err)
		}
		indexes = append(indexes, index)
	}
	return indexes, rows.Err()
}

// PutCheckpoint implements engine.Engine. The entries that go, go in parts, a commit each: appends wait for a commit.
func (e *Engine) PutCheckpoint(_ context.Context, stream string, c *engine.Checkpoint, oldest uint64) error {
	var id int64
	stands := false
	err := e.submit(groupEntries, func(ctx context.Context, tx *writeTx) (conflict, err error) {
		log, err := readLog(ctx, tx, stream)
		if err != nil {
			return nil, err
		}
		if log.Head == 0 || log.Epoch != c.Epoch || c.Index == 0 || c.Index > log.Head {
			return engine.ErrConflict, nil
		}
		if id, err = streamID(ctx, tx, stream); err != nil {
			return nil, err
		}
		var last int64
		if err := tx.QueryRowContext(ctx, "SELECT ifnull(max(idx), 0) FROM checkpoints WHERE stream = ?", id).Scan(&last); err != nil {
			return nil, err
		}
		if stands = true; uint64(last) >= c.Index {
			return nil, nil
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO checkpoints (stream, idx, chain, bytes, sha256, packed, owners, leases) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			id, int64(c.Index), int64(c.Chain), c.Bytes, c.SHA256[:], c.Packed, c.Owners, c.Leases); err != nil {
			return nil, err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM checkpoints WHERE stream = ? AND idx < ?", id, last)
		return nil, err
	})
	if err != nil || !stands {
		return err
	}
	return e.purge(id, c.Epoch[:], min(oldest, c.Index))
}

// purge deletes a log's entries below an index, in parts. The log may be deleted meanwhile, and its id be another one's by then: the
// epoch tells them apart.
func (e *Engine) purge(id int64, epoch []byte, below uint64) error {
	for more := true; more; {
		err := e.submit(groupEntries, func(ctx context.Context, tx *writeTx) (conflict, err error) {
			done, err := tx.ExecContext(ctx, "DELETE FROM entries WHERE stream = ?1 AND idx < min(?2, (SELECT min(idx) FROM entries WHERE stream = ?1) + ?3) AND (SELECT epoch FROM streams WHERE id = ?1) = ?4",
				id, int64(below), groupEntries, epoch)
			if err != nil {
				return nil, err
			}
			n, err := done.RowsAffected()
			more = n > 0
			return nil, err
		})
		if err != nil {
			return fmt.Errorf("purge: %w", err)
		}
	}
	return nil
}

// Deleted implements engine.Engine.
func (e *Engine) Deleted(ctx context.Context, epoch action.UUID) (is bool, err error) {
	err = e.read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM deleted WHERE epoch = ?)", epoch[:]).Scan(&is)
	return is, err
}

// A deleted stream whose entries are not all gone yet has a name that no stream can have.
const deletedNames = "\x00deleted/"

// Delete implements engine.Engine: one commit takes the log away, and its entries follow in parts, while others write.
func (e *Engine) Delete(_ context.Context, stream string) error {
	var id int64
	err := e.submit(1, func(ctx context.Context, tx *writeTx) (conflict, err error) {
		var epoch []byte
		var by string
		err = tx.QueryRowContext(ctx, "SELECT id, epoch, by FROM streams WHERE name = ?", stream).Scan(&id, &epoch, &by)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		if err == nil {
			tx.use(by).Streams--
			tx.deletions = append(tx.deletions, deletion{Log: action.UUID(epoch).String()})
			_, err = tx.ExecContext(ctx, "INSERT INTO deleted (epoch, at) SELECT epoch, unixepoch() FROM epochs WHERE stream = ?1 UNION SELECT epoch, unixepoch() FROM streams WHERE id = ?1 ON CONFLICT DO NOTHING", id)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM epochs WHERE stream = ?", id)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM checkpoints WHERE stream = ?", id)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, "UPDATE streams SET name = ? || id WHERE id = ?", deletedNames, id)
		}
		return nil, err
	})
	if err == nil && id != 0 {
		e.bury()
	}
	return err
}
