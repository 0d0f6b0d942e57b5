package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/loop/virtual"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/replica"
)

// damages flips a bit in the body of each place that matches.
func damages(t *testing.T, local *memstore.Database, match func(name string, b []byte) bool) {
	t.Helper()
	n := 0
	local.Damage(stream, func(name string, b []byte) []byte {
		if match(name, b) {
			b[len(b)-1] ^= 4
			n++
		}
		return b
	})
	if n == 0 {
		t.Fatal("there is nothing to damage")
	}
}

// record matches the nth record of a kind.
func record(kind byte, nth int) func(string, []byte) bool {
	return func(name string, b []byte) bool {
		if !strings.HasPrefix(name, "record") || b[1] != kind {
			return false
		}
		nth--
		return nth == -1
	}
}

// repaired repairs a tab's stream, and fails unless that succeeds.
func (tb *tab) repaired(within int64) {
	tb.w.t.Helper()
	if st := tb.Status(); st.Reason != "corrupt" {
		tb.w.t.Fatalf("it is not damaged: %+v", st)
	}
	done, failed := false, error(nil)
	tb.Repair(func(err error) { done, failed = true, err })
	tb.w.Run(within)
	if !done || failed != nil {
		tb.w.t.Fatalf("repaired %v, %v: %+v", done, failed, tb.Status())
	}
}

// times is how often an action is in the log.
func (w *world) times(id string) (n int) {
	for _, a := range w.engine.actions[stream] {
		if a.ID.String() == id {
			n++
		}
	}
	return n
}

func TestARepairOfADeletedLog(t *testing.T) {
	w := newWorld(t, 1)
	local := memstore.New()
	a := w.open(local)
	for n := range 2 {
		a.write(create(n, `{"title":"secret"}`))
		w.Run(2 * minute)
	}
	a.kill()
	w.deleteLog()
	damages(t, local, record('t', 1))
	b := w.open(local)
	b.repaired(10 * minute)
	if n := len(w.engine.logs[stream]); n != 0 || len(b.RejectedList()) != 2 || b.RejectedList()[0].Code != action.CodeDeleted {
		t.Errorf("%d entries are back; refused %+v; %+v", n, b.RejectedList(), b.resets)
	}
}

// What was refused, and was dealt with, is not sent, though the turn that told so cannot be read.
func TestARepairOfWhatWasDealtWith(t *testing.T) {
	for _, retried := range []bool{false, true} {
		w := newWorld(t, 2)
		w.limit(1000)
		local := memstore.New()
		a := w.open(local)
		a.write(create(1, `{"text":"`+strings.Repeat("x", 2000)+`"}`))
		w.Run(2 * minute)
		id := a.RejectedList()[0].ID
		if retried {
			d := &queue.Draft{ID: a.host.NewID(), At: w.Now()}
			if err := a.Retry(d, id, `{"set":{"text":"short"}}`); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Write(d); err != nil {
				t.Fatal(err)
			}
			a.Pump()
		} else {
			a.Discard(id, func(err error) {})
		}
		w.Run(2 * minute)
		a.kill()
		w.limit(100_000)
		damages(t, local, record('t', 0))
		b := w.open(local)
		b.repaired(10 * minute)
		if w.times(id.String()) != 0 || len(w.engine.actions[stream]) != map[bool]int{true: 1}[retried] {
			t.Errorf("retried %v: %d entries", retried, len(w.engine.actions[stream]))
		}
	}
}

// Without the server that it had, a stream goes on with all that could be read; and is the server's again when that is back.
func TestARepairWithoutTheServer(t *testing.T) {
	for _, kind := range []byte{'c', 't'} {
		for _, compact := range []int{0, 1000} {
			w := newWorld(t, 3)
			w.compact = compact
			local := memstore.New()
			other, a := w.open(memstore.New()), w.open(local)
			for n := range 20 {
				other.write(create(n, fmt.Sprintf(`{"n":%d}`, n)))
				a.write(create(100+n, fmt.Sprintf(`{"n":%d}`, n)))
				w.Run(minute)
			}
			a.kill()
			if compact > 0 {
				damages(t, local, func(name string, b []byte) bool { return strings.HasPrefix(name, "page") && b[1] == 'p' })
			} else {
				damages(t, local, record(kind, 19))
			}
			w.alone = true
			b := w.open(local)
			seen := b.rows()
			b.repaired(10 * minute)
			if b.rows() != seen {
				t.Errorf("%c %d: %s", kind, compact, difference(b.rows(), seen))
			}
			b.write(create(300, `{"title":"alone"}`))
			w.Run(minute)
			b.kill()
			w.alone = false
			c := w.open(local)
			w.Run(10 * minute)
			w.converged(c, other)
			for _, x := range w.engine.actions[stream] {
				if n := w.times(x.ID.String()); n != 1 {
					t.Errorf("%c %d: %s is in the log %d times", kind, compact, x.ID, n)
				}
			}
			if !strings.Contains(other.rows(), "alone") || strings.Count(other.rows(), "\n") != 41 {
				t.Errorf("%c %d: %d rows", kind, compact, strings.Count(other.rows(), "\n"))
			}
		}
	}
}

// cutOff has tabs that are opened from now on not reach the server, until reconnect.
func (w *world) cutOff() (reconnect func()) {
	reach := lostBefore
	w.change = func(tb *tab, _ *virtual.Config) {
		tb.net.fault = func(int) fate { return reach }
	}
	return func() { reach = pass }
}

// Whoever repairs, what another tab has in memory alone is not lost, and it is not told that it was.
func TestARepairBesideATabThatHasAllInMemory(t *testing.T) {
	for _, looks := range []bool{false, true} {
		w := newWorld(t, 4)
		w.locks = map[*memstore.Database]*lock{}
		reconnect := w.cutOff()
		local := memstore.New()
		a := w.open(local)
		ticket := a.write(create(1, `{"title":"1"}`))
		w.Run(1000)
		id := a.pendingIDs()[0]
		damages(t, local, record('c', 0))
		if looks {
			a.Refresh()
			w.Run(1000)
		}
		b := w.open(local)
		b.Repair(func(err error) {
			if err != nil {
				t.Error(err)
			}
		})
		reconnect()
		w.Run(10 * minute)
		if w.times(id) != 1 || a.refused[ticket].Code != "" || b.Status().State != loop.StateLive {
			t.Errorf("looks %v: in the log %d times; told %+v; %+v", looks, w.times(id), a.refused[ticket].Rejection, b.Status())
		}
		w.converged(a, b)
	}
}

// Another tab writes on while one repairs.
func TestARepairWhileOthersWrite(t *testing.T) {
	w := newWorld(t, 5)
	w.locks = map[*memstore.Database]*lock{}
	reconnect := w.cutOff()
	local := memstore.New()
	a := w.open(local)
	a.write(create(1, `{"title":"1"}`))
	w.Run(1000)
	a.write(create(2, `{"title":"2"}`))
	w.Run(1000)
	damages(t, local, record('c', 1))
	b := w.open(local)
	calls := 0
	for range 2 {
		b.Repair(func(err error) {
			if calls++; err != nil {
				t.Error(err)
			}
		})
	}
	w.Run(minute)
	a.write(create(3, `{"title":"3"}`))
	w.Run(minute)
	reconnect()
	w.Run(20 * minute)
	w.converged(a, b)
	if calls != 2 || strings.Count(b.rows(), "\n") != 3 {
		t.Errorf("%d were told; %s", calls, b.rows())
	}
}

// What could not be read can be, when it is to be repaired: it is read, and goes on, also where it is being read anyway.
func TestARepairOfWhatIsWholeAgain(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(t, seed)
		reconnect := w.cutOff()
		local := memstore.New()
		a := w.open(local)
		for n := range 3 {
			a.write(create(n, `{"title":"1"}`))
			w.Run(1000)
		}
		damages(t, local, record('c', 1))
		b := w.open(local)
		w.Run(1000)
		if b.Status().State != loop.StateStopped {
			t.Fatalf("%+v", b.Status())
		}
		damages(t, local, record('c', 1)) // once more, and it is as it was
		a.write(create(3, `{"title":"1"}`))
		w.Run(1000)
		b.Repair(func(err error) {
			if err != nil {
				t.Error(err)
			}
		})
		if seed > 0 {
			b.Refresh()
		}
		w.Run(1000)
		if n := len(b.pendingIDs()); n != 4 || b.Resets() != 0 {
			t.Errorf("%d: %d pending, %d resets", seed, n, b.Resets())
		}
		reconnect()
		w.Run(10 * minute)
		w.converged(a, b)
		if st := b.Status(); st.State != loop.StateLive || strings.Count(b.rows(), "\n") != 4 {
			t.Errorf("%d: %+v %s", seed, st, b.rows())
		}
	}
}

// Nobody can tell whose log it is, nor in which mode; and nobody else's pays for that.
func TestARepairOfALogWithoutItsBeginning(t *testing.T) {
	for _, own := range []bool{false, true} {
		w := newWorld(t, 6)
		w.locks, w.refuge = map[*memstore.Database]*lock{}, true
		yes := true
		w.options.ConflictFree = &yes
		other := w.open(memstore.New())
		other.write(create(1, `{"title":"1"}`))
		w.Run(2 * minute)
		local := memstore.New()
		a := w.open(local)
		if own {
			a.write(create(2, `{"title":"2"}`))
		}
		w.Run(2 * minute)
		damages(t, local, func(name string, _ []byte) bool { return name == "record 0" })
		b := w.open(local)
		b.repaired(10 * minute)
		if a.closed != nil || len(a.lost) > 0 {
			t.Errorf("own %v: the other tab: %v, lost %v", own, a.closed, a.lost)
		}
		b.write(create(3, `{"title":"3"}`))
		w.Run(5 * minute)
		w.converged(a, b, other)
		if !b.ConflictFree() {
			t.Error("it is of the other mode now")
		}
	}
}

// The server stops a repair: who waits is told why, and it is not tried all the time.
func TestARepairThatTheServerStops(t *testing.T) {
	for _, code := range []string{action.CodeUpgrade, action.CodeMalformed} {
		w := newWorld(t, 7)
		local := memstore.New()
		a := w.open(local)
		a.write(create(1, `{"title":"1"}`))
		w.Run(2 * minute)
		a.kill()
		damages(t, local, record('t', 0))
		refuse := true
		w.change = func(tb *tab, _ *virtual.Config) {
			tb.net.item = func(string) *action.Error {
				if refuse {
					return &action.Error{Code: code, Message: "no"}
				}
				return nil
			}
		}
		b := w.open(local)
		var failed error
		b.Repair(func(err error) { failed = err })
		w.Run(10 * minute)
		if action.CodeOf(failed) != code || b.Status().State != loop.StateStopped || len(b.net.requests) > 3 {
			t.Errorf("%s: %v, %+v, %d requests", code, failed, b.Status(), len(b.net.requests))
		}
		b.kill()
		refuse = false
		c := w.open(local)
		c.repaired(10 * minute)
		w.converged(c)
	}
}

// A repair that fails each time, and is asked for each time, goes slowly; and ends when the cause has.
func TestARepairThatFails(t *testing.T) {
	for _, op := range []string{"remains", "checkpoint"} {
		w := newWorld(t, 8)
		local := memstore.New()
		a := w.open(local)
		a.write(create(1, `{"title":"1"}`))
		w.Run(2 * minute)
		a.kill()
		damages(t, local, record('t', 0))
		b := w.open(local)
		failing, repairs := true, 0
		local.Fail = func(what, _ string, _ locallog.LSN) error {
			if failing && what == op {
				return &action.Error{Code: action.CodeQuota, Message: "full"}
			}
			return nil
		}
		var again func(err error)
		again = func(err error) {
			if repairs++; err != nil {
				b.Repair(again)
			}
		}
		b.Repair(again)
		w.Run(10 * minute)
		if repairs < 5 || repairs > 30 {
			t.Errorf("%s: %d repairs in ten minutes", op, repairs)
		}
		failing = false
		w.Run(5 * minute)
		w.converged(b)
		if b.Status().State != loop.StateLive {
			t.Errorf("%s: %+v", op, b.Status())
		}
	}
}

// What the log has made of own actions is known again.
func TestARepairKnowsWhatBecameOfActions(t *testing.T) {
	w := newWorld(t, 9)
	local := memstore.New()
	a, other := w.open(local), w.open(memstore.New())
	a.write(create(1, `{"n":1}`))
	w.Run(2 * minute)
	down := true
	a.net.fault = func(int) fate { return map[bool]fate{true: lostBefore}[down] }
	a.write(set(1, `{"n":2}`))
	w.Run(1000)
	discarded, _ := action.ParseUUID(a.pendingIDs()[0])
	other.write(remove(1))
	w.Run(2 * minute)
	down = false
	w.Run(2 * minute)
	a.write(create(2, `{"n":1}`))
	w.Run(2 * minute)
	a.kill()
	damages(t, local, record('t', 0))
	b := w.open(local)
	b.repaired(10 * minute)
	b.OnPersisted(discarded, func(_ uint64, _ *replica.Rejected, err error) {
		if action.CodeOf(err) != action.CodeConflict {
			t.Errorf("what was discarded is told as %v", err)
		}
	})
	w.Run(1000)
	if _, err := b.Undo(&queue.Draft{}); err != nil {
		t.Error(err)
	}
}

// Tabs, faults, restores and damage, at random. Nobody waits for ever, and nothing is in the log twice.
func TestRepairHistories(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+max(150, *histories); seed++ {
		repairHistory(t, seed)
	}
}

func repairHistory(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 9))
	w := newWorld(t, seed)
	if seed%2 == 0 {
		w.checkpoint, w.keep = 1500, 2
		w.start()
	}
	if seed%3 == 0 {
		w.compact = 1500
	}
	if seed%5 > 0 {
		w.locks = map[*memstore.Database]*lock{}
	}
	faults := false
	w.change = func(tb *tab, _ *virtual.Config) {
		tb.net.fault = func(int) fate {
			if f := fate(r.IntN(int(fates))); faults && f != deny {
				return f
			}
			return pass
		}
	}
	local := memstore.New()
	other := w.open(memstore.New())
	tabs, waits := []*tab{w.open(local)}, map[*tab]bool{}
	mend := func(tb *tab) {
		if tb.Status().Reason == "corrupt" && !waits[tb] {
			waits[tb] = true
			tb.Repair(func(error) { waits[tb] = false })
		}
	}
	backup, damaged := w.engine.backup(), 0
	for n := range 40 {
		tb := tabs[r.IntN(len(tabs))]
		switch r.IntN(13) {
		case 0, 1, 2, 3:
			_, _ = tb.try(create(n, fmt.Sprintf(`{"n":%d,"text":"%s"}`, n, strings.Repeat("x", r.IntN(300)))))
		case 4, 5:
			_, _ = tb.try(set(r.IntN(n+1), fmt.Sprintf(`{"n":%d}`, 1000+n)))
		case 6:
			_, _ = other.try(create(500+n, `{"text":"`+strings.Repeat("y", r.IntN(500))+`"}`))
		case 7:
			faults = !faults
		case 8:
			if len(tabs) < 3 {
				tabs = append(tabs, w.open(local))
			} else {
				tb.kill()
			}
		case 9:
			var places []string
			local.Damage(stream, func(name string, b []byte) []byte {
				places = append(places, name)
				return b
			})
			if place := places[r.IntN(len(places))]; damaged < 4 {
				damaged++
				damages(t, local, func(name string, _ []byte) bool { return name == place })
			}
		case 10:
			if seed%4 == 1 {
				w.restore(backup)
			} else if r.IntN(3) == 0 {
				backup = w.engine.backup()
			}
		default:
			mend(tb)
		}
		w.Run(r.Int64N(20_000))
		tabs = alive(w, tabs, local)
	}
	faults = false
	for range 8 {
		for _, tb := range tabs {
			mend(tb)
		}
		w.Run(10 * minute)
	}
	for _, tb := range tabs {
		if tb.closed != nil {
			t.Errorf("a tab was closed: %v", tb.closed)
		}
	}
	w.converged(append(tabs, other)...)
	for _, tb := range tabs {
		if waits[tb] {
			t.Errorf("who has asked for a repair waits still: %+v", tb.Status())
		}
	}
	if seed%4 != 1 {
		seen := map[action.UUID]bool{}
		for _, a := range w.engine.actions[stream] {
			if seen[a.ID] {
				t.Errorf("%s is in the log twice", a.ID)
			}
			seen[a.ID] = true
		}
	}
	if t.Failed() {
		t.Fatalf("seed %d", seed)
	}
	for _, tb := range tabs {
		tb.kill()
	}
}

// alive are those that are not gone; there is always one.
func alive(w *world, tabs []*tab, local *memstore.Database) (out []*tab) {
	for _, tb := range tabs {
		if !tb.dead && tb.closed == nil {
			out = append(out, tb)
		}
	}
	if len(out) == 0 {
		out = append(out, w.open(local))
	}
	return out
}
