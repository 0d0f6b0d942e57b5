package replica

import (
	"fmt"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/state"
)

// crowd is a replica with so many objects and pending actions, each on an object of its own.
func crowd(t *testing.T, objects, pending int) *replicaWorld {
	w := newReplicaWorld(t)
	other, chain := action.UUID{15: 11}, w.r.state.Chain
	turn := record.Turn{Chain: chain, At: 7}
	for n := range objects {
		raw := fmt.Sprintf(`{"base":0,"client":"%s","id":"%s","ops":[{"fields":{"n":1,"title":"Something to do"},"object":"%s","op":"create","type":"todo"}],"seq":%d}`,
			other, w.id(), crowdObject(n), n+1)
		a, err := action.DecodeAction(raw)
		if err != nil {
			t.Fatal(err)
		}
		turn.Entries = append(turn.Entries, action.Entry{Action: *a})
		turn.Chain = turn.Chain.Next(a.Raw)
	}
	w.follow(record.EncodeTurn(&turn))
	for n := range pending {
		w.ops(`{"op":"update","object":"%s","set":{"n":%d}}`, crowdObject(n), n)
	}
	w.commit()
	return w
}

func crowdObject(n int) action.UUID {
	return action.UUID{0: 7, 12: byte(n >> 24), 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}
}

// What happens once costs what it touches: with a hundred times the objects and a thousand times the queue it costs the same.
func TestCostsDoNotGrowWithWhatIsThere(t *testing.T) {
	small, large := crowd(t, 1_000, 10), crowd(t, 100_000, 10_000)
	for _, c := range []struct {
		name string
		step func(w *replicaWorld)
	}{
		{"one local write", func(w *replicaWorld) {
			w.ops(`{"op":"update","object":"%s","set":{"n":0}}`, crowdObject(999))
		}},
		{"its commit", func(w *replicaWorld) { w.commit() }},
		{"one foreign turn of ten", func(w *replicaWorld) {
			turn := record.Turn{After: w.r.state.Head, Chain: w.r.state.Chain, At: 7}
			for n := range 10 {
				raw := fmt.Sprintf(`{"base":0,"client":"%s","id":"%s","ops":[{"object":"%s","op":"update","set":{"m":1}}],"seq":%d}`,
					action.UUID{15: 11}, w.id(), crowdObject(n/2), 1_000_000+int(w.r.state.Head)+n)
				a, err := action.DecodeAction(raw)
				if err != nil {
					t.Fatal(err)
				}
				turn.Entries = append(turn.Entries, action.Entry{Action: *a})
				turn.Chain = turn.Chain.Next(a.Raw)
			}
			w.follow(record.EncodeTurn(&turn))
		}},
		{"one own persisted action", func(w *replicaWorld) { w.persist(1) }},
		{"one commit of another tab", func(w *replicaWorld) {
			l, err := queue.Make(&queue.Draft{ID: w.id(), Ops: fmt.Sprintf(`[{"op":"update","object":"%s","set":{"n":5}}]`, crowdObject(998))}, me, 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			l.Number(w.r.lastSeq + 1)
			w.follow(record.EncodeCommit([]string{l.Raw}, nil, nil))
		}},
		{"one refusal", func(w *replicaWorld) { w.refuse(w.r.q.Pending[2].ID) }},
		{"an answer that says nothing", func(w *replicaWorld) {
			it := w.r.Ask(1000, 1<<20, nil, true)
			if _, err := w.r.PlanTurn(&it, &protocol.SyncAnswer{Stream: "s", Head: it.After}, 7, nil); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		a, b := cost(small, c.step), cost(large, c.step)
		t.Logf("%-28s %+v, with more %+v", c.name, a, b)
		if b.Applied > 2*a.Applied || b.TakenBack > 2*a.TakenBack || b.Visited > 2*a.Visited || b.Copied > 2*a.Copied {
			t.Errorf("%s costs %+v, and with more there %+v", c.name, a, b)
		}
	}
}

func cost(w *replicaWorld, step func(w *replicaWorld)) state.Counts {
	before := w.r.state.Counts
	step(w)
	after := w.r.state.Counts
	return state.Counts{Visited: after.Visited - before.Visited, Applied: after.Applied - before.Applied, TakenBack: after.TakenBack - before.TakenBack,
		Copied: after.Copied - before.Copied}
}

// A new key costs a move of what is behind it, and no sorting anew (C23).
func TestANewKeyCostsAMove(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{}}`, X)
	for from := 0; from < 8000; from += 1000 {
		set := ""
		for n := range 1000 {
			set += fmt.Sprintf(`,"k%05d":1`, from+n)
		}
		w.ops(`{"op":"update","object":"%s","set":{%s}}`, X, set[1:])
	}
	w.commit()
	w.persist(9)
	got := cost(w, func(w *replicaWorld) { w.ops(`{"op":"update","object":"%s","set":{"k00000a":1}}`, X) })
	if want := 2 * 8000 * 40; got.Copied > want {
		t.Errorf("%d bytes are copied, more than %d", got.Copied, want)
	}
	if err := w.r.Check(); err != nil {
		t.Fatal(err)
	}
}

// The refused list is looked into by id (C24): ten thousand are discarded in as many steps.
func TestManyRefusals(t *testing.T) {
	w := crowd(t, 10_000, 10_000)
	a := protocol.SyncAnswer{}
	for _, l := range w.r.q.Pending {
		a.Rejected = append(a.Rejected, action.Rejection{ID: l.ID, Code: action.CodeRejected})
	}
	turn := record.Turn{After: w.r.state.Head, Chain: w.r.state.Chain, At: 7}
	w.r.planRejected(&turn, &a)
	w.follow(record.EncodeTurn(&turn))
	if n := w.r.Refusals(); n != 10_000 {
		t.Fatal(n)
	}
	for i, j := range w.r.RejectedList() {
		if w.r.DiscardSoon(j.ID); w.r.Refusals() != 9_999-i {
			t.Fatal(i, w.r.Refusals())
		}
		if i == 99 {
			break
		}
	}
	w.commit()
	if n := w.r.Refusals(); n != 9_900 || len(w.r.RejectedList()) != n {
		t.Error(n)
	}
}

// Many small records behind a large checkpoint are worth another one: at start each is read by itself (C18).
func TestManyRecordsAreWorthACheckpoint(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{}}`, X)
	for n := range maxRecords - 1 { // and record 0
		if w.r.Heavy(1<<30, 0) {
			t.Fatalf("%d records are not many", n)
		}
		w.ops(`{"op":"update","object":"%s","set":{"n":%d}}`, X, n)
		w.commit()
	}
	if !w.r.Heavy(1<<30, 0) {
		t.Error("many records, and no checkpoint")
	}
}
