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
)

func electing(t *testing.T) (*world, *memstore.Database) {
	w := newWorld(t, 3)
	w.locks = map[*memstore.Database]*lock{}
	w.Latency = latency(10)
	return w, memstore.New()
}

func TestOneContextRunsTheLoopForAll(t *testing.T) {
	w, local := electing(t)
	leader, two, three := w.open(local), w.open(local), w.open(local)
	w.Run(1000)
	if !leader.db.Leading() || two.db.Leading() || three.db.Leading() {
		t.Fatal("not the first alone leads")
	}
	two.write(create(1, `{"from":2}`))
	w.Run(200)
	if n := two.Status().Pending; n != 0 {
		t.Errorf("a follower's write is not sent: %d pending", n)
	}
	if len(two.resolved) != 1 {
		t.Error("the follower does not hear of its write's index")
	}
	if !strings.Contains(three.rows(), `"from":2`) || !strings.Contains(leader.rows(), `"from":2`) {
		t.Error("a write in one context does not reach the others")
	}
	for i, tb := range []*tab{two, three} {
		if st := tb.Status(); st.State != loop.StateLive || st.LastSynced == 0 || st.NextAt == 0 || st.Because != "nothing to do; looking for news" {
			t.Errorf("follower %d shows %+v", i, st)
		}
	}
	w.Run(10 * minute)
	if n := len(two.net.requests) + len(three.net.requests); n > 0 {
		t.Errorf("followers made %d requests beside a leader", n)
	}
	if len(leader.net.requests) < 10 {
		t.Errorf("the leader made %d", len(leader.net.requests))
	}
	// What the leader meets, the followers show.
	leader.net.fault = func(int) fate { return busy }
	two.write(create(2, `{}`))
	w.Run(100)
	if st := three.Status(); st.State != loop.StateWaiting || st.Err == nil || st.Err.Code != action.CodeUnavailable {
		t.Errorf("a follower shows %+v while the leader is told to wait", st)
	}
	leader.net.fault = nil
	w.Run(minute)
	w.converged(leader, two, three)
}

func TestSyncInAFollowerRunsATurnThere(t *testing.T) {
	w, local := electing(t)
	leader, two := w.open(local), w.open(local)
	w.Run(1000)
	leader.host.Freeze()
	two.write(create(1, `{}`))
	var got error = fmt.Errorf("not told")
	two.db.Sync(func(err error) { got = err })
	w.Run(500)
	if got != nil || two.Status().Pending != 0 {
		t.Fatalf("%v, %d pending", got, two.Status().Pending)
	}
	w.Run(5000)
	if n := len(two.net.requests); n > 3 {
		t.Errorf("it goes on by itself: %d requests", n)
	}
}

// A leader that dies is replaced at once, a frozen one is passed by in 10 s with something to send, and in one and a half idle pauses
// without; nothing is doubled or lost when it thaws.
func TestALeaderThatStops(t *testing.T) {
	t.Run("killed", func(t *testing.T) {
		w, local := electing(t)
		leader, two := w.open(local), w.open(local)
		w.Run(1000)
		leader.kill()
		two.write(create(1, `{}`))
		w.Run(200)
		if !two.db.Leading() || two.Status().Pending != 0 {
			t.Fatalf("leading %v, %d pending", two.db.Leading(), two.Status().Pending)
		}
		w.converged(two)
	})
	t.Run("frozen", func(t *testing.T) {
		w, local := electing(t)
		leader, two := w.open(local), w.open(local)
		other := w.open(memstore.New())
		w.Run(1000)
		leader.write(create(1, `{"n":0}`))
		leader.host.Freeze() // its append may be on the way
		two.write(create(2, `{"n":0}`))
		w.Run(9_000)
		if two.Status().Pending == 0 {
			t.Fatal("the follower did not wait")
		}
		w.Run(1_500)
		if n := two.Status().Pending; n != 0 {
			t.Fatalf("after 10.5 s %d are pending", n)
		}
		other.write(create(3, `{}`))
		w.Run(90_000)
		if !strings.Contains(two.rows(), object(3)) {
			t.Error("news do not come while the leader is frozen")
		}
		if two.steals != 1 || !two.db.Leading() {
			t.Errorf("a leader that is silent for minutes is still the leader: %d steals", two.steals)
		}
		at := w.Now()
		two.write(set(2, `{"n":1}`))
		for two.Status().Pending > 0 {
			w.Run(10)
		}
		if took := w.Now() - at; took > 200 {
			t.Errorf("a write takes %d ms with a new leader", took)
		}
		leader.host.Thaw()
		w.Run(2 * minute)
		if leader.db.Leading() {
			t.Error("two lead")
		}
		w.converged(leader, two, other)
		if w.fold().Head != 4 {
			t.Errorf("%d entries", w.fold().Head)
		}
	})
	t.Run("stolen", func(t *testing.T) {
		w, local := electing(t)
		one, two := w.open(local), w.open(local)
		w.Run(1000)
		one.write(create(1, `{"n":0}`))
		w.Run(30)
		one.db.Follow()
		two.db.Lead()
		two.write(set(1, `{"n":1}`))
		w.Run(1000)
		w.converged(one, two)
		if two.Status().Pending+one.Status().Pending > 0 {
			t.Error("pending")
		}
	})
}

// A stream that the leader does not use is served all the same, for as long as somebody has it open.
func TestTheLeaderServesWhatOthersHaveOpen(t *testing.T) {
	w, local := electing(t)
	leader := w.open(local)
	w.name = "lists/2"
	two := w.open(local)
	w.Run(1000)
	two.write(create(1, `{}`))
	w.Run(500)
	if two.Status().Pending > 0 || len(two.net.requests) > 0 {
		t.Fatalf("%d pending, %d requests", two.Status().Pending, len(two.net.requests))
	}
	if leader.db.Stream("lists/2") == nil {
		t.Fatal("the leader has not opened it")
	}
	// The leader's own app opens it.
	var opened *virtual.Stream
	leader.db.Open("lists/2", plan.Options{}, func(s *virtual.Stream, err error) { opened = s })
	w.Run(500)
	if opened == nil || opened.State().Len() != 1 {
		t.Fatal("the app of the leader does not get the stream")
	}
	opened.Close(func() {})
	w.Run(500)
	two.write(create(2, `{}`)) // it is open here still
	w.Run(500)
	if two.Status().Pending > 0 {
		t.Error("a stream that the leader closed is not served any more")
	}
	two.Stream.Close(func() {})
	w.Run(500)
	if leader.db.Stream("lists/2") != nil {
		t.Error("nobody has it open, but the leader")
	}
	// A new leader hears of it too.
	w.name = ""
	third := w.open(local)
	w.name = "lists/3"
	four := w.open(local)
	w.Run(200)
	leader.kill()
	two.kill()
	four.write(create(1, `{}`))
	w.Run(500)
	if !third.db.Leading() || four.Status().Pending > 0 {
		t.Errorf("leading %v, %d pending", third.db.Leading(), four.Status().Pending)
	}
}

func TestEveryTurnLeavesATrace(t *testing.T) {
	w := newWorld(t, 1)
	tb := w.open(memstore.New())
	tb.write(create(1, `{}`))
	w.Run(100)
	tb.net.fault = func(int) fate { return busy }
	tb.db.Wake("the page became visible")
	w.Run(100)
	var lines []string
	for _, u := range tb.db.Trace() {
		lines = append(lines, fmt.Sprintf("%s: %d %d %d %s", u.Because, u.Fetched, u.Persisted, u.Rejected, u.Code))
	}
	got := strings.Join(lines, "\n")
	for _, want := range []string{"start: 0 0 0 ", "a new local action: 0 1 0 ", "activity in the last turn: 0 0 0 ", "the page became visible: 0 0 0 unavailable"} {
		if !strings.Contains(got, want) {
			t.Errorf("the trace lacks %q:\n%s", want, got)
		}
	}
	for range 300 {
		tb.db.Wake("x")
		w.Run(1)
	}
	if n := len(tb.db.Trace()); n > 100 {
		t.Errorf("%d turns are remembered", n)
	}
}
