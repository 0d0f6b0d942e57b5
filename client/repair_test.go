package client_test

import (
	"database/sql"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/strandline-sync/strandline/client"
	"github.com/strandline-sync/strandline/client/file"
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine/memory"
)

// A record, or the rest of the checkpoint, of a client's file is damaged: it opens, cannot be written, and is repaired.
func TestADamagedFileIsRepaired(t *testing.T) {
	for _, damage := range []string{
		"UPDATE records SET body = substr(body, 1, length(body) - 1) WHERE lsn = (SELECT max(lsn) - 1 FROM records)",
		"UPDATE pages SET body = x'00' WHERE name = (SELECT name FROM pages WHERE hex(substr(body, 2, 1)) = '72' LIMIT 1)",
		"UPDATE streams SET manifest = x'0102'",
		"DELETE FROM pages",
	} {
		ctx := t.Context()
		srv := server.New(server.Config{Engine: memory.New(), Auth: server.None()})
		t.Cleanup(srv.Close)
		web := httptest.NewServer(srv)
		defer web.Close()
		path := filepath.Join(t.TempDir(), "client.db")
		open := func(url string) (*client.DB, *client.Stream) {
			db := must[*client.DB](t)(client.Open(client.Options{URL: url, Store: must[*file.Store](t)(file.Open(path))}))
			return db, must[*client.Stream](t)(db.Stream(ctx, "todos"))
		}
		db, s := open(web.URL)
		for i := range 900 {
			must[*client.Write](t)(s.Create("todo", map[string]any{"title": fmt.Sprintf("sent %0400d", i)}))
		}
		if err := s.Settled(ctx); err != nil {
			t.Fatal(err)
		}
		raw := must[*sql.DB](t)(sql.Open("sqlite", path))
		for pages := 0; pages == 0; { // its first checkpoint
			if err := raw.QueryRow("SELECT count(*) FROM pages").Scan(&pages); err != nil {
				t.Fatal(err)
			}
			if err := s.Settled(ctx); err != nil {
				t.Fatal(err)
			}
		}
		db.Close()
		db, s = open("http://127.0.0.1:1") // nobody is there
		for i := range 10 {
			if err := must[*client.Write](t)(s.Create("todo", map[string]any{"title": fmt.Sprint("unsent ", i)})).Durable(ctx); err != nil {
				t.Fatal(err)
			}
		}
		db.Close()
		must[sql.Result](t)(raw.Exec(damage))
		raw.Close()
		db, s = open(web.URL)
		if st := s.Status(); st.Reason != "corrupt" {
			t.Fatalf("%s: %+v", damage, st)
		}
		if _, err := s.Create("todo", map[string]any{}); action.CodeOf(err) != action.CodeCorrupt {
			t.Fatalf("%s: a write gives %v", damage, err)
		}
		if err := s.Repair(ctx); err != nil {
			t.Fatalf("%s: %v", damage, err)
		}
		if err := s.Settled(ctx); err != nil {
			t.Fatal(err)
		}
		want := 910
		if damage[:14] == "UPDATE records" {
			want-- // what stood there alone
		}
		if s.Len() != want || len(s.Resets()) != 1 || s.Resets()[0].Reason != "repaired" {
			t.Errorf("%s: %d rows, %+v", damage, s.Len(), s.Resets())
		}
		if err := s.Repair(ctx); err != nil {
			t.Errorf("%s: again: %v", damage, err)
		}
		db.Close()
		db, s = open(web.URL)
		if s.Len() != want || s.Status().Reason != "" {
			t.Errorf("%s: %d rows, %+v", damage, s.Len(), s.Status())
		}
		db.Close()
	}
}
