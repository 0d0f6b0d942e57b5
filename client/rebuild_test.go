package client_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/strandline-sync/strandline/client"
	"github.com/strandline-sync/strandline/client/file"
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine/memory"
)

// A server is restored under a client with a file. What was sent since returns, out of the file too, and what became of it is told later, too.
func TestARestoredServer(t *testing.T) {
	ctx := t.Context()
	e := memory.New()
	var now atomic.Pointer[server.Server]
	serve := func(e *memory.Engine) {
		s := server.New(server.Config{Engine: e, Auth: server.None()})
		t.Cleanup(s.Close)
		now.Store(s)
	}
	serve(e)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { now.Load().ServeHTTP(w, r) }))
	defer web.Close()
	path := filepath.Join(t.TempDir(), "client.db")
	open := func() (*client.DB, *client.Stream) {
		db := must[*client.DB](t)(client.Open(client.Options{URL: web.URL, Store: must[*file.Store](t)(file.Open(path))}))
		return db, must[*client.Stream](t)(db.Stream(ctx, "todos"))
	}
	db, s := open()
	write := func(title string) {
		must[*client.Write](t)(s.Create("todo", map[string]any{"title": title}))
	}
	write("before")
	if err := s.Settled(ctx); err != nil {
		t.Fatal(err)
	}
	backup := e.Clone()
	for i := range 300 { // more than a checkpoint of the file's holds beside its pages
		write(fmt.Sprintf("since %0200d", i))
	}
	if err := s.Settled(ctx); err != nil {
		t.Fatal(err)
	}
	db.Close()
	now.Load().Close()
	serve(must[*memory.Engine](t)(backup.Restored(func() action.UUID { return action.UUID(uuid.New()) })))
	db, s = open()
	write("offline")
	if err := s.Until(ctx, func(s *client.Stream) bool { return len(s.Resets()) == 1 && s.Status().Pending == 0 }); err != nil {
		t.Fatal(err)
	}
	if r := s.Resets()[0]; len(r.Returned) != 300 || r.Common != 1 || len(r.Refused)+len(r.Dropped)+len(r.Unknown)+len(r.Lost) != 0 {
		t.Errorf("%d returned, common %d, %+v", len(r.Returned), r.Common, r)
	}
	if head := s.Head(); head != 302 {
		t.Errorf("the log has %d entries", head)
	}
	db.Close()
	db, s = open()
	defer db.Close()
	if len(s.Resets()) != 1 || s.Len() != 302 {
		t.Errorf("%d resets, %d rows", len(s.Resets()), s.Len())
	}
}
