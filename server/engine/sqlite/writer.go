package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// request is a write that waits for its commit. conflict is its own refusal; err is the whole commit's.
type request struct {
	entries int
	do      func(ctx context.Context, tx *writeTx) (conflict, err error)
	alone   func() error // in the place of do: it has the connection to itself, and no transaction
	result  chan error
}

// writeTx is a transaction under way.
type writeTx struct {
	*sql.Tx
	insert    *sql.Stmt // of an entry
	deletions []deletion
	uses      map[string]*engine.Use // what is added to them
	rows      int                    // that were written
	bytes     int
}

// groupEntries and groupBytes bound one commit, so that no appender waits for a very long one.
const (
	groupEntries = 10_000
	groupBytes   = 8 << 20
)

// Append implements engine.Engine.
func (e *Engine) Append(_ context.Context, stream string, epoch action.UUID, expect uint64, entries []engine.Entry) error {
	return e.submit(len(entries), func(ctx context.Context, tx *writeTx) (conflict, err error) {
		return appendEntries(ctx, tx, stream, epoch, expect, entries)
	})
}

// submit waits until a commit holds what do writes. What was queued is decided; whether the asker still listens does not matter.
func (e *Engine) submit(entries int, do func(ctx context.Context, tx *writeTx) (conflict, err error)) error {
	return e.queued(&request{entries: entries, do: do, result: make(chan error, 1)})
}

func (e *Engine) queued(r *request) error {
	if e.Frozen != nil {
		return fmt.Errorf("write: %w", e.Frozen)
	}
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
		var group []*request
		var alone *request
		n := 0
		add := func(r *request) {
			if r.alone != nil {
				alone = r
				return
			}
			group = append(group, r)
			n += r.entries
		}
		add(r)
	gather:
		for n < groupEntries && alone == nil {
			select {
			case r, ok := <-e.queue:
				if !ok {
					break gather
				}
				add(r)
			default:
				break gather
			}
		}
		for len(group) > 0 {
			group = group[e.commit(group):]
		}
		if alone != nil {
			alone.result <- alone.alone()
		}
		if e.written >= walBytes {
			e.written = 0
			if err := e.checkpointWAL(); err != nil { // it grows, and is tried again later
				slog.Error("the engine: what runs in the background failed", "error", err)
			}
		}
	}
}

// commit writes requests in one transaction, as many of them as make a commit of a bounded size, and answers them; it gives how many they were.
func (e *Engine) commit(group []*request) int {
	errs, err := e.try(group)
	var broken *panicked
	if errors.As(err, &broken) { // its own fault: the others have their commit without it
		r := group[broken.at]
		r.result <- fmt.Errorf("write: %w", err)
		copy(group[1:broken.at+1], group[:broken.at])
		group[0] = r
		return 1
	}
	if err != nil {
		for _, r := range group {
			r.result <- fmt.Errorf("write: %w", err)
		}
		return len(group)
	}
	for i, err := range errs {
		group[i].result <- err
	}
	return len(errs)
}

// panicked is what a request did, at its place in the group.
type panicked struct {
	at   int
	what any
}

func (p *panicked) Error() string { return fmt.Sprintf("it panicked: %v", p.what) }

// try makes the transaction of the first requests. A conflict is one request's own; any other error is everybody's.
func (e *Engine) try(group []*request) (errs []error, err error) {
	ctx := context.Background()
	tx, err := e.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	at := 0
	defer func() {
		if what := recover(); what != nil {
			errs, err = nil, &panicked{at, what}
		}
	}()
	insert, err := tx.Prepare("INSERT INTO entries (stream, idx, stored, by, chain, body) VALUES (?, ?, ?, ?, ?, ?)")
	if err != nil {
		return nil, err
	}
	defer insert.Close()
	w := &writeTx{Tx: tx, insert: insert}
	for ; at < len(group) && w.rows < groupEntries && w.bytes < groupBytes; at++ {
		conflict, err := group[at].do(ctx, w)
		if err != nil {
			return nil, err
		}
		errs = append(errs, conflict)
	}
	if err := w.account(ctx); err != nil {
		return nil, err
	}
	if len(w.deletions) > 0 {
		if err := e.note(w.deletions); err != nil {
			return nil, err
		}
	}
	e.written += 4096 + w.bytes + 200*w.rows
	if err := tx.Commit(); err != nil {
		for i := range w.deletions {
			w.deletions[i].Not = true
		}
		if len(w.deletions) > 0 {
			err = errors.Join(err, e.note(w.deletions))
		}
		return nil, err
	}
	return errs, nil
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
		if _, err := tx.ExecContext(ctx, `INSERT INTO streams (name, epoch, by) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, by = excluded.by`, stream, epoch[:], entries[0].By); err != nil {
			return nil, err
		}
		tx.use(entries[0].By).Streams++
	}
	id, err := streamID(ctx, tx, stream)
	if err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE streams SET head = ? WHERE id = ?", int64(expect)+int64(len(entries)), id); err != nil {
		return nil, err
	}
	tx.rows += len(entries)
	for i, en := range entries {
		tx.bytes += len(en.Raw)
		tx.use(en.By).Bytes += int64(len(en.Raw))
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
