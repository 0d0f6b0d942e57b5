package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/google/uuid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// renew makes other logs of those that are there: each gets a new epoch, and remembers the one it had; data streams get offsets of a new generation.
func (e *Engine) renew() error {
	tx, err := e.write.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	type log struct {
		id    int64
		epoch []byte
	}
	var logs []log
	rows, err := tx.Query("SELECT id, epoch FROM streams WHERE name >= char(1)")
	if err != nil {
		return err
	}
	for rows.Next() {
		var l log
		if err := rows.Scan(&l.id, &l.epoch); err != nil {
			rows.Close()
			return err
		}
		logs = append(logs, l)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, l := range logs {
		epoch := action.UUID(uuid.Must(uuid.NewV7()))
		if _, err := tx.Exec("INSERT INTO epochs (epoch, stream) VALUES (?, ?) ON CONFLICT DO NOTHING", l.epoch, l.id); err != nil {
			return err
		}
		if _, err := tx.Exec("UPDATE streams SET epoch = ? WHERE id = ?", epoch[:], l.id); err != nil {
			return err
		}
		if err := renewCheckpoints(tx, l.id, action.UUID(l.epoch), epoch); err != nil {
			return err
		}
	}
	generation := e.generation + 1
	if err := putMeta(tx, "generation", fmt.Sprint(generation)); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	e.generation = generation
	return nil
}

// renewCheckpoints has a log's checkpoints say its new epoch, which stands in their first line.
func renewCheckpoints(tx *sql.Tx, stream int64, old, epoch action.UUID) error {
	rows, err := tx.Query("SELECT idx, packed FROM checkpoints WHERE stream = ?", stream)
	if err != nil {
		return err
	}
	packed := map[int64][]byte{}
	for rows.Next() {
		var index int64
		var b []byte
		if err := rows.Scan(&index, &b); err != nil {
			rows.Close()
			return err
		}
		packed[index] = b
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for index, b := range packed {
		c := engine.Checkpoint{Packed: b, Epoch: old}
		if err := c.Renew(epoch); err != nil { // it was damaged before: whoever folds the log finds that out, and has the one before it, or the entries
			slog.Error("a checkpoint is damaged", "index", index, "error", err)
			continue
		}
		if _, err := tx.Exec("UPDATE checkpoints SET bytes = ?, sha256 = ?, packed = ? WHERE stream = ? AND idx = ?", int64(c.Bytes), c.SHA256[:], c.Packed, stream, index); err != nil {
			return err
		}
	}
	return nil
}
