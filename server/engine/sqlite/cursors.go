package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
)

// Cursor implements engine.Engine.
func (e *Engine) Cursor(ctx context.Context, consumer, stream string) (cursor []byte, err error) {
	sum := sha256.Sum256([]byte(stream))
	err = e.read.QueryRowContext(ctx, "SELECT at FROM cursors WHERE consumer = ? AND stream = ?", consumer, sum[:]).Scan(&cursor)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return cursor, err
}

// PutCursor implements engine.Engine.
func (e *Engine) PutCursor(_ context.Context, consumer, stream string, cursor []byte) error {
	sum := sha256.Sum256([]byte(stream))
	return e.submit(1, func(ctx context.Context, tx *writeTx) (conflict, err error) {
		_, err = tx.ExecContext(ctx, "INSERT INTO cursors (consumer, stream, at) VALUES (?, ?, ?) ON CONFLICT (consumer, stream) DO UPDATE SET at = excluded.at", consumer, sum[:], cursor)
		return nil, err
	})
}
