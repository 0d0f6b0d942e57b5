package sim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/loop/virtual"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/queue"
)

// beside opens another stream of the tab's database.
func (tb *tab) beside(name string) *virtual.Stream {
	tb.w.t.Helper()
	var s *virtual.Stream
	tb.db.Open(name, plan.Options{}, func(opened *virtual.Stream, err error) {
		if err != nil {
			tb.w.t.Fatal(err)
		}
		s = opened
	})
	tb.w.Run(50)
	if s == nil {
		tb.w.t.Fatal("the stream did not open")
	}
	return s
}

func (tb *tab) writeTo(s *virtual.Stream, ops string) {
	tb.w.t.Helper()
	if _, err := s.Write(&queue.Draft{ID: tb.host.NewID(), At: tb.w.Now(), Ops: ops}); err != nil {
		tb.w.t.Fatal(err)
	}
	s.Pump()
}

// One stream that the server has an error for, whatever it is, costs the others nothing: neither time, nor their state, nor hints.
func TestOneBadStreamCostsTheOthersNothing(t *testing.T) {
	for _, code := range []string{action.CodeForbidden, action.CodeUnavailable, action.CodeInternal, action.CodeTooLarge, action.CodeEpoch, action.CodeDeleted, action.CodeMalformed,
		action.CodeUpgrade, action.CodeRateLimited, "something-new"} {
		w := newWorld(t, 1)
		tb := w.open(memstore.New())
		bad, good := tb.beside("bad"), tb.beside("good")
		w.Run(minute)
		tb.net.item = func(stream string) *action.Error {
			if stream == "bad" {
				return &action.Error{Code: code, Message: "no"}
			}
			return nil
		}
		tb.writeTo(bad, create(1, `{}`))
		w.Run(minute)
		slowest := int64(0)
		for n := range 20 {
			tb.writeTo(good, create(n, `{}`))
			began := w.Now()
			for good.Unsent() > 0 && w.Now() < began+minute {
				w.Run(10)
			}
			slowest = max(slowest, w.Now()-began)
			w.Run(3000)
		}
		if slowest > 1000 || good.Status().State != loop.StateLive || good.Status().Err != nil {
			t.Errorf("%s: the other stream's writes take up to %d ms; it is %+v", code, slowest, good.Status())
		}
		if st := bad.Status(); st.State == loop.StateLive || st.Err == nil || st.Err.Code != code || bad.Unsent() != 1 {
			t.Errorf("%s: the stream itself is %+v", code, st)
		}
		if tb.net.listening != 1 || !strings.Contains(fmt.Sprint(tb.net.about.Streams), "good") {
			t.Errorf("%s: hints are asked about %v", code, tb.net.about.Streams)
		}
	}
}

// What is forbidden is asked for again, and sync() says that it was.
func TestForbiddenIsNotForEver(t *testing.T) {
	w := newWorld(t, 1)
	tb := w.open(memstore.New())
	forbidden := true
	tb.net.item = func(string) *action.Error {
		if forbidden {
			return &action.Error{Code: action.CodeForbidden, Message: "no"}
		}
		return nil
	}
	tb.write(create(1, `{}`))
	w.Run(5 * minute)
	if st := tb.Status(); st.State != loop.StateStopped || st.Reason != "forbidden" || st.NextAt <= w.Now() || len(tb.net.requests) > 12 {
		t.Fatalf("%+v after %d requests", st, len(tb.net.requests))
	}
	var said error
	tb.db.Sync(func(err error) { said = err })
	w.Run(1000)
	if action.CodeOf(said) != action.CodeForbidden {
		t.Error("sync() says", said)
	}
	forbidden = false
	w.Run(2 * minute)
	if st := tb.Status(); st.State != loop.StateLive || st.Pending != 0 || st.Err != nil {
		t.Errorf("%+v", st)
	}
}

// A proxy that refuses what is large, with whatever answer, is found out: all goes in smaller pieces.
func TestAProxyThatRefusesWhatIsLarge(t *testing.T) {
	for _, code := range []string{action.CodeBadAnswer, action.CodeTooLarge, action.CodeUnreachable, action.CodeMalformed, action.CodeInternal} {
		for _, limit := range []int{1 << 20, 100_000, 3_000} {
			w := newWorld(t, 1)
			tb := w.open(memstore.New())
			tb.net.proxy = func(size int) error {
				if size > limit {
					return &action.Error{Code: code}
				}
				return nil
			}
			tb.db.Offline()
			for n := range 1500 {
				tb.write(create(n, `{"title":"Something to do, with a title of some length"}`))
			}
			w.Run(30 * minute)
			if st := tb.Status(); st.Pending != 0 || st.State != loop.StateLive {
				t.Errorf("%s above %d bytes: %+v after %d requests", code, limit, st, len(tb.net.requests))
			}
		}
	}
	w := newWorld(t, 1)
	tb := w.open(memstore.New())
	for n := range 3000 {
		tb.write(create(n, `{"title":"`+strings.Repeat("x", 1000)+`"}`))
	}
	w.Run(10 * minute)
	for _, body := range tb.net.requests[:3] {
		if len(body) >= 1<<20 {
			t.Errorf("the first requests have %d bytes, more than proxies let through", len(body))
		}
	}
}

// One action that does not get through says so, and holds up nobody else; when the way is wider it goes.
func TestOneActionTooLargeForTheWay(t *testing.T) {
	for _, code := range []string{action.CodeBadAnswer, action.CodeTooLarge, action.CodeUnreachable} {
		w := newWorld(t, 1)
		tb := w.open(memstore.New())
		other := tb.beside("other")
		limit := 50_000
		tb.net.proxy = func(size int) error {
			if size > limit {
				return &action.Error{Code: code}
			}
			return nil
		}
		tb.write(create(1, `{"title":"`+strings.Repeat("x", 100_000)+`"}`))
		w.Run(2 * minute)
		tb.writeTo(other, create(2, `{}`))
		w.Run(minute)
		if st := tb.Status(); other.Unsent() != 0 || st.Pending != 1 || st.Err == nil || st.Err.Code != action.CodeTooLarge {
			t.Errorf("%s: the other stream has %d unsent; this one is %+v, %v", code, other.Unsent(), st, st.Err)
		}
		limit = 1 << 20
		w.Run(11 * minute)
		if st := tb.Status(); st.Pending != 0 || st.Err != nil {
			t.Errorf("%s: with a wider way: %+v", code, st)
		}
	}
}

// Where every second action is refused, what is sent in vain is bounded.
func TestRefusalsDoNotCostTheQueueSquared(t *testing.T) {
	w := newWorld(t, 1)
	w.actionBytes = 800
	w.start()
	tb := w.open(memstore.New())
	tb.db.Offline()
	payload := 0
	for n := range 600 {
		fields := `{"title":"` + strings.Repeat("x", 100+n%2*900) + `"}`
		payload += len(fields) + 250
		tb.write(create(n, fields))
	}
	w.Run(10 * minute)
	sent := 0
	for _, body := range tb.net.requests {
		sent += len(body)
	}
	if st := tb.Status(); st.Pending != 0 || st.Rejected != 300 || sent > 8*payload {
		t.Errorf("%d bytes are sent for %d, in %d requests: %+v", sent, payload, len(tb.net.requests), st)
	}
}

// However much waits in how many streams, no request is larger than the protocol allows, and all of it arrives.
func TestManyStreamsShareARequest(t *testing.T) {
	w := newWorld(t, 1)
	tb := w.open(memstore.New())
	tb.net.fault = func(int) fate { return lostBefore }
	streams := []*virtual.Stream{}
	for n := range 40 {
		s := tb.beside(fmt.Sprintf("s%02d", n))
		tb.writeTo(s, create(n, `{"title":"`+strings.Repeat("x", 200<<10)+`"}`))
		streams = append(streams, s)
	}
	tb.net.fault = nil
	w.Run(10 * minute)
	for _, body := range tb.net.requests {
		if len(body) > protocol.MaxRequestBytes {
			t.Errorf("a request of %d bytes", len(body))
		}
	}
	for _, s := range streams {
		if s.Unsent() > 0 {
			t.Errorf("%s: %+v", s.Name(), s.Status())
		}
	}
}

// A stream that has just been opened is starting, then syncing, then live; it is not offline.
func TestAStreamStarts(t *testing.T) {
	w := newWorld(t, 1)
	tb := w.open(memstore.New())
	w.Run(minute)
	w.Latency = latency(20)
	var states []loop.StreamState
	tb.db.Open("another", plan.Options{}, func(opened *virtual.Stream, err error) {
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, opened.Status().State)
		w.After(10, func() { states = append(states, opened.Status().State) })
		w.After(1000, func() { states = append(states, opened.Status().State) })
	})
	w.Run(2000)
	if got := fmt.Sprint(states); got != "[starting syncing live]" {
		t.Error(got)
	}
}

// When the server is back after an outage, hints are there again with the first turn that succeeds.
func TestHintsComeBackWithTheNetwork(t *testing.T) {
	w := newWorld(t, 1)
	tb := w.open(memstore.New())
	w.Run(minute)
	tb.net.refuse = true
	tb.net.fault = func(int) fate { return lostBefore }
	tb.net.hangUp()
	w.Run(3 * minute)
	tb.net.refuse, tb.net.fault = false, nil
	for tb.Status().State != loop.StateLive {
		w.Run(10)
	}
	w.Run(10)
	if tb.net.listening != 1 {
		t.Error("live, and deaf")
	}
}
