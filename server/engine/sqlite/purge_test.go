package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/tests/patience"
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
	rows := func(e *Engine) (n int) {
		if err := e.read.QueryRow("SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM streams)").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	patience.True(t, "the log to be buried", func() bool { return rows(e) == 0 })
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
	patience.True(t, "the rest to be buried", func() bool { return rows(e) == 0 })
}

// After a deletion and a stop nothing of what was deleted is in the directory, and the file has shrunk (S13).
func TestWhatIsDeletedIsInNoFile(t *testing.T) {
	dir := t.TempDir()
	e, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	const canary = "the canary sings"
	var entries []engine.Entry
	for range 5000 {
		entries = append(entries, engine.Entry{Raw: `"` + canary + strings.Repeat("x", 1000) + `"`})
	}
	if err := errors.Join(e.Append(t.Context(), "a", action.UUID{1}, 0, entries), e.Append(t.Context(), "b", action.UUID{2}, 0, []engine.Entry{{Raw: "{}"}})); err != nil {
		t.Fatal(err)
	}
	if err := e.UpdateData(t.Context(), func(tx engine.DataTx) error {
		d := &engine.DataStream{Name: "d", Head: 1, Tail: 16, Meta: []byte("{}")}
		return errors.Join(tx.CreateData(d), tx.AppendData(d.ID, []engine.DataEntry{{Index: 1, End: 16, Size: 16, Body: []byte(canary)}}), tx.PutUpload(d.ID, "p", engine.Upload{}, []byte(canary)), tx.RemoveData(d))
	}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.Delete(t.Context(), "a"), e.Close()); err != nil {
		t.Fatal(err)
	}
	size := int64(0)
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		size += int64(len(b))
		if n := bytes.Count(b, []byte(canary)); n > 0 {
			t.Errorf("%s holds it %d times", filepath.Base(file), n)
		}
	}
	if size > 1<<20 {
		t.Errorf("the files have %d bytes", size)
	}
}

// A request that panics has its error, and costs the others nothing (S15).
func TestAPanicCostsTheOthersNothing(t *testing.T) {
	e, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			err := e.UpdateData(t.Context(), func(tx engine.DataTx) error {
				if i%5 == 0 {
					panic("no")
				}
				return tx.CreateData(&engine.DataStream{Name: fmt.Sprint(i), Meta: []byte("{}")})
			})
			if (err != nil) != (i%5 == 0) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	all.Wait()
	n := 0
	if err := e.read.QueryRow("SELECT count(*) FROM data_streams").Scan(&n); err != nil || n != 40 {
		t.Errorf("%d streams, %v", n, err)
	}
}
