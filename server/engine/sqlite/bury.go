package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/strandline-sync/strandline/server/engine"
)

// What was deleted leaves its name at once; its rows follow in commits of their own, a few each, between those of others: appends wait for a commit.
// What a crash has interrupted goes on at the next start. Pages are overwritten with zeros as they come free (secure_delete), and given back to the
// disk.

const (
	buryRows  = 256             // of one commit
	buryParts = 4               // the same of what has up to 4 MiB each
	closeWait = 5 * time.Second // for how long Close waits for what is not gone yet
)

// bury has what was deleted taken away in the background.
func (e *Engine) bury() {
	select {
	case e.dead <- struct{}{}:
	default: // it will be seen
	}
}

// digger buries until the engine closes, and then what is left, for a while.
func (e *Engine) digger() {
	defer close(e.dug)
	late := make(chan time.Time)
	go func() {
		<-e.closing
		time.Sleep(closeWait)
		close(late)
	}()
	for {
		select {
		case <-e.dead:
			e.buryAll(late)
		case <-e.closing:
			e.buryAll(late)
			return
		}
	}
}

// errLate ends what is left to the next start.
var errLate = errors.New("there is no time left")

// buryAll takes away all that was deleted. What fails is tried again at the next deletion, or start.
func (e *Engine) buryAll(late <-chan time.Time) {
	err := e.buryLogs(late)
	if err == nil {
		err = e.buryData(late)
	}
	if err == nil {
		err = e.buryUploads(late)
	}
	if err == nil {
		err = e.shrink(late)
	}
	if err != nil && !errors.Is(err, engine.ErrClosed) && !errors.Is(err, errLate) {
		slog.Error("the engine: what runs in the background failed", "error", err)
	}
}

// pieces runs a statement that takes a few rows away until it takes fewer.
func (e *Engine) pieces(late <-chan time.Time, most int64, query string, args ...any) error {
	for more := true; more; {
		select {
		case <-late:
			return errLate
		default:
		}
		err := e.submit(int(most), func(ctx context.Context, tx *writeTx) (conflict, err error) {
			done, err := tx.ExecContext(ctx, query, append(args, most)...)
			if err != nil {
				return nil, err
			}
			n, err := done.RowsAffected()
			more = n == most
			return nil, err
		})
		if err != nil {
			return fmt.Errorf("take away what was deleted: %w", err)
		}
	}
	return nil
}

// deletedIDs lists rows of a table whose names say that they were deleted.
func (e *Engine) deletedIDs(table string) ([]int64, error) {
	return column[int64](context.Background(), e.read, "SELECT id FROM "+table+" WHERE name >= ? AND name < ?", deletedNames, "\x01")
}

func (e *Engine) buryLogs(late <-chan time.Time) error {
	ids, err := e.deletedIDs("streams")
	for _, id := range ids {
		for _, query := range []string{
			"DELETE FROM entries WHERE stream = ?1 AND idx IN (SELECT idx FROM entries WHERE stream = ?1 ORDER BY idx LIMIT ?2)",
			"DELETE FROM streams WHERE id = ?1 AND ?2 > 0 AND NOT EXISTS (SELECT 1 FROM entries WHERE stream = ?1)",
		} {
			if err := e.pieces(late, buryRows, query, id); err != nil {
				return err
			}
		}
	}
	return err
}

func (e *Engine) buryData(late <-chan time.Time) error {
	ids, err := e.deletedIDs("data_streams")
	for _, id := range ids {
		if err := e.submit(1, func(ctx context.Context, tx *writeTx) (conflict, err error) {
			_, err = tx.ExecContext(ctx, "UPDATE data_uploads SET stream = 0, producer = id WHERE stream = ?", id)
			return nil, err
		}); err != nil {
			return err
		}
		if err := e.pieces(late, buryParts, "DELETE FROM data_parts WHERE (upload, end) IN (SELECT upload, end FROM data_parts WHERE upload IN (SELECT upload FROM data_entries WHERE stream = ?1 AND upload <> 0) LIMIT ?2)", id); err != nil {
			return err
		}
		for _, query := range []string{
			"DELETE FROM data_entries WHERE stream = ?1 AND idx IN (SELECT idx FROM data_entries WHERE stream = ?1 LIMIT ?2)",
			"DELETE FROM data_producers WHERE stream = ?1 AND name IN (SELECT name FROM data_producers WHERE stream = ?1 LIMIT ?2)",
			"DELETE FROM data_streams WHERE id = ?1 AND ?2 > 0",
		} {
			if err := e.pieces(late, buryRows, query, id); err != nil {
				return err
			}
		}
	}
	return err
}

// buryUploads takes away those that belong to no stream any more.
func (e *Engine) buryUploads(late <-chan time.Time) error {
	if err := e.pieces(late, buryParts, "DELETE FROM data_parts WHERE (upload, end) IN (SELECT p.upload, p.end FROM data_uploads u JOIN data_parts p ON p.upload = u.id WHERE u.stream = 0 LIMIT ?1)"); err != nil {
		return err
	}
	return e.pieces(late, buryRows, "DELETE FROM data_uploads WHERE id IN (SELECT id FROM data_uploads WHERE stream = 0 AND NOT EXISTS (SELECT 1 FROM data_parts WHERE upload = data_uploads.id) LIMIT ?1)")
}

// shrink gives free pages back, in parts.
func (e *Engine) shrink(late <-chan time.Time) error {
	const pages, few = 256, 32 // of one commit; that are left for what comes next
	for {
		select {
		case <-late:
			return errLate
		default:
		}
		var free int
		if err := e.submit(pages, func(ctx context.Context, tx *writeTx) (conflict, err error) {
			if err := tx.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&free); err != nil || free < few {
				return nil, err
			}
			var mode int
			if err := tx.QueryRowContext(ctx, "PRAGMA auto_vacuum").Scan(&mode); err != nil || mode != 2 {
				free = 0 // a database of an earlier version: a backup of it is small
				return nil, err
			}
			rows, err := tx.QueryContext(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", pages))
			if err != nil {
				return nil, err
			}
			for rows.Next() {
			}
			return nil, errors.Join(rows.Err(), rows.Close())
		}); err != nil || free < few+pages {
			return err
		}
	}
}
