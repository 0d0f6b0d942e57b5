package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/strandline-sync/strandline/core/action"
)

// Claim implements engine.Engine. Only the first claim is a write.
func (e *Engine) Claim(ctx context.Context, client action.UUID, principal string) (owner string, err error) {
	err = e.read.QueryRowContext(ctx, "SELECT by FROM clients WHERE id = ?", client[:]).Scan(&owner)
	if err == nil {
		return owner, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("whose a client is: %w", err)
	}
	err = e.submit(1, func(ctx context.Context, tx *writeTx) (conflict, err error) {
		if _, err := tx.ExecContext(ctx, "INSERT INTO clients (id, by) VALUES (?, ?) ON CONFLICT (id) DO NOTHING", client[:], principal); err != nil {
			return nil, err
		}
		return nil, tx.QueryRowContext(ctx, "SELECT by FROM clients WHERE id = ?", client[:]).Scan(&owner)
	})
	return owner, err
}
