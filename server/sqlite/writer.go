package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/strandline-sync/strandline/core"
	"github.com/strandline-sync/strandline/server"
)

type appendRequest struct {
	stream  string
	epoch   core.UUID
	expect  uint64
	entries []server.Entry
	result  chan error
}

// groupEntries bounds one commit, so that no appender waits for a very long one.
const groupEntries = 20_000

// Append implements server.Engine.
func (e *Engine) Append(ctx context.Context, stream string, epoch core.UUID, expect uint64, entries []server.Entry) error {
	r := &appendRequest{stream: stream, epoch: epoch, expect: expect, entries: entries, result: make(chan error, 1)}
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return server.ErrClosed
	}
	select {
	case e.queue <- r:
		e.mu.Unlock()
	default:
		e.mu.Unlock()
		return fmt.Errorf("append to %s: too many appends wait", stream)
	}
	return <-r.result // what was queued is decided; whether the asker still listens does not matter
}

// writer commits what waits, together, until the queue is closed.
func (e *Engine) writer() {
	defer close(e.done)
	for r := range e.queue {
		group, n := []*appendRequest{r}, len(r.entries)
	gather:
		for n < groupEntries {
			select {
			case r, ok := <-e.queue:
				if !ok {
					break gather
				}
				group = append(group, r)
				n += len(r.entries)
			default:
				break gather
			}
		}
		errs, err := e.commit(group)
		for i, r := range group {
			if err != nil {
				r.result <- fmt.Errorf("append to %s: %w", r.stream, err)
			} else {
				r.result <- errs[i]
			}
		}
	}
}

// commit writes a group in one transaction. A conflict is one request's own; any other error is everybody's.
func (e *Engine) commit(group []*appendRequest) ([]error, error) {
	ctx := context.Background()
	tx, err := e.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	insert, err := tx.Prepare("INSERT INTO entries (stream, idx, stored, by, chain, body) VALUES (?, ?, ?, ?, ?, ?)")
	if err != nil {
		return nil, err
	}
	defer insert.Close()
	errs := make([]error, len(group))
	for i, r := range group {
		if errs[i], err = write(ctx, tx, insert, r); err != nil {
			return nil, err
		}
	}
	return errs, tx.Commit()
}

func write(ctx context.Context, tx *sql.Tx, insert *sql.Stmt, r *appendRequest) (conflict, err error) {
	log, err := readLog(ctx, tx, r.stream)
	if err != nil {
		return nil, err
	}
	if log.Head != r.expect || r.expect > 0 && log.Epoch != r.epoch {
		return server.ErrConflict, nil
	}
	if len(r.entries) == 0 {
		return nil, nil
	}
	if log.Head == 0 {
		if _, err := tx.ExecContext(ctx, `INSERT INTO streams (name, epoch) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch`, r.stream, r.epoch[:]); err != nil {
			return nil, err
		}
	}
	var id int64
	if err := tx.QueryRowContext(ctx, "SELECT id FROM streams WHERE name = ?", r.stream).Scan(&id); err != nil {
		return nil, err
	}
	for i, en := range r.entries {
		if _, err := insert.ExecContext(ctx, id, int64(r.expect)+1+int64(i), en.Stored, en.By, int64(en.Chain), en.Raw); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
