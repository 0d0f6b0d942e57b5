package client_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/client"
	"github.com/strandline-sync/strandline/client/file"
	"github.com/strandline-sync/strandline/client/replay"
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine/memory"
)

// bundled exports a database and reads what it wrote.
func bundled(t *testing.T, db *client.DB, redact bool) (text []byte, b *replay.Bundle) {
	t.Helper()
	var to bytes.Buffer
	if err := db.Export(t.Context(), &to, redact); err != nil {
		t.Fatal(err)
	}
	return to.Bytes(), must[*replay.Bundle](t)(replay.Read(bytes.NewReader(to.Bytes())))
}

// replayed goes through each stream, and wants the page's state at the end.
func replayed(t *testing.T, b *replay.Bundle) {
	t.Helper()
	for _, s := range b.Streams {
		same := false
		rep, err := s.Replay(func(step *replay.Step) error { same = step.Same; return nil })
		if err != nil || !same {
			t.Fatalf("%s: %v; the same: %v, at %+v, with %d objects", s.Name, err, same, s.Stand, rep.State().Len())
		}
	}
}

func TestABundleIsReplayed(t *testing.T) {
	ctx := t.Context()
	srv := server.New(server.Config{Engine: memory.New(), Auth: server.None()})
	t.Cleanup(srv.Close)
	web := httptest.NewServer(srv)
	t.Cleanup(web.Close)
	open := func(path, url string) (*client.DB, *client.Stream) {
		db := must[*client.DB](t)(client.Open(client.Options{URL: url, User: "ada@secret.example", Store: must[*file.Store](t)(file.Open(path))}))
		return db, must[*client.Stream](t)(db.Stream(ctx, "todos"))
	}
	path, other := filepath.Join(t.TempDir(), "a.db"), filepath.Join(t.TempDir(), "b.db")
	db, s := open(path, web.URL)
	first := must[*client.Write](t)(s.Create("todo", map[string]any{"title": "secret one", "n": 1, "tags": []string{"secret x"}, "deep": map[string]any{"k": "secret deep"}}))
	for i := range 1500 { // enough for a checkpoint
		must[*client.Write](t)(s.Create("todo", map[string]any{"title": fmt.Sprintf("secret %0300d", i)}))
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
	raw.Close()
	db.Close()
	db, s = open(path, "http://127.0.0.1:1") // nobody is there
	must[*client.Write](t)(s.Set(first.Object, map[string]any{"title": "secret two"}))
	must[*client.Write](t)(s.Update(first.Object, map[string]any{"inc": map[string]any{"n": 2}, "union": map[string]any{"tags": []string{"secret y", "secret x"}}}))
	last := must[*client.Write](t)(s.Create("todo", map[string]any{"title": "secret \"quoted\" ü\n"}))
	if err := last.Durable(ctx); err != nil {
		t.Fatal(err)
	}
	text, b := bundled(t, db, false)
	if replayed(t, b); b.User != "ada@secret.example" || len(b.Streams[0].Pending) != 3 || b.Streams[0].Remains.Manifest == nil {
		t.Fatalf("%+v, %d pending", b.Header, len(b.Streams[0].Pending))
	}
	masked, rb := bundled(t, db, true)
	replayed(t, rb)
	whole := string(masked)
	for line := range strings.SplitSeq(string(masked), "\n") {
		var l struct{ Bytes, Manifest, Spare []byte }
		_ = json.Unmarshal([]byte(line), &l)
		whole += string(l.Bytes) + string(l.Manifest) + string(l.Spare)
	}
	if strings.Contains(whole, "secret") {
		t.Fatal("what people have written is in a redacted bundle")
	}
	if !strings.Contains(whole, "title") || rb.Streams[0].Stand.Head != b.Streams[0].Stand.Head {
		t.Fatal("what a bundle is needed for is not in it")
	}
	if _, err := db.Import(ctx, bytes.NewReader(masked)); action.CodeOf(err) != action.CodeInvalid {
		t.Fatalf("a redacted bundle is imported: %v", err)
	}
	db.Close()

	// Another profile takes over what is not sent, twice; then the first one comes back, too.
	db2, s2 := open(other, web.URL)
	for _, want := range []int{3, 0} {
		took := must[client.Imported](t)(db2.Import(ctx, bytes.NewReader(text)))
		if len(took.Imported) != want || len(took.Known) != 3-want {
			t.Fatalf("%d are imported, %d known", len(took.Imported), len(took.Known))
		}
		if err := s2.Settled(ctx); err != nil {
			t.Fatal(err)
		}
	}
	db, s = open(path, web.URL)
	if err := s.Settled(ctx); err != nil {
		t.Fatal(err)
	}
	if err := db2.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*client.Stream{s, s2} {
		row, _ := s.Row(first.Object)
		if got := string(row.JSON); !strings.Contains(got, `"n":3`) || !strings.Contains(got, "secret two") || !strings.Contains(got, `["secret x","secret y"]`) {
			t.Fatal(got)
		}
		if s.Head() != 1504 {
			t.Fatalf("%d entries", s.Head())
		}
	}
	db.Close()
	db2.Close()

	// Nothing of a bundle that is cut, of another user, or none, is taken over.
	db3 := must[*client.DB](t)(client.Open(client.Options{URL: web.URL, User: "eve"}))
	defer db3.Close()
	for _, bad := range []string{string(text), string(text[:len(text)/2]), string(text[:len(text)-20]), "", "{}\n", `{"bundle":2}` + "\n"} {
		if _, err := db3.Import(ctx, strings.NewReader(bad)); action.CodeOf(err) != action.CodeInvalid && action.CodeOf(err) != action.CodeMalformed && action.CodeOf(err) != action.CodeUpgrade {
			t.Fatalf("%.40q: %v", bad, err)
		}
	}

	// A log that leads to something else than the page held is told from one that does not.
	b.Streams[0].Stand.Hash++
	if _, err := b.Streams[0].Replay(nil); err != replay.ErrDiffers {
		t.Fatal(err)
	}
	b.Streams[0].Stand.Hash--
	b.Streams[0].Remains.Records[1].Bytes[20] ^= 1
	if rep, err := b.Streams[0].Replay(nil); err != replay.ErrDamaged || !rep.Damaged() {
		t.Fatal(err)
	}
}
