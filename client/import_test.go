package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/strandline-sync/strandline/client"
	"github.com/strandline-sync/strandline/client/file"
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine/memory"
)

// place is an address whose server is now this one, now another, and files of clients.
type place struct {
	t   *testing.T
	e   *memory.Engine
	now atomic.Pointer[server.Server]
	url string
	dir string
}

const nobody = "http://127.0.0.1:1"

func newPlace(t *testing.T, judge func(*server.Judged) error) *place {
	p := &place{t: t, e: memory.New(), dir: t.TempDir()}
	p.serve(p.e, judge)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.now.Load().ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	p.url = web.URL
	return p
}

func (p *place) serve(e *memory.Engine, judge func(*server.Judged) error) {
	c := server.Config{Engine: e, Auth: server.None()}
	if judge != nil {
		c.Validate = func(_ context.Context, j *server.Judged) error { return judge(j) }
	}
	s := server.New(c)
	p.t.Cleanup(s.Close)
	p.now.Store(s)
}

func (p *place) open(name, url string) (*client.DB, *client.Stream) {
	p.t.Helper()
	store := must[*file.Store](p.t)(file.Open(filepath.Join(p.dir, name)))
	db := must[*client.DB](p.t)(client.Open(client.Options{URL: url, Store: store}))
	return db, must[*client.Stream](p.t)(db.Stream(p.t.Context(), "todos"))
}

// unsent makes actions that are not sent, and gives a bundle with them.
func (p *place) unsent(name string, make func(s *client.Stream) *client.Write) []byte {
	p.t.Helper()
	db, s := p.open(name, nobody)
	if err := make(s).Durable(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	text, _ := bundled(p.t, db, false)
	db.Close()
	return text
}

func (p *place) settle(s *client.Stream) {
	p.t.Helper()
	if err := s.Settled(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) todo(s *client.Stream, title string) *client.Write {
	p.t.Helper()
	return must[*client.Write](p.t)(s.Create("todo", map[string]any{"title": title}))
}

// imported takes a bundle over in a profile of its own, and sends it.
func (p *place) imported(name string, text []byte) (took client.Imported, s *client.Stream) {
	p.t.Helper()
	db, s := p.open(name, p.url)
	p.t.Cleanup(func() { db.Close() })
	took = must[client.Imported](p.t)(db.Import(p.t.Context(), bytes.NewReader(text)))
	p.settle(s)
	return took, s
}

// A server is restored to before an import, and who has made what was imported comes back: it is there again, once.
func TestAnImportThatARestoreHasLost(t *testing.T) {
	p := newPlace(t, nil)
	db, s := p.open("a", p.url)
	p.todo(s, "before")
	p.settle(s)
	backup := p.e.Clone()
	db.Close()
	text := p.unsent("a", func(s *client.Stream) *client.Write { p.todo(s, "x"); return p.todo(s, "y") })
	p.imported("b", text)
	db, s = p.open("a", p.url)
	p.settle(s)
	db.Close()
	p.now.Load().Close()
	p.serve(must[*memory.Engine](t)(backup.Restored(func() action.UUID { return action.UUID(uuid.New()) })), nil)
	db, s = p.open("a", p.url)
	defer db.Close()
	if err := db.Sync(t.Context()); err != nil { // who has nothing to send would wait a while
		t.Fatal(err)
	}
	if err := s.Until(t.Context(), func(s *client.Stream) bool { return len(s.Resets()) == 1 && s.Status().Pending == 0 }); err != nil {
		t.Fatal(err)
	}
	if s.Len() != 3 || s.Head() != 3 {
		t.Fatalf("%d objects of %d entries; %+v", s.Len(), s.Head(), s.Resets())
	}
}

// What stands by a lock of who has made it is left to him.
func TestAnImportOfWhatItsMakerHolds(t *testing.T) {
	p := newPlace(t, nil)
	db, s := p.open("a", p.url)
	id := client.NewID()
	must[*client.Write](t)(s.Transact(client.Op{"op": "create", "object": id.String(), "type": "todo", "fields": map[string]any{"title": "mine"}, "lock": true}))
	p.settle(s)
	db.Close()
	text := p.unsent("a", func(s *client.Stream) *client.Write {
		return must[*client.Write](t)(s.Set(id, map[string]any{"title": "important"}))
	})
	if took, _ := p.imported("b", text); len(took.Left) != 1 {
		t.Fatalf("%+v", took)
	}
	db, s = p.open("a", p.url)
	defer db.Close()
	p.settle(s)
	if row, _ := s.Row(id); !strings.Contains(string(row.JSON), "important") {
		t.Fatalf("%s", row.JSON)
	}
}

// Nobody can tell whether a log has an action whose maker has gone beyond its seq: it was refused, say. It is left, and said to be.
func TestAnImportThatNobodyCanTellOf(t *testing.T) {
	refuse := true
	p := newPlace(t, func(j *server.Judged) error {
		if refuse && strings.Contains(j.Action.Raw, "second") {
			return errors.New("not now")
		}
		return nil
	})
	text := p.unsent("a", func(s *client.Stream) *client.Write {
		p.todo(s, "first")
		p.todo(s, "second")
		return p.todo(s, "third")
	})
	db, s := p.open("a", p.url)
	p.settle(s)
	db.Close() // and is gone for good
	refuse = false
	if took, s := p.imported("b", text); len(took.Left) != 2 || len(took.Known) != 1 || s.Len() != 2 {
		t.Fatalf("%+v, %d objects", took, s.Len())
	}
}

// A bundle of before a restore names places of the log that are not there any more.
func TestAnImportUponAnotherLog(t *testing.T) {
	p := newPlace(t, nil)
	db, s := p.open("a", p.url)
	for i := range 6 {
		p.todo(s, fmt.Sprint(i))
	}
	p.settle(s)
	db.Close()
	text := p.unsent("a", func(s *client.Stream) *client.Write { return p.todo(s, "unsent") })
	p.now.Load().Close()
	p.serve(memory.New(), nil)
	if took, s := p.imported("b", text); len(took.Imported) != 1 || s.Len() != 1 || len(s.Rejected()) != 0 {
		t.Fatalf("%+v, %d objects, %+v", took, s.Len(), s.Rejected())
	}
}

// Of what it was long ago that it made, a profile does not know what became of it.
func TestAnOldBundleOfOnesOwn(t *testing.T) {
	p := newPlace(t, nil)
	db, s := p.open("a", p.url)
	x := must[*client.Write](t)(s.Create("todo", map[string]any{"n": 0}))
	p.settle(s)
	db.Close()
	text := p.unsent("a", func(s *client.Stream) *client.Write {
		return must[*client.Write](t)(s.Update(x.Object, map[string]any{"inc": map[string]any{"n": 1}}))
	})
	db, s = p.open("a", p.url)
	for range 12_000 {
		must[*client.Write](t)(s.Set(x.Object, map[string]any{"t": 1}))
	}
	p.settle(s)
	db.Close()
	if took, s := p.imported("a", text); len(took.Left) != 1 || len(took.Imported) != 0 {
		row, _ := s.Row(x.Object)
		t.Fatalf("%+v: %s", took, row.JSON)
	}
}

// A redacted bundle leads to the same also where there are nearly as many texts of one letter as letters.
func TestTextsOfOneLetterStayApart(t *testing.T) {
	p := newPlace(t, nil)
	db, s := p.open("a", nobody)
	defer db.Close()
	x := p.todo(s, "x")
	last := x
	for c := '!'; c <= '~'; c++ {
		if c != '"' && c != '\\' {
			last = must[*client.Write](t)(s.Update(x.Object, map[string]any{"union": map[string]any{"tags": []string{string(c)}}}))
		}
	}
	if err := last.Durable(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, b := bundled(t, db, true)
	replayed(t, b)
}
