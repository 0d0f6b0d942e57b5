package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// killed copies a data directory as it is between two commits, as if its process had been killed.
func killed(t *testing.T, e *Engine) string {
	t.Helper()
	dir := e.dir
	for range 2 { // what follows the last commit is done before the next one
		if err := e.submit(1, func(context.Context, *writeTx) (conflict, err error) { return nil, nil }); err != nil {
			t.Fatal(err)
		}
	}
	to := t.TempDir()
	for _, name := range []string{"strandline.db", "strandline.db-wal", instanceFile, deletionsFile} {
		if err := copyFile(filepath.Join(dir, name), filepath.Join(to, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return to
}

func opened(t *testing.T, dir string) *Engine {
	t.Helper()
	e, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// add appends an entry with its chain.
func add(t *testing.T, e *Engine, stream string, n int) {
	t.Helper()
	log, err := e.Log(t.Context(), stream)
	epoch := log.Epoch
	if log.Head == 0 {
		epoch = action.UUID{1, byte(len(stream))}
	}
	var entries []engine.Entry
	for range n {
		log.Chain = log.Chain.Next(`{"n":1}`)
		entries = append(entries, engine.Entry{Chain: log.Chain, Raw: `{"n":1}`})
	}
	if err := errors.Join(err, e.Append(t.Context(), stream, epoch, log.Head, entries)); err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, e *Engine, name string) *engine.DataStream {
	t.Helper()
	d := &engine.DataStream{Name: name, Meta: []byte("{}")}
	if err := e.UpdateData(t.Context(), func(tx engine.DataTx) error { return tx.CreateData(d) }); err != nil {
		t.Fatal(err)
	}
	return d
}

// A backup that is made while the server writes is restored: other epochs, which remember theirs; other offsets; what was deleted since is deleted again.
func TestABackupIsRestored(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	e := opened(t, dir)
	add(t, e, "kept", 5)
	add(t, e, "deleted", 3)
	stays, goes := create(t, e, "stays"), create(t, e, "goes")
	before, _ := e.Log(t.Context(), "kept")
	if err := Backup(t.Context(), dir, file); err != nil {
		t.Fatal(err)
	}
	add(t, e, "kept", 15)
	create(t, e, "later")
	if err := errors.Join(e.Delete(t.Context(), "deleted"), e.UpdateData(t.Context(), func(tx engine.DataTx) error { return tx.RemoveData(goes) })); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), file, dir, true); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Fatalf("a live directory: %v", err)
	}
	for _, again := range []bool{true, false} {
		at := killed(t, e)
		// By hand it has no effect, or damages: it is refused, and the way told (S6, S19).
		if err := copyFile(file, filepath.Join(at, "strandline.db")); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(at); err == nil || !strings.Contains(err.Error(), "strandline restore") {
			t.Fatalf("a copy beside another one's write-ahead log: %v", err)
		}
		n, err := Restore(t.Context(), file, at, again)
		if err != nil || n != map[bool]int{true: 2, false: 0}[again] {
			t.Fatalf("%d deleted again, %v", n, err)
		}
		r := opened(t, at)
		log, err := r.Log(t.Context(), "kept")
		if err != nil || log.Head != 5 || log.Chain != before.Chain || log.Epoch == before.Epoch {
			t.Fatalf("%+v, %v; before %+v", log, err, before)
		}
		if log, err := r.Log(t.Context(), "deleted"); err != nil || (log.Head == 0) != again {
			t.Fatalf("deleted: %+v, %v", log, err)
		}
		if err := r.ViewData(t.Context(), func(tx engine.DataTx) error {
			s, err := tx.DataStream("stays")
			g, gerr := tx.DataStream("goes")
			l, lerr := tx.DataStream("later")
			old, oerr := tx.DataStreamAt(stays.ID)
			if s == nil || s.ID <= stays.ID || (g == nil) != again || l != nil || old != nil {
				t.Errorf("%+v %+v %+v %+v", s, g, l, old)
			}
			return errors.Join(err, gerr, lerr, oerr)
		}); err != nil {
			t.Fatal(err)
		}
		r.Close()
		again := opened(t, at) // the same one
		if now, _ := again.Log(t.Context(), "kept"); now.Epoch != log.Epoch || again.Renewed {
			t.Errorf("the next start made another log of it: %+v", now)
		}
		again.Close()
		if wrong, logs, entries, err := Check(t.Context(), at); err != nil || len(wrong) > 0 || logs == 0 || entries < 5 {
			t.Errorf("%v, %d logs, %d entries, %v", wrong, logs, entries, err)
		}
	}
}

// The same backup twice: each time it is another log, and another generation of offsets. A file whose write-ahead log lies beside it is no backup.
func TestABackupIsRestoredTwice(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	e := opened(t, dir)
	add(t, e, "a", 3)
	d := create(t, e, "d")
	if err := Backup(t.Context(), dir, file); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), filepath.Join(dir, "strandline.db"), t.TempDir(), true); err == nil || !strings.Contains(err.Error(), "write-ahead log") {
		t.Errorf("a database in use is restored: %v", err)
	}
	e.Close()
	ids, epochs := map[uint64]bool{d.ID: true}, map[action.UUID]bool{}
	for range 3 {
		if _, err := Restore(t.Context(), file, dir, true); err != nil {
			t.Fatal(err)
		}
		r := opened(t, dir)
		add(t, r, "a", 1)
		log, _ := r.Log(t.Context(), "a")
		if err := r.ViewData(t.Context(), func(tx engine.DataTx) error {
			s, err := tx.DataStream("d")
			if err == nil && ids[s.ID] {
				t.Errorf("the id %d is used again", s.ID)
			}
			ids[s.ID] = true
			return err
		}); err != nil || log.Head != 4 || epochs[log.Epoch] {
			t.Errorf("%+v, %v", log, err)
		}
		epochs[log.Epoch] = true
		r.Close()
	}
}

// A line that was cut off swallows no other deletion, and one that was noted and not done is not done later.
func TestTheDeletionsFile(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	e := opened(t, dir)
	for _, name := range []string{"a", "bb", "ccc"} {
		add(t, e, name, 1)
	}
	if err := Backup(t.Context(), dir, file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, deletionsFile), []byte(`{"log":"0196f1`), 0o600); err != nil {
		t.Fatal(err)
	}
	b, _ := e.Log(t.Context(), "bb")
	d := deletion{Log: b.Epoch.String()}
	not := d
	not.Not = true
	if err := errors.Join(e.Delete(t.Context(), "a"), e.note([]deletion{d}), e.note([]deletion{not}), e.Close()); err != nil {
		t.Fatal(err)
	}
	if n, err := Restore(t.Context(), file, dir, true); n != 1 || err != nil {
		t.Fatalf("%d deleted again, %v", n, err)
	}
	r := opened(t, dir)
	if heads, err := r.Streams(t.Context(), "", 10); err != nil || len(heads) != 2 || heads[0].Stream != "bb" {
		t.Errorf("%v, %v", heads, err)
	}
}

// A copy of the same run, too: the server was not started since it was made.
func TestACopyOfTheSameRunIsKnown(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	e := opened(t, dir)
	add(t, e, "a", 3)
	first, _ := e.Log(t.Context(), "a")
	if err := Backup(t.Context(), dir, file); err != nil {
		t.Fatal(err)
	}
	add(t, e, "a", 5)
	e.Close()
	if err := copyFile(file, filepath.Join(dir, "strandline.db")); err != nil {
		t.Fatal(err)
	}
	e = opened(t, dir)
	if log, err := e.Log(t.Context(), "a"); err != nil || log.Head != 3 || log.Epoch == first.Epoch || !e.Renewed {
		t.Errorf("%+v, %v", log, err)
	}
}

// An older copy that somebody puts in the place of a database that was closed is known for what it is.
func TestAnOlderCopyIsKnown(t *testing.T) {
	dir := t.TempDir()
	e := opened(t, dir)
	add(t, e, "a", 3)
	e.Close()
	old := filepath.Join(t.TempDir(), "old")
	if err := copyFile(filepath.Join(dir, "strandline.db"), old); err != nil {
		t.Fatal(err)
	}
	e = opened(t, dir)
	first, _ := e.Log(t.Context(), "a")
	add(t, e, "a", 2)
	e.Close()
	if err := copyFile(old, filepath.Join(dir, "strandline.db")); err != nil {
		t.Fatal(err)
	}
	e = opened(t, dir)
	if log, err := e.Log(t.Context(), "a"); err != nil || log.Head != 3 || log.Epoch == first.Epoch || !e.Renewed {
		t.Fatalf("%+v, %v", log, err)
	}
}

// Where it was killed it goes on as it was: its write-ahead log is its own.
func TestAfterAKillItIsTheSame(t *testing.T) {
	dir := t.TempDir()
	e := opened(t, dir)
	for i := range 6 {
		add(t, e, "a", 6000)
		at := killed(t, e)
		k := opened(t, at)
		if log, err := k.Log(t.Context(), "a"); err != nil || log.Head != uint64(6000*(i+1)) || k.Renewed {
			t.Fatalf("%+v, %v", log, err)
		}
		k.Close()
	}
}

// A damaged backup is refused, and nothing changes; a changed byte is found (S10).
func TestWhatIsDamagedIsFound(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	e := opened(t, dir)
	add(t, e, "a", 30)
	d := create(t, e, "d")
	if err := e.UpdateData(t.Context(), func(tx engine.DataTx) error {
		d.Head, d.Tail = 1, 20
		return errors.Join(tx.AppendData(d.ID, []engine.DataEntry{{Index: 1, End: 20, Size: 20, Body: []byte("a body of twenty byte")[:20]}}), tx.PutData(d))
	}); err != nil {
		t.Fatal(err)
	}
	if err := Backup(t.Context(), dir, file); err != nil {
		t.Fatal(err)
	}
	if err := Backup(t.Context(), dir, file); err == nil {
		t.Error("a backup took another one's place")
	}
	e.Close()
	for old, new := range map[string]string{`{"n":1}`: `{"n":2}`, "a body of twenty byte"[:20]: "a body of twenty-byte"[:20]} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := filepath.Join(t.TempDir(), "changed")
		if err := os.WriteFile(changed, []byte(strings.Replace(string(b), old, new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if wrong, _, _, err := Check(t.Context(), changed); err != nil || len(wrong) != 1 {
			t.Errorf("%s: %v, %v", new, wrong, err)
		}
		if _, err := Restore(t.Context(), changed, dir, true); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: %v", new, err)
		}
	}
	for name, b := range map[string]string{"cut": "SQLite format 3\x00", "empty": "", "text": strings.Repeat("no database ", 1000)} {
		bad := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(bad, []byte(b), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(t.Context(), bad, dir, true); err == nil {
			t.Errorf("%s was restored", name)
		}
	}
	e = opened(t, dir)
	if log, err := e.Log(t.Context(), "a"); err != nil || log.Head != 30 || e.Renewed {
		t.Errorf("%+v, %v", log, err)
	}
}
