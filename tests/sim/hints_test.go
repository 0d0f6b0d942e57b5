package sim

import (
	"fmt"
	"slices"
	"testing"

	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/loop/virtual"
	"github.com/strandline-sync/strandline/core/protocol"
)

func TestAHintBringsNewsAtOnce(t *testing.T) {
	w := newWorld(t, 1)
	w.Latency = latency(10)
	a, b := w.open(memstore.New()), w.open(memstore.New())
	w.Run(2 * minute)
	begun := w.Now()
	a.write(create(1, `{}`))
	for b.State().Len() == 0 {
		if w.Run(1); w.Now() > begun+200 {
			t.Fatal("the other one has not heard of it after 200 ms")
		}
	}
	t.Logf("after %d ms, of which 4 ways of 10 ms", w.Now()-begun)
	n := len(a.net.requests)
	w.Run(30_000)
	if more := len(a.net.requests) - n; more > 3 { // a hint of its own append is no news
		t.Errorf("the writer made %d requests more", more)
	}
	w.converged(a, b)
}

// One connection for each profile: the leader's. The next leader makes another.
func TestOnlyTheLeaderListens(t *testing.T) {
	w := newWorld(t, 2)
	w.locks = map[*memstore.Database]*lock{}
	local := memstore.New()
	tabs := []*tab{w.open(local), w.open(local), w.open(local)}
	w.Run(minute)
	count := func(want ...int) {
		t.Helper()
		for i, tb := range tabs {
			if tb.net.listening != want[i] {
				t.Fatalf("tab %d has %d connections, want %d", i, tb.net.listening, want[i])
			}
		}
	}
	count(1, 0, 0)
	tabs[0].db.Close(func(error) {})
	tabs[0].kill()
	w.Run(minute)
	count(0, 1, 0)
	tabs[1].db.Follow()
	w.Run(minute)
	count(0, 0, 0)
}

// What is wrong with hints costs little and breaks nothing.
func TestHintsAreOnlyHints(t *testing.T) {
	w := newWorld(t, 3)
	a, b := w.open(memstore.New()), w.open(memstore.New())
	w.Run(2 * minute)
	n := len(b.net.requests)
	for range 50 {
		w.engine.watchers[1].heard(stream, 1000) // there is nothing
	}
	w.Run(1000)
	if got := len(b.net.requests) - n; got != 1 {
		t.Errorf("a wrong hint led to %d turns", got)
	}
	w.engine.watchers = nil // nobody hears anything any more
	a.write(create(1, `{}`))
	w.Run(2 * minute)
	w.converged(a, b)
}

func TestAConnectionForHintsThatEndsIsMadeAgain(t *testing.T) {
	w := newWorld(t, 4)
	a, b := w.open(memstore.New()), w.open(memstore.New())
	w.Run(2 * minute)
	b.net.hangUp()
	w.Run(100)
	if b.net.listening != 0 {
		t.Fatal("it is there")
	}
	b.net.refuse = true
	w.Run(10 * minute)
	if b.net.dialled > 12 {
		t.Errorf("it was tried %d times in ten minutes", b.net.dialled)
	}
	b.net.refuse = false
	w.Run(2 * minute)
	if b.net.listening != 1 {
		t.Fatal("it was not made again")
	}
	a.write(create(1, `{}`))
	w.Run(100)
	w.converged(b)
}

// Where a connection for hints cannot be had, the loop looks whether the server is there, long before it would: what says "live" may not be.
func TestWithoutHintsTheStateIsLookedAt(t *testing.T) {
	w := newWorld(t, 6)
	w.data = &dataWorld{w: w, logs: map[string]int{"log/1": 0}}
	a := w.open(memstore.New())
	a.data.open("log/1")
	w.Run(2 * minute)
	hangUp := func() {
		t.Helper()
		a.net.hangUp()
		if a.data.status("log/1").State != loop.StateLive || a.Status().State != loop.StateLive {
			t.Fatalf("one end is no news: %s, %s", a.data.status("log/1").State, a.Status().State)
		}
	}
	n, turns := len(a.net.requests), a.data.turns
	hangUp() // and the next one is there: that the last one has ended is all that was wrong
	w.Run(6_000)
	if len(a.net.requests)-n > 1 || a.data.turns-turns > 1 || a.net.listening != 1 {
		t.Fatalf("%d turns, %d of the data stream, %d connections", len(a.net.requests)-n, a.data.turns-turns, a.net.listening)
	}
	a.net.heard(protocol.Hint{Stream: stream, Head: a.Status().Head})
	a.net.refuse = true
	a.net.fault = func(int) fate { return lostBefore }
	a.data.fails = func(string) error { return errUnreachable }
	hangUp()
	w.Run(7_000)
	if a.data.status("log/1").State != loop.StateWaiting || a.Status().State != loop.StateWaiting {
		t.Fatalf("%s, %s", a.data.status("log/1").State, a.Status().State)
	}
}

// Data streams share the leader's connection: one is made where there was none, and is made anew when what it is about changes.
func TestDataStreamsShareTheConnection(t *testing.T) {
	w := newWorld(t, 5)
	w.locks = map[*memstore.Database]*lock{}
	w.data = &dataWorld{w: w, logs: map[string]int{}}
	local := memstore.New()
	a, b := w.open(local), w.open(local)
	w.Run(minute)
	b.data.open("log/0") // it does not lead: the other one listens for it
	a.data.open("log/1")
	a.data.open("log/2")
	w.Run(1000)
	if a.net.listening != 1 || b.net.listening != 0 || !slices.Equal(a.net.about.Data, []string{"log/0", "log/1", "log/2"}) || !slices.Equal(a.net.about.Streams, []string{stream}) {
		t.Fatalf("%d and %d connections, about %v", a.net.listening, b.net.listening, a.net.about)
	}
	dialled := a.net.dialled
	w.Run(2 * minute)
	if a.net.dialled != dialled {
		t.Error("a connection was made anew for nothing")
	}
	w.data.logs["log/2"] = 7
	a.net.heard(protocol.Hint{Data: "log/2", Offset: "7"})
	w.Run(100)
	if got := a.data.row("log/2").fetched; got != 7 {
		t.Errorf("it has %d entries", got)
	}
	a.Close(func() {})
	a.data.close("log/1")
	w.Run(3 * minute) // no stream of actions is open here
	if a.net.listening != 1 || !slices.Equal(a.net.about.Data, []string{"log/0", "log/2"}) {
		t.Errorf("%d connections, about %v", a.net.listening, a.net.about)
	}
	a.db.Close(func(error) {})
	a.kill()
	w.Run(minute)
	if b.net.listening != 1 || !slices.Equal(b.net.about.Data, []string{"log/0"}) {
		t.Errorf("the next leader: %d connections, about %v", b.net.listening, b.net.about)
	}
}

// All that is open is pushed, however many streams that are (F5).
func TestHintsOfManyStreams(t *testing.T) {
	w := newWorld(t, 1)
	a, b := w.open(memstore.New()), w.open(memstore.New())
	var last *virtual.Stream
	for n := range 250 {
		last = a.beside(fmt.Sprintf("zz/%03d", n))
	}
	theirs := b.beside(last.Name())
	w.Run(3 * minute)
	if len(a.net.about.Streams) != 251 {
		t.Fatalf("%d names are listened for", len(a.net.about.Streams))
	}
	b.writeTo(theirs, create(1, `{}`))
	w.Run(2000)
	if last.State().Len() != 1 {
		t.Error("it has not heard of it")
	}
}
