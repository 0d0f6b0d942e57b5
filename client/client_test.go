package client_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/strandline-sync/strandline/client"
	"github.com/strandline-sync/strandline/client/file"
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/servertest"
)

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Two clients see what each other writes, without asking.
func TestTwoClients(t *testing.T) {
	s := servertest.New(t, nil)
	one, two := s.Stream("todos"), s.Stream("todos")
	ctx := t.Context()
	w := must[*client.Write](t)(one.Create("todo", map[string]any{"title": "milk", "n": 1}))
	if row, there := one.Row(w.Object); !there || row.Type != "todo" {
		t.Fatalf("%+v: what was written is not there at once", row)
	}
	if err := w.Durable(ctx); err != nil {
		t.Fatal(err)
	}
	if index, err := w.Persisted(ctx); err != nil || index != 1 {
		t.Fatalf("%d, %v", index, err)
	}
	here := func(s *client.Stream) bool { _, there := s.Row(w.Object); return there }
	if err := two.Until(ctx, here); err != nil {
		t.Fatal(err)
	}
	must[*client.Write](t)(two.Update(w.Object, map[string]any{"inc": map[string]int{"n": 41}}))
	if err := one.Until(ctx, func(s *client.Stream) bool {
		row, _ := s.Row(w.Object)
		var fields struct {
			Title string
			N     int
		}
		if err := row.Fields(&fields); err != nil {
			t.Fatal(err)
		}
		return fields.N == 42 && fields.Title == "milk"
	}); err != nil {
		t.Fatal(err)
	}
	gone := must[*client.Write](t)(one.Remove(w.Object))
	if _, err := gone.Persisted(ctx); err != nil {
		t.Fatal(err)
	}
	if err := two.Until(ctx, func(s *client.Stream) bool { return !here(s) }); err != nil {
		t.Fatal(err)
	}
	if _, err := one.Set(w.Object, map[string]any{"n": 1}); action.CodeOf(err) != action.CodeNotFound {
		t.Errorf("%v", err)
	}
	if _, err := one.Create("todo", map[string]any{"f": func() {}}); action.CodeOf(err) != action.CodeInvalid {
		t.Errorf("%v", err)
	}
	a, b := client.NewID(), client.NewID()
	both := must[*client.Write](t)(one.Transact(client.Op{"op": "create", "object": a.String(), "type": "x", "fields": map[string]any{}}, client.Op{"op": "create", "object": b.String(), "type": "y", "fields": map[string]any{}}))
	if _, err := both.Persisted(ctx); err != nil || one.Len() != 2 {
		t.Errorf("%d, %v", one.Len(), err)
	}
	n := 0
	for row := range one.Rows("y") {
		if n++; row.ID != b {
			t.Errorf("%+v", row)
		}
	}
	if n != 1 {
		t.Errorf("%d rows", n)
	}
}

// What was written while nobody answered is in the file, and is sent by the one that opens it next.
func TestAFileOutlivesItsProgram(t *testing.T) {
	s := servertest.New(t, nil)
	path := filepath.Join(t.TempDir(), "local.db")
	open := func(url string) (*client.DB, *client.Stream) {
		store := must[*file.Store](t)(file.Open(path))
		db := must[*client.DB](t)(client.Open(client.Options{URL: url, Store: store}))
		return db, must[*client.Stream](t)(db.Stream(t.Context(), "s"))
	}
	db, stream := open("http://127.0.0.1:1")
	var objects []action.UUID
	for i := range 50 {
		w := must[*client.Write](t)(stream.Create("t", map[string]any{"i": i}))
		objects = append(objects, w.Object)
		if i == 49 {
			if err := w.Durable(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Create("t", nil); action.CodeOf(err) != action.CodeClosed {
		t.Errorf("%v", err)
	}
	db, stream = open(s.URL)
	if stream.Len() != 50 {
		t.Fatalf("%d objects", stream.Len())
	}
	if err := stream.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	if other := s.Stream("s"); other.Until(t.Context(), func(s *client.Stream) bool { return s.Len() == 50 }) != nil {
		t.Error("they are not on the server")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db, stream = open("") // local only: what is there is there
	if _, there := stream.Row(objects[7]); !there || stream.Len() != 50 || string(stream.Pending()) != "[]" {
		t.Errorf("%d objects, pending %s", stream.Len(), stream.Pending())
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// A server's refusal ends a write with its words; a client without a token waits for one.
func TestRefusalsAndTokens(t *testing.T) {
	s := servertest.New(t, func(c *server.Config) {
		c.Auth = server.Secret("a secret")
		c.Validate = func(_ context.Context, j *server.Judged) error {
			if strings.Contains(j.Action.Raw, "rude") {
				return errors.New("mind your words")
			}
			return nil
		}
	})
	var token atomic.Value
	token.Store("")
	db := s.Client(func(o *client.Options) {
		o.Token = func(context.Context) (string, error) {
			if token.Load() == "" {
				return "", errors.New("nobody is signed in")
			}
			return token.Load().(string), nil
		}
		o.Retry = time.Millisecond
	})
	stream := must[*client.Stream](t)(db.Stream(t.Context(), "s"))
	w := must[*client.Write](t)(stream.Create("t", map[string]any{"text": "rude"}))
	if err := stream.Until(t.Context(), func(s *client.Stream) bool { return s.Status().State == "held" }); err != nil {
		t.Fatal(err)
	}
	token.Store("a secret")
	if _, err := w.Persisted(t.Context()); action.CodeOf(err) != action.CodeInvalid || !strings.Contains(err.Error(), "mind your words") {
		t.Errorf("%v", err)
	}
	if list := stream.Rejected(); len(list) != 1 || stream.Len() != 0 {
		t.Errorf("%+v", list)
	}
	if err := stream.Discard(t.Context(), w.Action); err != nil || len(stream.Rejected()) != 0 {
		t.Errorf("%v", err)
	}
	for _, bad := range []string{"ftp://x", "x", "http://x/?q", ":"} {
		if _, err := client.Open(client.Options{URL: bad}); action.CodeOf(err) != action.CodeInvalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := db.Stream(t.Context(), "\x00"); action.CodeOf(err) != action.CodeInvalid {
		t.Errorf("%v", err)
	}
}

// flaky is a way to a server that breaks answers and requests off, answers for it, or is not there.
func flaky(t *testing.T, to string, bad *atomic.Bool) string {
	at := must[*url.URL](t)(url.Parse(to))
	proxy := httputil.NewSingleHostReverseProxy(at)
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(1, 2))
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		what := random.IntN(6)
		mu.Unlock()
		if !bad.Load() {
			what = 99
		}
		switch what {
		case 0:
			panic(http.ErrAbortHandler)
		case 1:
			fmt.Fprint(w, "<html>sign in to the hotel's network</html>")
		case 2:
			http.Error(w, "", http.StatusBadGateway)
		case 3: // the server has it, and nobody hears of that
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(h.Close)
	return h.URL
}

// Many clients over a bad line: nothing is lost, nothing is twice, and all come to one state.
func TestABadLine(t *testing.T) {
	s := servertest.New(t, nil)
	var bad atomic.Bool
	bad.Store(true)
	var dbs []*client.DB
	var streams []*client.Stream
	for range 4 {
		db := s.Client(func(o *client.Options) { o.URL, o.Retry = flaky(t, s.URL, &bad), time.Millisecond })
		dbs, streams = append(dbs, db), append(streams, must[*client.Stream](t)(db.Stream(t.Context(), "s")))
	}
	shared := must[*client.Write](t)(streams[0].Create("sum", map[string]any{"n": 0}))
	for _, stream := range streams {
		for _, db := range dbs {
			_ = db.Sync(t.Context()) // it may fail
		}
		if err := stream.Until(t.Context(), func(s *client.Stream) bool {
			_, there := s.Row(shared.Object)
			return there
		}); err != nil {
			t.Fatal(err)
		}
		for range 25 {
			must[*client.Write](t)(stream.Update(shared.Object, map[string]any{"inc": map[string]int{"n": 1}}))
			must[*client.Write](t)(stream.Create("t", map[string]any{}))
		}
	}
	bad.Store(false)
	for i, stream := range streams {
		if err := dbs[i].Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := stream.Settled(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for i, stream := range streams {
		if err := dbs[i].Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		row, _ := stream.Row(shared.Object)
		if !strings.Contains(string(row.JSON), `"n":100`) || stream.Len() != 101 || stream.Head() != 201 {
			t.Errorf("client %d: %s, %d objects, head %d", i, row.JSON, stream.Len(), stream.Head())
		}
	}
}

// A token that has ended is fetched anew at once; a stream that was closed is opened anew; what a server asks to wait is waited.
func TestTokensThatEnd(t *testing.T) {
	var valid atomic.Value
	valid.Store("one")
	var asked, unauthorized atomic.Int64
	s := servertest.New(t, func(c *server.Config) { c.Auth = tokens{&valid, &unauthorized} })
	db := s.Client(func(o *client.Options) {
		o.Token = func(context.Context) (string, error) { asked.Add(1); return valid.Load().(string), nil }
	})
	stream := must[*client.Stream](t)(db.Stream(t.Context(), "s"))
	w := must[*client.Write](t)(stream.Create("t", map[string]any{}))
	if _, err := w.Persisted(t.Context()); err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int64
	db2 := s.Client(func(o *client.Options) {
		o.Token = func(context.Context) (string, error) {
			if calls.Add(1) == 1 {
				return "one", nil
			}
			return "two", nil
		}
	})
	valid.Store("two") // the first answer of the function is the old one
	again := must[*client.Stream](t)(db2.Stream(t.Context(), "s"))
	if err := again.Until(t.Context(), func(s *client.Stream) bool { return s.Len() == 1 }); err != nil {
		t.Fatal(err)
	}
	if state := again.Status().State; state == "held" {
		t.Error(state)
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Create("t", map[string]any{}); action.CodeOf(err) != action.CodeClosed {
		t.Errorf("%v", err)
	}
	stream = must[*client.Stream](t)(db.Stream(t.Context(), "s"))
	w = must[*client.Write](t)(stream.Create("t", map[string]any{}))
	if _, err := w.Persisted(t.Context()); err != nil {
		t.Error(err)
	}
}

// tokens lets in who has the one that is valid now.
type tokens struct {
	valid *atomic.Value
	wrong *atomic.Int64
}

func (a tokens) Authenticate(r *http.Request) (server.Principal, error) {
	if r.Header.Get("Authorization") != "Bearer "+a.valid.Load().(string) {
		a.wrong.Add(1)
		return server.Principal{}, &action.Error{Code: action.CodeUnauthorized, Message: "who are you?"}
	}
	return server.Principal{Subject: "ada"}, nil
}

func (tokens) Allow(server.Principal, string, server.Right) bool { return true }
