package sim

import (
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/loop/virtual"
)

func (w *world) openOf(schema int, local *memstore.Database) *tab {
	w.change = func(_ *tab, c *virtual.Config) { c.Schema = schema }
	defer func() { w.change = nil }()
	return w.open(local)
}

// A server takes actions of newer code alone. Older code reads on, its queue waits, and newer code sends it unchanged; or the server takes it
// after all.
func TestOlderCodeWaits(t *testing.T) {
	w := newWorld(t, 5)
	local := memstore.New()
	old, other := w.openOf(2, local), w.openOf(3, memstore.New())
	old.write(create(1, `{"n":1}`))
	w.Run(minute)
	w.minSchema = 3
	for n := range 10_000 {
		old.write(create(10+n, `{"n":2}`))
	}
	requests := len(old.net.requests)
	w.Run(5 * minute)
	if st := old.Status(); st.State != loop.StateHeld || st.Err.Code != action.CodeSchema || st.Err.Min != 3 || st.Pending != 10_000 {
		t.Fatalf("%+v", st)
	}
	if n := len(old.net.requests) - requests; n > 25 {
		t.Errorf("%d requests in five minutes", n)
	}
	other.write(set(1, `{"n":5}`))
	w.Run(2 * minute)
	if !strings.Contains(old.rows(), `"n":5`) {
		t.Error("it does not read on")
	}
	want := old.rows()
	old.kill()
	next := w.openOf(3, local)
	w.Run(5 * minute)
	w.converged(next, other)
	if next.rows() != want || next.Status().State != loop.StateLive {
		t.Errorf("%+v\n%s", next.Status(), difference(next.rows(), want))
	}
	old = w.openOf(0, memstore.New()) // which says no version
	old.write(set(1, `{"n":6}`))
	w.Run(minute)
	if old.Status().State != loop.StateHeld {
		t.Errorf("%+v", old.Status())
	}
	w.minSchema = 0
	w.Run(3 * minute)
	w.converged(old, next, other)
}

// Of two tabs the one with the older code leads. The newer one's actions, and the older one's, go through all the same: it takes the lead.
func TestNewerCodeTakesTheLead(t *testing.T) {
	w := newWorld(t, 6)
	w.locks, w.minSchema = map[*memstore.Database]*lock{}, 3
	local := memstore.New()
	old := w.openOf(2, local)
	w.Run(100)
	next := w.openOf(3, local)
	w.Run(minute)
	old.write(create(1, `{"n":1}`))
	next.write(create(2, `{"n":2}`))
	w.Run(3 * minute)
	w.converged(old, next)
	if !next.db.Leading() || old.db.Leading() {
		t.Errorf("old leads: %v, new leads: %v", old.db.Leading(), next.db.Leading())
	}
	old.write(create(3, `{"n":3}`))
	w.Run(minute)
	w.converged(old, next)
	for _, tb := range []*tab{old, next} {
		if st := tb.Status(); st.State != loop.StateLive || st.Pending != 0 {
			t.Errorf("%+v", st)
		}
	}
	if next.steals != 1 || old.steals != 0 {
		t.Errorf("the lead was taken %d and %d times", next.steals, old.steals)
	}
}

// However many tabs are held, and whatever they write, the server is asked now and then, and the lead stays where it is; who waits for sync() is told.
func TestHeldTabsAskNowAndThen(t *testing.T) {
	for _, versions := range [][]int{{2}, {2, 2}, {2, 2, 2}, {0, 0, 0}, {2, 1, 0}} {
		w := newWorld(t, 8)
		w.locks, w.minSchema = map[*memstore.Database]*lock{}, 3
		local := memstore.New()
		var tabs []*tab
		for _, v := range versions {
			tabs = append(tabs, w.openOf(v, local))
			w.Run(1000)
		}
		for n := range 600 { // ten writes a minute
			tabs[n%len(tabs)].write(create(n, `{}`))
			w.Run(minute / 10)
		}
		requests, steals := 0, 0
		for _, tb := range tabs {
			requests, steals = requests+len(tb.net.requests), steals+tb.steals
		}
		if requests > 130+70*len(tabs) || steals > 0 {
			t.Errorf("%v: %d requests and %d steals in an hour", versions, requests, steals)
		}
		var told error
		tabs[0].db.Sync(func(err error) { told = err })
		w.Run(minute)
		if action.CodeOf(told) != action.CodeSchema {
			t.Errorf("%v: sync() says %v", versions, told)
		}
		w.minSchema = 0
		w.Run(5 * minute)
		w.converged(tabs...)
	}
}
