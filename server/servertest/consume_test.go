package servertest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/engine/memory"
	"github.com/strandline-sync/strandline/server/servertest"
	"github.com/strandline-sync/strandline/tests/patience"
)

// heard notes what a consumer hears.
type heard struct {
	mu    sync.Mutex
	lines []string
	fail  func(c *server.Consumed) error
}

func (h *heard) hear(_ context.Context, c *server.Consumed) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fail != nil {
		if err := h.fail(c); err != nil {
			return err
		}
	}
	if c.Err != nil {
		h.lines = append(h.lines, fmt.Sprintf("%s %v", c.Stream, c.Err))
	}
	for _, e := range c.Entries {
		h.lines = append(h.lines, fmt.Sprintf("%s %d %s", c.Stream, e.Index, e.By))
	}
	return nil
}

// of gives what was heard of a stream.
func (h *heard) of(stream string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, l := range h.lines {
		if rest, is := strings.CutPrefix(l, stream+" "); is {
			out = append(out, rest)
		}
	}
	return strings.Join(out, ", ")
}

// consume runs a consumer until stop is called, or the test ends.
func consume(t *testing.T, s *servertest.Server, h *heard) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Consume(ctx, "billing", "orders/*", h.hear) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

func add(t *testing.T, s *servertest.Server, stream string, n int) {
	t.Helper()
	for range n {
		if _, err := s.Append(t.Context(), server.Write{Stream: stream, Writer: "shop", Ops: `{"op":"create","object":"` + newID(t) + `","type":"order","fields":{}}`}); err != nil {
			t.Fatal(err)
		}
	}
}

var ids int

func newID(t *testing.T) string {
	t.Helper()
	ids++
	return fmt.Sprintf("0b1ec700-0000-4000-8000-%012d", ids)
}

func wants(t *testing.T, h *heard, stream, want string) {
	t.Helper()
	patience.True(t, stream+" to be heard", func() bool { return h.of(stream) == want || len(h.of(stream)) > len(want) })
	if got := h.of(stream); got != want {
		t.Errorf("%s: heard %q, want %q", stream, got, want)
	}
}

// A consumer hears each entry of its streams, in order, from where it was, whatever becomes of one of them.
func TestAConsumerHearsAll(t *testing.T) {
	logs := memory.New()
	s := servertest.New(t, func(c *server.Config) { c.Engine = logs })
	add(t, s, "orders/1", 2)
	add(t, s, "other/1", 1)
	h := &heard{}
	broken := true
	h.fail = func(c *server.Consumed) error {
		if c.Stream == "orders/2" && broken {
			broken = false
			if len(c.Entries) == 2 {
				panic("a bug of the app")
			}
			return errors.New("the mail server is away")
		}
		return nil
	}
	stop := consume(t, s, h)
	wants(t, h, "orders/1", "1 shop, 2 shop")
	add(t, s, "orders/2", 1)
	add(t, s, "orders/1", 1)
	wants(t, h, "orders/1", "1 shop, 2 shop, 3 shop") // while the other one waits for its next try
	wants(t, h, "orders/2", "1 shop")
	if err := s.Consume(t.Context(), "billing", "**", h.hear); err == nil || !strings.Contains(err.Error(), "at work") {
		t.Errorf("twice: %v", err)
	}
	stop()
	add(t, s, "orders/1", 1)
	if err := logs.Delete(t.Context(), "orders/2"); err != nil { // behind the server's back, as a restore does
		t.Fatal(err)
	}
	next := servertest.New(t, func(c *server.Config) { c.Engine = logs })
	add(t, next, "orders/2", 2)
	h2 := &heard{}
	stop = consume(t, next, h2)
	wants(t, h2, "orders/1", "4 shop")
	wants(t, h2, "orders/2", "another log is in the place of the one that was consumed, above 0, 1 shop, 2 shop")
	if got := h2.of("other/1"); got != "" {
		t.Error(got)
	}
	stop()
	for _, bad := range [][2]string{{"", "**"}, {"x", ""}, {"x", "a//b"}, {"x", "user/{sub}/*"}} {
		if err := next.Consume(t.Context(), bad[0], bad[1], h.hear); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

// A log that was restored and went on differently is told from where on it is another one; what is not kept is told, too.
func TestAConsumerOfAFork(t *testing.T) {
	logs := memory.New()
	s := servertest.New(t, func(c *server.Config) { c.Engine = logs })
	h := &heard{}
	stop := consume(t, s, h)
	add(t, s, "orders/1", 3)
	wants(t, h, "orders/1", "1 shop, 2 shop, 3 shop")
	stop()
	backup := logs.Clone()
	stop = consume(t, s, h)
	add(t, s, "orders/1", 100) // more than there are marks
	patience.True(t, "all to be heard", func() bool { return strings.HasSuffix(h.of("orders/1"), "103 shop") })
	stop()
	cursor, err := logs.Cursor(t.Context(), "billing", "orders/1")
	if err != nil || len(cursor) > 4000 {
		t.Fatalf("%d bytes, %v", len(cursor), err)
	}
	if err := backup.PutCursor(t.Context(), "billing", "orders/1", cursor); err != nil {
		t.Fatal(err)
	}
	forked := servertest.New(t, func(c *server.Config) { c.Engine = backup; c.CheckpointBytes = -1 })
	add(t, forked, "orders/1", 2)
	h = &heard{}
	stop = consume(t, forked, h)
	patience.True(t, "the fork to be heard", func() bool { return strings.HasSuffix(h.of("orders/1"), "5 shop") })
	if got := h.of("orders/1"); got != "another log is in the place of the one that was consumed, above 3, 4 shop, 5 shop" {
		t.Error(got)
	}
	stop()
	add(t, forked, "orders/1", 20)
	log, err := backup.Log(t.Context(), "orders/1")
	if err != nil {
		t.Fatal(err)
	}
	c := &engine.Checkpoint{Index: 20, Epoch: log.Epoch, Owners: []byte("{}"), Leases: []byte("{}")}
	if err := backup.PutCheckpoint(t.Context(), "orders/1", c, 19); err != nil {
		t.Fatal(err)
	}
	h = &heard{}
	consume(t, forked, h)
	wants(t, h, "orders/1", "entries below 19 are not kept, 19 shop, 20 shop, 21 shop, 22 shop, 23 shop, 24 shop, 25 shop")
}
