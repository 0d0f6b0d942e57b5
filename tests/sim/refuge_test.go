package sim

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop"
)

// A browser takes an open database away: what is pending is still sent, once, from every context that had it.
func TestADatabaseThatIsTakenAwayUnderItsContexts(t *testing.T) {
	for _, c := range []struct {
		name   string
		tabs   int
		offers bool // the pending actions reach the server before, but no answer comes
	}{{"one tab", 1, false}, {"three tabs", 3, false}, {"after a lost answer", 2, true}} {
		t.Run(c.name, func(t *testing.T) {
			w, local := electing(t)
			w.refuge = true
			var tabs []*tab
			for range c.tabs {
				tabs = append(tabs, w.open(local))
			}
			for n := range 3 {
				tabs[0].write(create(n, `{"n":0}`))
			}
			w.Run(1000)
			for _, tb := range tabs {
				tb.net.fault = func(int) fate {
					if c.offers {
						return lostAfter
					}
					return lostBefore
				}
			}
			last := tabs[c.tabs-1]
			last.write(set(1, `{"n":1}`))
			tabs[0].write(create(4, `{}`))
			w.Run(20_000)
			before := last.rows()
			if err := local.Open().Destroy(context.Background(), nil); err != nil {
				t.Fatal(err)
			}
			last.write(create(5, `{}`))
			w.Run(2 * minute)
			if len(last.lost) != 1 {
				t.Fatal("it is not told")
			}
			if !strings.Contains(last.rows(), object(5)) || !strings.HasPrefix(last.rows(), before) {
				t.Fatalf("what was there is not any more:\n%s", last.rows())
			}
			for _, tb := range tabs {
				tb.net.fault = nil
			}
			w.Run(5 * minute)
			w.converged(tabs...)
			for i, tb := range tabs {
				if tb.closed != nil || len(tb.lost) != 1 {
					t.Fatalf("tab %d: closed %v, told of losses %v", i, tb.closed, tb.lost)
				}
			}
			text := fmt.Sprint(w.engine.logs[stream])
			for _, tb := range tabs {
				tb.write(create(10+len(tb.net.requests), `{}`)) // they go on, each for itself
			}
			w.Run(5 * minute)
			w.converged(tabs...)
			if n := strings.Count(text, object(4)); n > 1 {
				t.Errorf("an action is in the log %d times", n)
			}
			if head := int(w.fold().Head); head != 6+c.tabs {
				t.Errorf("%d entries", head)
			}
		})
	}
}

// Without one, as where somebody has destroyed it on purpose, the streams close.
func TestADestroyedDatabaseCloses(t *testing.T) {
	w := newWorld(t, 1)
	local := memstore.New()
	tb := w.open(local)
	w.Run(100)
	if err := local.Open().Destroy(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	_, _ = tb.try(create(1, `{}`))
	w.Run(1000)
	if tb.closed == nil {
		t.Fatal("the stream goes on")
	}
}

// A profile that was copied: both copies write under one client id, until the server says so; whose turn comes second takes another one.
func TestACopiedProfileGoesOnUnderAnotherClientID(t *testing.T) {
	for _, pending := range []int{0, 2} { // when it is copied
		t.Run(fmt.Sprint(pending, " pending"), func(t *testing.T) {
			w := newWorld(t, 5)
			w.Latency = latency(10)
			local := memstore.New()
			one := w.open(local)
			one.write(create(1, `{}`))
			w.Run(1000)
			one.net.fault = func(int) fate { return lostBefore }
			for n := range pending {
				one.write(create(10+n, `{}`))
			}
			w.Run(1000)
			copied := local.Clone()
			two := w.open(copied)
			second := w.open(copied) // another tab of it
			w.Run(minute)
			one.net.fault = nil
			w.Run(2 * minute)
			for n := range 5 {
				one.write(create(20+n, `{}`))
				two.write(create(30+n, `{}`))
				second.write(create(40+n, `{}`))
				w.Run(7)
			}
			w.Run(5 * minute)
			w.converged(one, two, second)
			if head := int(w.fold().Head); head != 1+pending+15 {
				t.Errorf("%d entries", head)
			}
			for i, tb := range []*tab{one, two, second} {
				if st := tb.Status(); st.State == loop.StateStopped || len(tb.refused)+len(tb.failed) > 0 {
					t.Errorf("%d: %+v, refused %v, failed %v", i, st, tb.refused, tb.failed)
				}
			}
			if one.Client() == two.Client() || two.Client() != second.Client() {
				t.Error("the copies have not two ids")
			}
		})
	}
}
