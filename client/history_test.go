package client_test

import (
	"net/http/httptest"
	"testing"

	"github.com/strandline-sync/strandline/client"
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine/memory"
)

func TestHistory(t *testing.T) {
	ctx := t.Context()
	srv := server.New(server.Config{Engine: memory.New(), Auth: server.None()})
	t.Cleanup(srv.Close)
	web := httptest.NewServer(srv)
	defer web.Close()
	db := must[*client.DB](t)(client.Open(client.Options{URL: web.URL}))
	defer db.Close()
	s := must[*client.Stream](t)(db.Stream(ctx, "todos"))
	w := must[*client.Write](t)(s.Create("todo", map[string]any{"title": "a"}))
	must[*client.Write](t)(s.Set(w.Object, map[string]any{"title": "b"}))
	if err := s.Settled(ctx); err != nil {
		t.Fatal(err)
	}
	h := must[*client.History](t)(s.History(ctx, w.Object))
	if len(h.Changes) != 2 || h.Head != 2 || h.From != 0 || h.More || h.Changes[0].Kind != "create" || h.Changes[0].Action != w.Action || h.Changes[1].Changed[0] != "title" ||
		h.Changes[1].At.IsZero() || h.Changes[1].Client == action.Nil || len(h.Changes[1].Row) == 0 {
		t.Errorf("%+v", h)
	}
	away := must[*client.DB](t)(client.Open(client.Options{URL: "http://127.0.0.1:1"}))
	defer away.Close()
	if _, err := must[*client.Stream](t)(away.Stream(ctx, "todos")).History(ctx, w.Object); action.CodeOf(err) != action.CodeUnreachable {
		t.Error(err)
	}
	alone := must[*client.DB](t)(client.Open(client.Options{}))
	defer alone.Close()
	if _, err := must[*client.Stream](t)(alone.Stream(ctx, "todos")).History(ctx, w.Object); action.CodeOf(err) != action.CodeUnreachable {
		t.Error(err)
	}
}
