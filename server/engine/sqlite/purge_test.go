package sqlite

import (
	"context"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// A log that has the id of a deleted one loses nothing to what is still being purged of that; a deletion that was interrupted ends when
// the engine is opened again.
func TestPurgeKeepsToItsLog(t *testing.T) {
	dir := t.TempDir()
	open := func() *Engine {
		t.Helper()
		e, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	write := func(e *Engine, stream string, epoch action.UUID) (id int64) {
		t.Helper()
		err := e.Append(t.Context(), stream, epoch, 0, []engine.Entry{{Raw: "{}"}, {Raw: "{}"}})
		if err == nil {
			id, err = streamID(t.Context(), e.read, stream)
		}
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	old, anew := action.UUID{1}, action.UUID{2}
	e := open()
	was := write(e, "a", old)
	if err := e.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if id := write(e, "b", anew); id != was {
		t.Fatalf("the id %d is not used again: %d", was, id)
	}
	if err := e.purge(was, old[:], 100); err != nil {
		t.Fatal(err)
	}
	if log, err := e.Log(t.Context(), "b"); err != nil || log.Head != 2 || log.Oldest != 1 {
		t.Fatalf("%+v, %v", log, err)
	}
	rename := func(ctx context.Context, tx *writeTx) (conflict, err error) {
		_, err = tx.ExecContext(ctx, "UPDATE streams SET name = ? || id WHERE id = ?", deletedNames, was)
		return nil, err
	}
	if err := e.submit(1, rename); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = open()
	defer e.Close()
	left := -1
	if err := e.read.QueryRow("SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM streams)").Scan(&left); err != nil || left != 0 {
		t.Fatalf("%d rows are left, %v", left, err)
	}
}
