package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/strandline-sync/strandline/client"
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/engine/memory"
)

// rebuild: a server is restored to a log of so many entries, which a client in Go has followed, with 100 actions that were sent since.
func rebuild() error {
	for _, entries := range []int{10_000, 100_000} {
		took, err := rebuildOf(entries)
		if err != nil {
			return err
		}
		fmt.Printf("a rebuild over %7d:    a client in Go has another log, and 100 actions in it again, after %.2f s, one of them of doubt\n", entries, took.Seconds())
	}
	return nil
}

func rebuildOf(entries int) (time.Duration, error) {
	ctx := context.Background()
	e := memory.New()
	over := func(e engine.Engine) *server.Server {
		return server.New(server.Config{Engine: e, Auth: server.None(), Log: quiet(), CheckpointBytes: -1})
	}
	var now atomic.Pointer[server.Server]
	now.Store(over(e))
	for i := range entries {
		op := `{"op":"create","object":"` + uuid(3, 0, i) + `","type":"todo","fields":{"title":"something to be done","done":false,"n":` + fmt.Sprint(i) + `}}`
		if _, err := now.Load().Append(ctx, server.Write{Stream: "s", Writer: "w", Ops: op}); err != nil {
			return 0, err
		}
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { now.Load().ServeHTTP(w, r) }))
	defer web.Close()
	db, err := client.Open(client.Options{URL: web.URL})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	stream, err := db.Stream(ctx, "s")
	if err == nil {
		err = stream.Until(ctx, func(s *client.Stream) bool { return s.Head() == uint64(entries) })
	}
	if err != nil {
		return 0, err
	}
	backup := e.Clone()
	write := func() error {
		_, err := stream.Create("todo", map[string]any{"title": "own"})
		return err
	}
	for range 100 {
		if err := write(); err != nil {
			return 0, err
		}
	}
	if err := stream.Settled(ctx); err != nil {
		return 0, err
	}
	n := 0
	restored, err := backup.Restored(func() action.UUID { n++; return action.UUID{8: 0x80, 14: byte(n >> 8), 15: byte(n)} })
	if err != nil {
		return 0, err
	}
	old := now.Swap(over(restored))
	old.Close()
	began := time.Now()
	if err := write(); err != nil { // it is sent at once
		return 0, err
	}
	err = stream.Until(ctx, func(s *client.Stream) bool { return len(s.Resets()) == 1 && s.Status().Pending == 0 })
	return time.Since(began), err
}
