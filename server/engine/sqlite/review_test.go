package sqlite

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/tests/patience"
)

// A stream that was deleted softly, because forks read it, is deleted again once, however often its deletion was noted.
func TestASoftDeletionIsDoneAgainOnce(t *testing.T) {
	dir := t.TempDir()
	e := opened(t, dir)
	var source engine.DataStream
	err := e.UpdateData(t.Context(), func(tx engine.DataTx) error {
		source = engine.DataStream{Name: "a", Meta: []byte("{}")}
		if err := tx.CreateData(&source); err != nil {
			return err
		}
		return tx.CreateData(&engine.DataStream{Name: "b", Source: source.ID, Meta: []byte("{}")})
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "backup")
	if err := Backup(t.Context(), dir, file); err != nil {
		t.Fatal(err)
	}
	for range 2 { // noted twice
		if err := e.UpdateData(t.Context(), func(tx engine.DataTx) error {
			source.Deleted = true
			return tx.PutData(&source)
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		n, err := Restore(t.Context(), file, dir, true)
		if err == nil && n != 1 {
			t.Errorf("%d were deleted again", n)
		}
		done <- err
	}()
	if err := patience.Receive(t, "the restore", done); err != nil {
		t.Fatal(err)
	}
}

// What was scrubbed is in no file while the database is open, the write-ahead log among them.
func TestWhatIsScrubbedIsInNoFileAtOnce(t *testing.T) {
	dir := t.TempDir()
	e := opened(t, dir)
	defer e.Close()
	const canary = "canary-7d21"
	for i := range 50 {
		if err := e.Append(t.Context(), "s", action.UUID{1}, uint64(i), []engine.Entry{{By: canary, Raw: "{}"}}); err != nil {
			t.Fatal(err)
		}
	}
	err := e.UpdateData(t.Context(), func(tx engine.DataTx) error {
		d := &engine.DataStream{Name: "d", By: canary, Meta: []byte("{}")}
		if err := tx.CreateData(d); err != nil {
			return err
		}
		return tx.PutProducer(d.ID, canary+"\x00p", engine.Producer{})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Forget(t.Context(), canary); err != nil {
		t.Fatal(err)
	}
	if err := e.Scrub(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(canary)) {
			t.Errorf("it is in %s", name)
		}
	}
}
