package sqlite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/tests/patience"
)

// A database of the format before opens with all that it holds, and is the same log: nobody has to fetch anything anew.
func TestADatabaseOfAnEarlierFormat(t *testing.T) {
	dir := t.TempDir()
	db, err := open(filepath.Join(dir, "strandline.db"), 2)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/format3.sql")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(string(text)); err != nil {
		t.Fatal(err)
	}
	chain := action.Chain(5).Next(`{"n":4}`)
	if _, err := db.Exec("UPDATE entries SET chain = ? WHERE stream = 1 AND idx = 4", int64(chain)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	used := engine.Use{Streams: 1, Bytes: 14, Data: 8}
	// Restored, it is another log like any backup.
	at := t.TempDir()
	if _, err := Restore(t.Context(), filepath.Join(dir, "strandline.db"), at, true); err != nil {
		t.Fatal(err)
	}
	r := opened(t, at)
	if log, err := r.Log(t.Context(), "a"); err != nil || log.Head != 4 || log.Epoch == (action.UUID{0: 1, 6: 0x40, 8: 0x80, 15: 1}) {
		t.Errorf("%+v, %v", log, err)
	}
	r.Close()
	for range 2 {
		e := opened(t, dir)
		log, err := e.Log(t.Context(), "a")
		if want := (engine.Log{Epoch: action.UUID{0: 1, 6: 0x40, 8: 0x80, 15: 1}, Head: 4, Chain: chain, Oldest: 3}); err != nil || log != want || e.Renewed {
			t.Fatalf("%+v, %v", log, err)
		}
		if heads, err := e.Streams(t.Context(), "", 10); err != nil || len(heads) != 1 || heads[0] != (engine.Head{Stream: "a", Head: 4}) {
			t.Errorf("%v, %v", heads, err)
		}
		if c, err := e.Checkpoint(t.Context(), "a", 0); err != nil || c == nil || c.Index != 3 || len(c.Leases) > 0 {
			t.Errorf("%+v, %v", c, err)
		}
		if err := e.ViewData(t.Context(), func(tx engine.DataTx) error {
			d, err := tx.DataStream("d")
			if err != nil || d == nil || d.ID != 1 {
				t.Errorf("%+v, %v", d, err)
			}
			all, err := tx.ReadData(1, 0, 10, 100, 100)
			if err != nil || len(all) != 2 || string(all[0].Body) != "abc" || string(all[1].Body) != "defgh" {
				t.Errorf("%v, %v", all, err)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		patience.True(t, "the deleted one to be buried", func() bool {
			n := 0
			err := e.read.QueryRow("SELECT count(*) FROM entries WHERE stream = 3").Scan(&n)
			return err == nil && n == 0
		})
		if u, err := e.Use(t.Context(), "me"); err != nil || u != used {
			t.Errorf("%+v, %v", u, err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// One of format 4 lacks who has written what, and gets it.
func TestADatabaseOfFormat4(t *testing.T) {
	dir := t.TempDir()
	e := opened(t, dir)
	if err := e.Append(t.Context(), "a", action.UUID{1}, 0, []engine.Entry{{By: "me", Raw: "12345"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.write.Exec(`DROP TRIGGER entries_go; DROP TRIGGER data_entries_go; DROP TABLE uses; DROP TABLE cursors;
		ALTER TABLE streams DROP COLUMN by; ALTER TABLE data_streams DROP COLUMN by; PRAGMA user_version = 4`); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = opened(t, dir)
	defer e.Close()
	if u, err := e.Use(t.Context(), "me"); err != nil || u != (engine.Use{Streams: 1, Bytes: 5}) || e.Renewed {
		t.Errorf("%+v, %v", u, err)
	}
	if log, err := e.Log(t.Context(), "a"); err != nil || log.Head != 1 || log.Epoch != (action.UUID{1}) {
		t.Errorf("%+v, %v", log, err)
	}
}
