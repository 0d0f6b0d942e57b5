package sqlite

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/google/uuid"
	"github.com/klauspost/compress/gzip"

	"github.com/strandline-sync/strandline/core/action"
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
		text, err := gunzip(b)
		if err != nil { // it was damaged before: whoever folds the log finds that out, and has the one before it, or the entries
			slog.Error("a checkpoint is damaged", "index", index, "error", err)
			continue
		}
		head, rest, _ := bytes.Cut(text, []byte("\n"))
		head = bytes.Replace(head, []byte(`"epoch":"`+old.String()+`"`), []byte(`"epoch":"`+epoch.String()+`"`), 1)
		text = append(append(bytes.Clone(head), '\n'), rest...)
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		w.Write(text) // a bytes.Buffer takes all
		w.Close()
		sum := sha256.Sum256(text)
		if _, err := tx.Exec("UPDATE checkpoints SET bytes = ?, sha256 = ?, packed = ? WHERE stream = ? AND idx = ?", len(text), sum[:], out.Bytes(), stream, index); err != nil {
			return err
		}
	}
	return nil
}

func gunzip(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
