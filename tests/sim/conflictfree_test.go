package sim

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/state"
)

// Among clients of conflict-free mode no action replaces a write that its author had not seen, and none is discarded but by its own guard,
// which its author is told. Whatever fails meanwhile, and however many tabs write.
func TestConflictFreeModeIsFreeOfConflicts(t *testing.T) {
	n := uint64(60)
	if testing.Short() {
		n = 15
	}
	entries, discarded, refusedHere := 0, 0, 0
	for seed := range max(n, *histories/2) {
		t.Run(fmt.Sprint("seed=", *firstSeed+seed), func(t *testing.T) {
			e, d, r := conflictFreeHistory(t, *firstSeed+seed)
			entries, discarded, refusedHere = entries+e, discarded+d, refusedHere+r
		})
		if t.Failed() {
			return
		}
	}
	if entries == 0 || discarded == 0 || refusedHere == 0 {
		t.Fatalf("%d entries, %d of them discarded, %d writes not allowed: these histories say nothing", entries, discarded, refusedHere)
	}
	t.Logf("%d entries, %d of them discarded by their guard, %d writes not allowed", entries, discarded, refusedHere)
}

func conflictFreeHistory(t *testing.T, seed uint64) (entries, discarded, notAllowed int) {
	yes := true
	h := newHistory(t, seed)
	h.options = plan.Options{ConflictFree: &yes}
	h.checkpoint, h.keep = 0, 0 // what is told of a gap is not what this is about
	for _, p := range h.profiles {
		for i := range p.tabs {
			h.open(p, i)
		}
	}
	h.Run(200)
	made := 0
	for range h.steps {
		p := h.profiles[h.r.IntN(len(h.profiles))]
		i := h.r.IntN(len(p.tabs))
		tb := p.tabs[i]
		if tb.Stream == nil || tb.closed != nil || tb.dead || stuck(tb) {
			tb.kill()
			h.open(p, i)
			h.Run(500)
			continue
		}
		if err := h.carefulWrite(tb, &made); action.CodeOf(err) == action.CodeReadOnly {
			notAllowed++
		} else if err != nil && action.CodeOf(err) != action.CodeLocked && action.CodeOf(err) != action.CodeConflict {
			t.Fatal(err)
		}
		tb.Pump()
		switch h.r.IntN(30) {
		case 0:
			tb.kill()
			h.open(p, i)
		case 1:
			tb.db.Offline()
		case 2:
			tb.host.Freeze()
			h.After(h.r.Int64N(900_000), tb.host.Thaw) // longer than a lease
		case 3:
			h.server.Close()
			h.start()
		case 4:
			h.Run(h.r.Int64N(700_000))
		}
		h.Run(h.r.Int64N(3000))
	}
	h.settle()
	h.Run(20 * minute) // who is frozen for long
	folded := state.NewState()
	for i, a := range h.engine.actions[stream] {
		var e state.Effect
		folded.ApplyEntry(a, nil, &e)
		if a.Client == action.Nil {
			continue
		}
		entries++
		for _, op := range e.Ops {
			if len(op.Overwrote) > 0 {
				t.Errorf("entry %d replaces what its author had not seen: %+v of %s", i+1, op.Overwrote, a.Raw)
			}
		}
		if !e.Discarded {
			continue
		}
		discarded++
		if e.Reason != state.ReasonGuard {
			t.Errorf("entry %d is discarded, and not by its guard: %+v of %s", i+1, e, a.Raw)
		}
		if pr := h.promises[a.ID]; pr != nil && !pr.tb.dead && pr.tb.closed == nil && pr.tb.discarded[pr.ticket] == nil {
			t.Errorf("entry %d is discarded, and its author is not told", i+1)
		}
	}
	var open []*tab
	for _, p := range h.profiles {
		open = append(open, p.tabs...)
	}
	h.converged(open...)
	if held := folded.LockHolders(); len(held) > 0 {
		t.Errorf("at the end %v still hold locks", held)
	}
	return entries, discarded, notAllowed
}

// carefulWrite is what an app does in this mode: it makes objects, and writes what it sees.
func (h *history) carefulWrite(tb *tab, made *int) error {
	r := h.r
	var ids []string
	for o := range tb.State().Objects() {
		ids = append(ids, o.ID().String())
	}
	slices.Sort(ids)
	var ops string
	some := func() string { return ids[r.IntN(min(len(ids), 4))] }
	switch n := r.IntN(10); {
	case n < 2 || len(ids) == 0:
		*made++
		ops = create(*made, `{"n":0}`)
	case n == 2:
		ops = `[{"op":"remove","object":"` + some() + `"}]`
	case n == 3:
		*made++
		c := create(*made, `{"n":1}`)
		ops = c[:len(c)-1] + `,{"op":"update","object":"` + some() + `","set":{"k":1}}]`
	case n == 4:
		d := &queue.Draft{ID: tb.host.NewID(), At: h.Now()}
		toggle := tb.Undo
		if r.IntN(2) == 0 {
			toggle = tb.Redo
		}
		if _, err := toggle(d); err != nil {
			return nil
		}
		return h.promised(tb, d)
	default:
		ops = `[{"op":"update","object":"` + some() + `","set":{"k` + fmt.Sprint(r.IntN(3)) + `":` + fmt.Sprint(r.IntN(9)) + `},"inc":{"n":1}}]`
	}
	return h.promised(tb, &queue.Draft{ID: tb.host.NewID(), At: h.Now(), Ops: ops, Atomic: r.IntN(3) == 0})
}

func (h *history) promised(tb *tab, d *queue.Draft) error {
	ticket, err := tb.Write(d)
	if err == nil {
		h.promises[d.ID] = &promise{tb, ticket}
		h.wrote(tb, d.Ops)
	}
	return err
}

// A client that made objects and is never heard of again holds nobody up for longer than a lease.
func TestALeaseEnds(t *testing.T) {
	w := newWorld(t, 1)
	yes := true
	w.options = plan.Options{ConflictFree: &yes}
	w.start()
	one, two := w.open(memstore.New()), w.open(memstore.New())
	w.Run(1000)
	asked := len(one.net.requests)
	one.net.fault = func(n int) fate { return []fate{pass, lostBefore}[min(1, max(0, n-asked-1))] }
	for n := range 1001 { // more than one request offers: the first says nothing of a drain, and no other one comes through
		if _, err := one.Write(&queue.Draft{ID: one.host.NewID(), At: w.Now(), Ops: create(n+1, `{"n":0}`)}); err != nil {
			t.Fatal(err)
		}
	}
	one.Pump()
	w.Run(90_000)
	one.kill()
	if two.State().Head != 1000 {
		t.Fatalf("the log is at %d", two.State().Head)
	}
	id, _ := action.ParseUUID(object(1))
	if w := two.Writable(id); w != replica.WritableLocked {
		t.Fatalf("writable: %q", w)
	}
	_, err := two.try(set(1, `{"n":1}`))
	if e := (*action.Error)(nil); !errors.As(err, &e) || e.Code != action.CodeLocked || e.Holder != one.Client() {
		t.Fatal(err)
	}
	w.Run(8 * minute)
	if w := two.Writable(id); w != replica.WritableLocked {
		t.Fatalf("after 10 minutes: %q", w)
	}
	w.Run(3 * minute)
	if w := two.Writable(id); w != replica.WritableYes {
		t.Fatalf("after the lease: %q", w)
	}
	two.write(set(1, `{"n":1}`))
	w.Run(minute)
	if n := len(two.Conflicts()); n != 0 || two.Status().Pending != 0 {
		t.Fatalf("%d conflicts, %+v", n, two.Status())
	}
}
