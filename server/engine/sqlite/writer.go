package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// request is a write that waits for its commit. conflict is its own refusal; err is the whole commit's.
type request struct {
	entries int
	do      func(ctx context.Context, tx *writeTx) (conflict, err error)
	result  chan error
}

// writeTx is a transaction under way.
type writeTx struct {
	*sql.Tx
	insert *sql.Stmt // of an entry
}

// groupEntries bounds one commit, so that no appender waits for a very long one.
const groupEntries = 20_000

// Append implements engine.Engine.
func (e *Engine) Append(_ context.Context, stream string, epoch action.UUID, expect uint64, entries []engine.Entry) error {
	return e.submit(len(entries), func(ctx context.Context, tx *writeTx) (conflict, err error) {
		return appendEntries(ctx, tx, stream, epoch, expect, entries)
	})
}

// submit waits until a commit holds what do writes. What was queued is decided; whether the asker still listens does not matter.
func (e *Engine) submit(entries int, do func(ctx context.Context, tx *writeTx) (conflict, err error)) error {
	r := &request{entries: entries, do: do, result: make(chan error, 1)}
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return engine.ErrClosed
	}
	select {
	case e.queue <- r:
		e.mu.Unlock()
	default:
		e.mu.Unlock()
		return fmt.Errorf("write: too many writes wait")
	}
	return <-r.result
}

// writer commits what waits, together, until the queue is closed.
func (e *Engine) writer() {
	defer close(e.done)
	for r := range e.queue {
		group, n := []*request{r}, r.entries
	gather:
		for n < groupEntries {
			select {
			case r, ok := <-e.queue:
				if !ok {
					break gather
				}
				group = append(group, r)
				n += r.entries
			default:
				break gather
			}
		}
		errs, err := e.commit(group)
		for i, r := range group {
			if err != nil {
				r.result <- fmt.Errorf("write: %w", err)
			} else {
				r.result <- errs[i]
			}
		}
	}
}

// commit writes a group in one transaction. A conflict is one request's own; any other error is everybody's.
func (e *Engine) commit(group []*request) ([]error, error) {
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
		if errs[i], err = r.do(ctx, &writeTx{tx, insert}); err != nil {
			return nil, err
		}
	}
	return errs, tx.Commit()
}

func appendEntries(ctx context.Context, tx *writeTx, stream string, epoch action.UUID, expect uint64, entries []engine.Entry) (conflict, err error) {
	log, err := readLog(ctx, tx, stream)
	if err != nil {
		return nil, err
	}
	if log.Head != expect || expect > 0 && log.Epoch != epoch {
		return engine.ErrConflict, nil
	}
	if len(entries) == 0 {
		return nil, nil
	}
	if log.Head == 0 {
		if _, err := tx.ExecContext(ctx, `INSERT INTO streams (name, epoch) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch`, stream, epoch[:]); err != nil {
			return nil, err
		}
	}
	id, err := streamID(ctx, tx, stream)
	if err != nil {
		return nil, err
	}
	for i, en := range entries {
		if _, err := tx.insert.ExecContext(ctx, id, int64(expect)+1+int64(i), en.Stored, en.By, int64(en.Chain), en.Raw); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func streamID(ctx context.Context, q querier, stream string) (id int64, err error) {
	err = q.QueryRowContext(ctx, "SELECT id FROM streams WHERE name = ?", stream).Scan(&id)
	return id, err
}
