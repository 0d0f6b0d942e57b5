package sim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/own"
)

// A server is restored from a backup. What this client had sent since returns, once, in its order, before what it had not sent; what others
// had sent is theirs to send again.
func TestWhatARestoreLostReturns(t *testing.T) {
	for _, pruned := range []bool{false, true} {
		w := newWorld(t, 7)
		if pruned {
			w.checkpoint, w.keep = 2000, 3
			w.start()
		}
		local := memstore.New()
		a, b := w.open(local), w.open(memstore.New())
		for n := range 40 {
			a.write(create(n, fmt.Sprintf(`{"n":%d,"text":"%s"}`, n, strings.Repeat("x", 100))))
			w.Run(minute)
		}
		backup := w.engine.backup()
		a.write(create(100, `{"title":"a"}`))
		a.write(set(100, `{"title":"aa"}`))
		w.Run(2 * minute)
		b.write(set(1, `{"n":77}`))
		b.write(create(101, `{"title":"b"}`))
		w.Run(2 * minute)
		w.converged(a, b)
		before := a.rows()
		w.restore(backup)
		mine := a.write(set(2, `{"n":-1}`)) // while it is away
		w.Run(10 * minute)
		w.converged(a, b)
		if len(a.resets) != 1 || len(b.resets) != 1 {
			t.Fatalf("pruned %v: told %d and %d times; %+v", pruned, len(a.resets), len(b.resets), a.Status())
		}
		if r := a.resets[0]; r.Reason != own.ResetRestored || len(r.Returned) != 2 || len(r.Refused)+len(r.Dropped)+len(r.Unknown)+len(r.Lost) != 0 || r.Common < 39 {
			t.Errorf("pruned %v: %+v", pruned, r)
		}
		if got, want := a.rows(), strings.Replace(before, `"n":2,`, `"n":-1,`, 1); got != want {
			t.Errorf("pruned %v: %s", pruned, difference(got, want))
		}
		if a.resolved[mine] == 0 {
			t.Error("what was written meanwhile is not persisted")
		}
		// And again, back to the first one.
		w.restore(backup)
		w.Run(10 * minute)
		w.converged(a, b)
		if got, want := a.rows(), strings.Replace(before, `"n":2,`, `"n":-1,`, 1); got != want {
			t.Errorf("pruned %v, again: %s", pruned, difference(got, want))
		}
		a.kill()
		c := w.open(local)
		w.Run(2 * minute)
		w.converged(b, c)
	}
}

// What would not stand in the restored log, or did not stand in the one before, does not return.
func TestWhatDoesNotReturn(t *testing.T) {
	w := newWorld(t, 8)
	a, b := w.open(memstore.New()), w.open(memstore.New())
	a.write(create(1, `{"title":"x"}`))
	w.Run(2 * minute)
	backup := w.engine.backup()
	a.write(set(1, `{"title":"of a"}`))
	w.Run(2 * minute)
	b.write(set(1, `{"title":"of b"}`)) // nothing of the one before stands any more
	w.Run(2 * minute)
	other := w.open(memstore.New())
	w.restore(backup)
	other.write(remove(1)) // first there
	w.Run(minute / 2)
	a.write(set(1, `{"done":true}`))
	w.Run(10 * minute)
	w.converged(a, b, other)
	if len(a.resets) != 1 || len(a.resets[0].Dropped) != 1 {
		t.Errorf("%+v", a.resets)
	}
	if len(b.resets) != 1 || len(b.resets[0].Refused) != 1 || len(b.RejectedList()) != 1 || b.RejectedList()[0].Code != action.CodeReset {
		t.Errorf("%+v, %+v", b.resets, b.RejectedList())
	}
}

// One server that has not caught up is no restore.
func TestOneAnswerOfAStaleServerIsNotBelieved(t *testing.T) {
	w := newWorld(t, 9)
	a := w.open(memstore.New())
	a.write(create(1, `{}`))
	w.Run(2 * minute)
	n := 0
	a.net.item = func(string) *action.Error {
		if n++; n == 1 {
			return &action.Error{Code: action.CodeEpoch}
		}
		return nil
	}
	a.db.Sync(func(error) {})
	w.Run(5 * minute)
	if a.net.item = nil; len(a.resets) > 0 || a.Status().State != "live" {
		t.Errorf("%+v, %+v", a.resets, a.Status())
	}
}

// A log that was deleted on purpose stays deleted: what was in it, and what was to come, waits for the user's word.
func TestWhatWasDeletedOnPurposeDoesNotReturn(t *testing.T) {
	w := newWorld(t, 10)
	a := w.open(memstore.New())
	a.write(create(1, `{"title":"x"}`))
	w.Run(2 * minute)
	w.deleteLog()
	a.write(create(2, `{"title":"y"}`))
	w.Run(5 * minute)
	w.converged(a)
	if a.State().Len() != 0 || len(a.resets) != 1 || a.resets[0].Reason != own.ResetDeleted || len(a.RejectedList()) != 2 {
		t.Fatalf("%d objects, %+v, %+v, %+v", a.State().Len(), a.resets, a.RejectedList(), a.Status())
	}
	a.write(create(3, `{"title":"anew"}`))
	w.Run(2 * minute)
	w.converged(a)
	if a.State().Len() != 1 {
		t.Errorf("%+v", a.Status())
	}
}

// rewind takes a backup of the server, or brings one back, or deletes the log.
func (h *history) rewind() {
	switch n := h.r.IntN(6); {
	case !h.restores:
	case len(h.backups) == 0 || n < 3:
		h.backups = append(h.backups, h.engine.backup())
	case n < 5:
		h.hit("the server is restored")
		h.restore(h.backups[h.r.IntN(len(h.backups))])
	case h.r.IntN(3) == 0:
		h.hit("the log is deleted")
		h.deleteLog()
	}
}

// noteReset notes what a tab knows of the last rebuild.
func (h *history) noteReset(tb *tab) {
	if h.restores {
		for _, r := range tb.ResetList() {
			h.seeReset(tb, r)
		}
	}
}

func (h *history) seeReset(tb *tab, r own.Reset) {
	if h.resets[tb.local] == nil {
		h.resets[tb.local] = map[uint64]own.Reset{}
	}
	if _, known := h.resets[tb.local][r.N]; !known {
		h.hit("a profile rebuilds")
	}
	h.resets[tb.local][r.N] = r
}

// keptOver holds a promise over restores: what was durable is in the log, on the list of what was refused, dealt with, or was told of.
func (h *history) keptOver(id action.UUID, p *promise, index uint64) {
	_, refused := p.tb.refused[p.ticket]
	durable := p.ticket <= p.tb.committed
	if !durable || refused || index > 0 || h.dealt[id] || h.refusedOf(p.tb, id) {
		return
	}
	for _, r := range h.resets[p.tb.local] {
		for _, list := range [...][]action.UUID{r.Dropped, r.Unknown, r.Refused} {
			if slices.Contains(list, id) {
				h.hit("somebody is told what a rebuild has left out")
				return
			}
		}
		if slices.Contains(r.Lost, id) {
			h.t.Errorf("%s was lost by a device that keeps it", id)
			return
		}
	}
	h.t.Errorf("%s was durable, and is lost; the resets: %+v", id, h.resets[p.tb.local])
}

// Who calls sync() does not wait for long, and hears when all is there.
func TestSyncRebuildsAtOnce(t *testing.T) {
	w := newWorld(t, 11)
	a := w.open(memstore.New())
	a.write(create(1, `{}`))
	w.Run(2 * minute)
	backup := w.engine.backup()
	a.write(create(2, `{}`))
	w.Run(2 * minute)
	w.restore(backup)
	told, heard := false, error(nil)
	a.db.Sync(func(err error) { told, heard = true, err })
	w.Run(5_000)
	if !told || heard != nil || len(a.resets) != 1 {
		t.Errorf("told %v: %v; %+v", told, heard, a.resets)
	}
	w.Run(2 * minute)
	w.converged(a)
}

func init() { own.TailBytes = 600 } // so that own actions get pages in every history
