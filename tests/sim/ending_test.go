package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop/virtual"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/queue"
)

// Nothing hangs: whatever ends a commit, a turn or a stream, everybody who waits for it hears of it.

func latency(ms int64) func(*rand.Rand) int64 { return func(*rand.Rand) int64 { return ms } }

// Close answers also while a stream is being opened.
func TestCloseWhileAStreamOpens(t *testing.T) {
	w := newWorld(t, 1)
	w.Latency = latency(10)
	tb := w.openAsync(memstore.New())
	called := false
	tb.db.Close(func(error) { called = true })
	w.Run(60 * minute)
	if !called {
		t.Fatal("Close's callback was never called")
	}
}

// A turn that cannot be committed is a failure, not activity.
func TestAFullDiskDoesNotSpinTheLoop(t *testing.T) {
	w := newWorld(t, 1)
	w.Latency = latency(10)
	p := memstore.New()
	a, b := w.open(p), w.open(memstore.New())
	p.Fail = func(op, _ string, _ locallog.LSN) error {
		if op == "append" {
			return &action.Error{Code: action.CodeQuota}
		}
		return nil
	}
	b.write(create(1, `{}`))
	w.Run(2 * minute)
	n := len(a.net.requests)
	w.Run(minute)
	if n = len(a.net.requests) - n; n > 15 {
		t.Fatalf("%d requests in a minute", n)
	}
}

// A stream that stops while an answer waits for its commit lets the loop of the others go on.
func TestARecordOfNewerCodeDoesNotHoldTheLoop(t *testing.T) {
	w := newWorld(t, 1)
	w.Latency = latency(10)
	p := memstore.New()
	a := w.open(p)
	w.Run(minute)
	a.db.Open("other", plan.Options{}, func(*virtual.Stream, error) {})
	w.Run(3 * minute)
	// another tab with newer code commits a record of version 2
	st := p.Open()
	recs, _ := st.Load(context.Background(), stream, 0)
	if err := st.Append(context.Background(), stream, locallog.LSN(len(recs.Records)), []byte{7, 't', 0, 0, 0, 0, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	// find the moment: a hint comes while a request is under way
	a.db.Wake("test")
	w.Run(2)
	w.Run(6)    // request sent (5), answer comes at ~10
	a.Refresh() // load from 8 to 18
	w.Run(5 * minute)
	n, told := len(a.net.requests), false
	a.db.Sync(func(error) { told = true })
	w.Run(60 * minute)
	if len(a.net.requests) == n || !told {
		t.Fatal("the loop of the other stream is stuck")
	}
}

// After a record that this code cannot read, writes fail; none hangs, and neither does Close.
func TestARecordOfNewerCodeEndsTheWrites(t *testing.T) {
	w := newWorld(t, 1)
	p := memstore.New()
	a := w.open(p)
	w.Run(minute)
	st := p.Open()
	recs, _ := st.Load(context.Background(), stream, 0)
	if err := st.Append(context.Background(), stream, locallog.LSN(len(recs.Records)), []byte{7, 't', 0, 0, 0, 0, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	a.try(create(1, `{}`))
	w.Run(10 * minute)
	if _, err := a.try(create(2, `{}`)); action.CodeOf(err) != action.CodeUpgrade {
		t.Fatalf("a write that can never be kept: %v", err)
	}
	w.Run(10 * minute)
	called := false
	a.Stream.Close(func() { called = true })
	w.Run(60 * minute)
	if !called || len(a.failed) == 0 && a.committed == 0 {
		t.Fatalf("close called back: %v; failed %v committed %d", called, a.failed, a.committed)
	}
}

// The log turns out to be destroyed when an unknown outcome is looked into: the loop of the others goes on.
func TestAnUnknownOutcomeThatEndsInADestroyedLog(t *testing.T) {
	w := newWorld(t, 1)
	w.Latency = latency(10)
	p := memstore.New()
	a, b := w.open(p), w.open(memstore.New())
	a.db.Open("other", plan.Options{}, func(*virtual.Stream, error) {})
	w.Run(3 * minute)
	armed := true
	p.Fail = func(op, s string, _ locallog.LSN) error {
		if s != stream || !armed {
			return nil
		}
		if op == "append" {
			return errors.New("connection closing")
		}
		if op == "load" {
			return locallog.ErrGone
		}
		return nil
	}
	b.write(create(1, `{}`))
	w.Run(5 * minute)
	n := len(a.net.requests)
	told := false
	a.db.Sync(func(error) { told = true })
	w.Run(60 * minute)
	if len(a.net.requests) == n || !told {
		t.Fatalf("the loop is stuck; closed: %v", a.closed)
	}
}

// With more streams than one request may name, every one has its turn.
func TestMoreStreamsThanOneRequestNames(t *testing.T) {
	w := newWorld(t, 1)
	a := w.open(memstore.New())
	var last *virtual.Stream
	for i := range 105 {
		a.db.Open(fmt.Sprintf("zz/%03d", i), plan.Options{}, func(s *virtual.Stream, err error) { last = s })
		w.Run(10)
	}
	if _, err := last.Write(&queue.Draft{ID: a.host.NewID(), Ops: create(1, `{}`)}); err != nil {
		t.Fatal(err)
	}
	last.Pump()
	w.Run(60 * minute)
	if st := last.Status(); st.Pending > 0 {
		t.Fatalf("%s never offered: %+v", last.Name(), st)
	}
}

// What was taken back is settled.
func TestSettledAfterAFullDisk(t *testing.T) {
	w := newWorld(t, 1)
	w.Latency = latency(10)
	p := memstore.New()
	a := w.open(p)
	p.Fail = func(op, _ string, _ locallog.LSN) error {
		if op == "append" {
			return &action.Error{Code: action.CodeQuota}
		}
		return nil
	}
	a.write(create(1, `{}`))
	called := false
	a.OnSettled(func() { called = true })
	w.Run(1000)
	p.Fail = nil
	a.write(create(2, `{}`))
	w.Run(10 * minute)
	if !called {
		t.Fatalf("settled never called, pending %d, failed %v", a.Status().Pending, a.failed)
	}
}

// The store is closed under nobody.
func TestCloseWaitsForClosingStreams(t *testing.T) {
	w := newWorld(t, 1)
	w.Latency = latency(10)
	a := w.open(memstore.New())
	a.write(create(1, `{}`))
	a.write(create(2, `{}`)) // waits for the first commit
	a.Stream.Close(func() {})
	closed := false
	a.db.Close(func(error) { closed = true })
	w.Run(10 * minute)
	if len(a.failed) > 0 || a.committed != 2 || !closed {
		t.Fatalf("committed %d, failed %v, closed %v", a.committed, a.failed, closed)
	}
}

// Unsent actions of a stream that is not open count as well.
func TestDestroyCountsClosedStreams(t *testing.T) {
	w := newWorld(t, 1)
	a := w.open(memstore.New())
	a.net.fault = func(int) fate { return lostBefore }
	a.write(create(1, `{}`))
	w.Run(100)
	a.Stream.Close(func() {})
	w.Run(100)
	a.db.Destroy(false, func(n int, err error) {
		if action.CodeOf(err) != action.CodeUnsent {
			t.Errorf("destroyed with unsent actions: %d %v", n, err)
		}
	})
	w.Run(100)
}

// A forced destroy waits for nothing.
func TestAForcedDestroyOfABrokenStore(t *testing.T) {
	w := newWorld(t, 1)
	p := memstore.New()
	a := w.open(p)
	p.Fail = func(string, string, locallog.LSN) error { return errors.New("broken") }
	a.try(create(1, `{}`))
	w.Run(100)
	called := 0
	a.db.Destroy(true, func(n int, err error) { called++ })
	w.Run(600 * minute)
	if called != 1 {
		t.Fatal("a forced destroy of a broken database never ends")
	}
}

// A hint that comes while the stream is being opened is not lost.
func TestAHintWhileAStreamOpens(t *testing.T) {
	w := newWorld(t, 1)
	w.Latency = latency(10)
	p := memstore.New()
	a := w.open(p)
	b := w.openAsync(p)
	w.Run(6) // b has read the log, and not come back
	b.net.fault = func(int) fate { return lostBefore }
	a.net.fault = func(int) fate { return lostBefore }
	a.write(create(1, `{}`))
	w.Run(0)
	b.db.Stream(stream).Refresh()
	w.Run(1)
	w.Run(20 * minute)
	if b.State().Len() != a.State().Len() {
		t.Fatalf("b misses what the hint told of: %d, %d", b.State().Len(), a.State().Len())
	}
}

// Close gives up on a store that keeps failing; the write is told as not kept.
func TestCloseOverABrokenStore(t *testing.T) {
	w := newWorld(t, 1)
	p := memstore.New()
	a := w.open(p)
	p.Fail = func(string, string, locallog.LSN) error { return errors.New("broken") }
	a.try(create(1, `{}`))
	called := false
	a.db.Close(func(error) { called = true })
	w.Run(600 * minute)
	if !called {
		t.Fatal("close never ends")
	}
}

// sync() answers also when the stream that it waited for cannot be opened.
func TestSyncWhileAnOpenFails(t *testing.T) {
	w := newWorld(t, 1)
	w.Latency = latency(10)
	p := memstore.New()
	p.Fail = func(op, _ string, _ locallog.LSN) error {
		if op == "load" {
			return &action.Error{Code: action.CodeUpgrade}
		}
		return nil
	}
	tb := w.openAsync(p)
	told := false
	tb.db.Sync(func(error) { told = true })
	w.Run(minute)
	if tb.closed == nil || !told {
		t.Fatalf("open: %v, sync answered: %t", tb.closed, told)
	}
}

// A request that was under way when sync was called may be older than the server's health: its failure is not the answer.
func TestSyncIsNotAnsweredByATurnThatBeganBefore(t *testing.T) {
	w := newWorld(t, 1)
	w.Latency = latency(10)
	tb := w.open(memstore.New())
	w.Run(1000)
	asked := len(tb.net.requests)
	tb.net.fault = func(int) fate { return busy }
	tb.write(create(1, `{}`))
	for len(tb.net.requests) == asked {
		w.Run(1)
	}
	tb.net.fault = nil
	var got error = errors.New("not told")
	tb.db.Sync(func(err error) { got = err })
	w.Run(1000)
	if got != nil || tb.Status().Pending != 0 {
		t.Fatalf("sync: %v, %d pending", got, tb.Status().Pending)
	}
}
