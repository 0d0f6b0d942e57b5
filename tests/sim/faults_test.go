package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/loop/virtual"
	"github.com/strandline-sync/strandline/core/plan"
)

// faults counts what befalls histories, by kind: one that is never reached is not looked for.
type faults struct {
	mu     sync.Mutex
	counts map[string]int
}

// reached is of all histories of a run.
var reached = &faults{counts: map[string]int{}}

func (f *faults) hit(kind string) {
	f.mu.Lock()
	f.counts[kind]++
	f.mu.Unlock()
}

var fateNames = [...]string{"", "a message is lost", "an answer is lost", "a portal answers", "half an answer", "no token", "busy", "too large",
	"a message is doubled", "a message is late"}

// kinds are all that there are.
var kinds = append(slices.Clone(fateNames[1:]), "a call of the store fails", "the disk is full", "a tab dies in a call of its store", "a record cannot be read",
	"the server is restored", "the log is deleted", "a profile rebuilds", "somebody is told what a rebuild has left out",
	"a tab is killed", "a tab is closed", "a tab is frozen", "the browser says it is offline", "the lock is stolen", "the server begins anew",
	"verdicts change", "the server's disk fails before", "the server's disk fails after", "another user's token", "a stream is refused",
	"an event is doubled", "an event is late", "a hint is lost", "a clock jumps", "a bad line breaks", "a profile is copied",
	"a database is taken away", "a database is to be destroyed", "one of many streams is closed", "a step takes several tasks",
	"somebody asks in the middle of a step", "something happens in the middle of a step", "a page shows rows without a program",
	"a page waits for its program", "a bundle is replayed", "a bundle is imported", "a bundle's action is left")

// report tells what was reached; where that many histories ran, all must be.
func (f *faults) report(t *testing.T, all bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, kind := range slices.Sorted(maps.Keys(f.counts)) {
		if !slices.Contains(kinds, kind) {
			t.Errorf("%q is not among the kinds", kind)
		}
	}
	for _, kind := range kinds {
		if n := f.counts[kind]; n > 0 || all {
			t.Logf("%8d  %s", n, kind)
			if n == 0 {
				t.Errorf("%q is never reached", kind)
			}
		}
	}
}

// hit counts a fault, while there are any.
func (h *history) hit(kind string) {
	reached.hit(kind)
	h.trace.Write([]byte(kind))
}

// count counts what a history does, until its end.
func (h *history) count(kind string) {
	if !h.over {
		h.hit(kind)
	}
}

// odds is true once in n times, while there are faults.
func (h *history) odds(n int) bool { return h.chaos && h.r.IntN(n) == 0 }

// context is what befalls a context: its events come late, twice or never, its records cannot be read, its line is bad, its requests
// are another user's.
func (h *history) context(tb *tab, c *virtual.Config) {
	c.Trace = func(e plan.Event, p *plan.Plan) {
		h.traced(tb, e, p)
		h.sliced(tb, e)
		h.mirrored(tb, p)
		h.fed(tb, p)
		if _, stored := e.(*plan.Stored); stored {
			if h.stored++; h.stored%8 == 0 {
				h.showsRight(tb.local)
			}
		}
		if tb.Stream != nil && !tb.db.Working() {
			h.knows(tb)
		}
	}
	c.Slice = h.slice
	c.Store = &flipping{c.Store, h, tb.local}
	if h.disorder {
		c.Fault = h.disordered
	}
	if h.lines {
		c.Line = &virtual.Line{Up: 1000 + h.r.IntN(50_000), Down: 1000 + h.r.IntN(50_000), Latency: h.r.Int64N(10_000), Loss: 0.2, Breaks: 60_000}
		h.allLines = append(h.allLines, c.Line)
	}
	if h.strangers {
		tb.net.subject = func() string {
			if h.odds(15) {
				h.hit("another user's token")
				return stranger
			}
			return "p"
		}
		tb.net.item = func(string) *action.Error {
			if !h.odds(15) {
				return nil
			}
			h.hit("a stream is refused")
			return action.Fail([]string{action.CodeForbidden, action.CodeUnavailable, action.CodeRateLimited, "something-new"}[h.r.IntN(4)], "", "no")
		}
	}
}

// sliced counts steps that are done in slices, and what happens in their middle.
func (h *history) sliced(tb *tab, e plan.Event) {
	_, whole := e.(*plan.Whole)
	_, more := e.(*plan.More)
	switch {
	case whole:
		h.count("somebody asks in the middle of a step")
	case !tb.db.Working():
	case more:
		h.count("a step takes several tasks")
		if tb.Stream != nil && h.odds(200) {
			tb.host.After(0, func() { h.visible(tb) }) // before the rest of it
		}
	case h.middle[tb]:
		h.count("something happens in the middle of a step")
	}
	h.middle[tb] = tb.db.Working()
}

// knows notes under which id a tab writes: one that another copy of the profile writes under, too, is given up.
func (h *history) knows(tb *tab) {
	if h.ids[tb.local] == nil {
		h.ids[tb.local] = map[action.UUID]bool{}
	}
	h.ids[tb.local][tb.Client()] = true
}

// disordered decides what becomes of an event.
func (h *history) disordered(plan.Event) (times int, late int64) {
	switch times = 1; {
	case h.odds(40):
		h.hit("an event is doubled")
		times, late = 2, h.r.Int64N(2)*h.r.Int64N(3_000)
	case h.odds(40):
		h.hit("an event is late")
		late = h.r.Int64N(3_000)
	case h.odds(40):
		h.hit("a hint is lost")
		times = 0
	}
	return times, late
}

// flipping is a store whose last record cannot be read, once in a while: a bit has flipped on the way.
type flipping struct {
	locallog.Store
	h     *history
	local *memstore.Database
}

// Destroy takes note that it was done, whoever hears of it: what the database told of conflicts goes with it.
func (f *flipping) Destroy(ctx context.Context, next map[string]locallog.LSN) error {
	err := f.Store.Destroy(ctx, next)
	if err == nil {
		f.h.odd[f.local] = true
	}
	return err
}

func (f *flipping) Load(ctx context.Context, stream string, from locallog.LSN) (locallog.Log, error) {
	log, err := f.Store.Load(ctx, stream, from)
	if n := len(log.Records); err == nil && n > 0 && f.h.flips && f.h.odds(min(60, 20*n)) {
		f.h.hit("a record cannot be read")
		last := slices.Clone(log.Records[n-1])
		last[f.h.r.IntN(len(last))] ^= 1 << f.h.r.IntN(8)
		log.Records = append(slices.Clone(log.Records[:n-1]), last)
	}
	return log, err
}

// traced adds a step to the history's log: what came in, and what went out.
func (h *history) traced(tb *tab, e plan.Event, p *plan.Plan) {
	if h.over {
		return
	}
	fmt.Fprintf(h.trace, "%d %d %T", h.Now(), slices.Index(h.all, tb), e)
	switch e := e.(type) {
	case *plan.Loaded:
		fmt.Fprint(h.trace, e.Op, len(e.Log.Records), e.Err)
	case *plan.Stored:
		fmt.Fprint(h.trace, e.Op, e.Err)
	case *plan.Answered:
		fmt.Fprintf(h.trace, "%d %s %v", e.Op, e.Body, e.Err)
	case *plan.Fired:
		fmt.Fprint(h.trace, e.Timer)
	case *plan.Heard:
		fmt.Fprintf(h.trace, "%s", e.Message)
	}
	for i := range p.Store {
		a := &p.Store[i]
		fmt.Fprintf(h.trace, " %d/%d/%d/%d/%s", a.Op, a.Store, a.Kind, a.LSN, a.Record)
		if a.Checkpoint != nil {
			fmt.Fprintf(h.trace, "%s", a.Checkpoint.Manifest)
			for _, page := range a.Checkpoint.Pages {
				fmt.Fprintf(h.trace, "%s %x", page.Name, page.Bytes)
			}
		}
	}
	for i := range p.Requests {
		fmt.Fprintf(h.trace, " %d %s", p.Requests[i].Op, p.Requests[i].Body)
	}
	fmt.Fprint(h.trace, p.Changes, p.Aborts, p.Listen, p.Timers, p.Slots, p.Steal, p.More)
	for _, m := range p.Tells {
		fmt.Fprintf(h.trace, " %s", m)
	}
	for _, n := range p.Notices {
		fmt.Fprintf(h.trace, " %T", n)
		switch n := n.(type) {
		case *plan.Resolved:
			fmt.Fprint(h.trace, *n)
		case *plan.Done:
			fmt.Fprint(h.trace, *n)
		}
	}
	h.trace.Write([]byte{'\n'})
}

// copy makes another profile of one: a backup, or a phone that was set up from another one.
func (h *history) copy(p *profile) {
	twin := &profile{local: p.local.Clone(), tabs: make([]*tab, 1)}
	twin.local.Fail = func(op, _ string, lsn locallog.LSN) error { return h.storeFault(twin, op, lsn) }
	h.odd[p.local], h.odd[twin.local] = true, true
	h.profiles = append(h.profiles, twin)
	h.open(twin, 0)
}

// stuck tells whether a tab has met what it cannot go on from: an app opens it anew.
func stuck(tb *tab) bool { return stuckAt(tb.Status()) }

func stuckAt(st loop.Status) bool {
	return st.State == loop.StateStopped && (st.Reason == action.CodeCorrupt || st.Reason == action.CodeUpgrade) // the bit of the version, too
}

var errClosing = errors.New("connection closing")

// Two runs of a seed give the same log of steps, byte for byte: nothing depends on a map's order, a clock or an address.
func TestAHistoryIsAFunctionOfItsSeed(t *testing.T) {
	for seed := range uint64(12) {
		one, two := newHistory(t, 1000+seed), newHistory(t, 1000+seed)
		one.run()
		two.run()
		if one.digest() != two.digest() {
			t.Errorf("seed %d: the same seed gives another history", 1000+seed)
		}
	}
}
