package sim

import (
	"context"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop/virtual"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/queue"
)

// editNet changes the answers of the server on their way.
type editNet struct {
	*network
	edit func(string) string
}

func (e *editNet) Sync(ctx context.Context, b []byte, idle plan.Idle) ([]byte, int64, error) {
	a, r, err := e.network.Sync(ctx, b, idle)
	if err == nil {
		a = []byte(e.edit(string(a)))
	}
	return a, r, err
}

func (w *world) openEdit(local *memstore.Database, edit func(string) string) *tab {
	tb := w.context(local, func(tb *tab, c *virtual.Config) { c.Transport = &editNet{tb.net, edit} })
	tb.openStream(stream, plan.Options{})
	w.Run(50)
	return tb
}

// An action that names what a persisted one had made and removed is no dependant of a refused one.
func TestAPersistedActionIsNoReasonToRefuse(t *testing.T) {
	w := newWorld(t, 12)
	w.limit(400)
	a := w.open(memstore.New())
	w.Run(2 * minute)
	a.net.fault = func(int) fate { return deny } // outcome known
	a.write(create(1, `{}`))
	a.write(remove(1))
	a.write(create(9, `{"a":"`+strings.Repeat("x", 400)+`"}`)) // refused
	w.Run(1000)
	a.net.fault = nil
	w.Latency = latency(10)
	a.db.Wake("online")
	w.Run(13) // the server has answered; the answer is on its way
	a.Write(&queue.Draft{ID: a.host.NewID(), Ops: `[{"op":"update","object":"` + object(1) + `","set":{"a":1}},{"op":"create","object":"` + object(100) + `","type":"todo","fields":{}}]`})
	w.Run(40) // answer lands: not pumped before, so the landing is first
	a.Pump()
	w.Run(2 * minute)
	w.converged(a)
	for k, r := range a.refused {
		t.Logf("%d %s %s because %v", k, r.Code, r.ID, r.Because)
	}
	if len(a.refused) > 1 {
		t.Fatalf("%d refused; only the too large one was refused by the server", len(a.refused))
	}
}

// remove, create again (refused), update: the update depends on the refused create.
func TestADependantOfARecreation(t *testing.T) {
	w := newWorld(t, 12)
	w.limit(400)
	a := w.open(memstore.New())
	a.write(create(1, `{}`))
	w.Run(2 * minute)
	a.net.fault = func(int) fate { return deny }
	a.write(remove(1))
	bad := a.write(create(1, `{"a":"`+strings.Repeat("x", 400)+`"}`)) // refused
	dep := a.write(set(1, `{"title":"mine"}`))
	w.Run(1000)
	a.net.fault = nil
	w.Run(2 * minute)
	w.converged(a)
	if a.refused[bad].Code == "" || a.refused[dep].Code != action.CodeDepends {
		t.Fatalf("dependant: refused %+v discarded %v", a.refused[dep], a.discarded[dep])
	}
}

// What comes before a record of newer code is applied.
func TestWhatComesBeforeAnUnreadableRecordCounts(t *testing.T) {
	w := newWorld(t, 1)
	p := memstore.New()
	a, b := w.open(p), w.open(p)
	b.net.fault = func(int) fate { return lostBefore }
	a.net.fault = b.net.fault
	a.write(create(1, `{}`))
	w.Run(100)
	st := p.Open()
	recs, _ := st.Load(context.Background(), stream, 0)
	st.Append(context.Background(), stream, locallog.LSN(len(recs.Records)), []byte{2, 't', 0, 0, 0, 0, 0, 0, 0, 0})
	b.Refresh()
	w.Run(minute)
	if b.State().Len() != 1 {
		t.Fatalf("b lacks the durable write before the record that it cannot read: %+v", b.Status())
	}
}

// An answer that lacks the stream leaves the outcome open.
func TestNothingElseIsOfferedAfterAnAnswerThatLacksTheStream(t *testing.T) {
	w := newWorld(t, 1)
	n := 0
	a := w.openEdit(memstore.New(), func(s string) string {
		if n++; n == 2 {
			return `{"streams":[]}`
		}
		return s
	})
	a.net.fault = func(k int) fate { return pass }
	a.write(create(1, `{}`))
	w.Run(1000)
	a.net.fault = func(k int) fate {
		if k <= 3 {
			return lostBefore
		}
		return pass
	}
	a.write(create(2, `{}`))
	w.Run(20_000)
	if strings.Count(a.net.requests[2], `"op":`) > 1 {
		t.Fatal("more is offered while the outcome is unknown")
	}
}

// Entries that do not lead to the chain of their answer are not applied: not in part, and not in the local log.
func TestAChangedEntryIsNotApplied(t *testing.T) {
	w := newWorld(t, 15)
	b := w.open(memstore.New())
	b.write(create(1, `{"n":1}`))
	b.write(create(2, `{"n":1}`))
	w.Run(1000)
	changed := true
	a := w.openEdit(memstore.New(), func(s string) string {
		if changed {
			s = strings.Replace(s, `"n":1`, `"n":7`, 1)
		}
		return s
	})
	w.Run(minute)
	if st := a.Status(); a.State().Len() != 0 || st.Head != 0 || st.Err == nil || st.Err.Code != action.CodeBadAnswer {
		t.Fatalf("%d objects, %+v", a.State().Len(), st)
	}
	changed = false
	w.Run(minute)
	w.converged(a, b)
}
