package protocol

import (
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine/memory"
)

// A program appends to the streams of the server that it holds: once, though it asks again; with what came of it; within limits; and hears of appends.
func TestAProgramAppends(t *testing.T) {
	var mu sync.Mutex
	var heard []uint64
	engine := memory.New()
	open := func() *server.Server {
		s := server.New(server.Config{Engine: engine, Auth: server.None(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), MaxActionBytes: 1000, Background: func(f func()) { f() },
			OnAppended: func(stream string, head uint64) {
				mu.Lock()
				defer mu.Unlock()
				heard = append(heard, head)
			}})
		t.Cleanup(s.Close)
		return s
	}
	s := open()
	id := action.UUID{15: 7}
	create := `{"op":"create","object":"` + objectID(1) + `","type":"t","fields":{"n":1}}`
	first, err := s.Append(t.Context(), server.Write{Stream: "s", Writer: "import", ID: id, Ops: create})
	if err != nil || first.Index != 1 || first.ID != id || first.Again || first.Effect.Discarded {
		t.Fatalf("%+v, %v", first, err)
	}
	for _, s := range []*server.Server{s, open()} { // also after a crash between the append and its answer
		if again, err := s.Append(t.Context(), server.Write{Stream: "s", Writer: "import", ID: id, Ops: create}); err != nil || again.Index != 1 || !again.Again {
			t.Fatalf("%+v, %v", again, err)
		}
	}
	s = open()
	none, err := s.Append(t.Context(), server.Write{Stream: "s", Writer: "import", Ops: `[{"op":"update","object":"` + objectID(9) + `","set":{"n":2}}]`})
	if err != nil || none.Index != 2 || !none.Effect.Ops[0].Discarded {
		t.Fatalf("an action that changes nothing: %+v, %v", none, err)
	}
	for name, w := range map[string]server.Write{
		"malformed": {Stream: "s", Writer: "w", Ops: `{"op":"explode"`},
		"upgrade":   {Stream: "s", Writer: "w", Ops: `{"op":"explode"}`},
		"too-large": {Stream: "s", Writer: "w", Ops: `{"op":"create","object":"` + objectID(2) + `","type":"t","fields":{"a":"` + strings.Repeat("x", 1000) + `"}}`},
	} {
		if _, err := s.Append(t.Context(), w); action.CodeOf(err) != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, w := range []server.Write{{Stream: "a b", Writer: "w", Ops: create}, {Stream: "s", Ops: create}, {Stream: "s", Writer: "w", Ops: `[],"seq":9,"ops":[` + create + `]`}} {
		if _, err := s.Append(t.Context(), w); action.CodeOf(err) != "malformed" {
			t.Errorf("%+v: %v", w, err)
		}
	}
	// Clients see who wrote it, and go on from there.
	log, err := engine.Log(t.Context(), "s")
	entries, _ := engine.Read(t.Context(), "s", 0, 10, 1<<20)
	if err != nil || log.Head != 2 || entries[0].By != "import" {
		t.Errorf("%+v, %v, %+v", log, err, entries)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := s.Append(t.Context(), server.Write{Stream: "s", Writer: "import", Ops: `{"op":"update","object":"` + objectID(1) + `","inc":{"n":1}}`}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if log, _ := engine.Log(t.Context(), "s"); log.Head != 22 {
		t.Errorf("%+v", log)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(heard) != 22 || heard[0] != 1 {
		t.Errorf("%v", heard)
	}
}
