package replica

import (
	"fmt"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/checkpoint"
	"github.com/strandline-sync/strandline/core/conflict"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/state"
)

// entryOf brings an entry by some client, as an answer of the server does: planned, stored, followed.
func (w *replicaWorld) entry(raw string) {
	w.t.Helper()
	it := w.r.Ask(0, 0, nil, true)
	head := w.r.state.Head + 1
	a := protocol.SyncAnswer{Stream: "s", Head: head, Entries: []protocol.WireEntry{{Index: head, Action: raw}}}
	p, err := w.r.PlanTurn(&it, &a, 7, func() action.UUID { return action.UUID{15: byte(0x80 + len(w.r.former))} })
	if err != nil {
		w.t.Fatal(err)
	}
	w.follow(p.Record)
}

// C1: what is refused and reaches the log all the same is off the list, and cannot be tried again.
func TestWhatIsRefusedAndTakenAllTheSameIsOffTheList(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":0}}`, X)
	w.commit()
	w.persist(1)
	id := w.ops(`{"op":"update","object":"%s","inc":{"n":1}}`, X)
	w.commit()
	raw := w.r.q.Pending[0].Raw
	w.refuse(id)
	if w.val(X, "n") != "0" || len(w.r.RejectedList()) != 1 {
		t.Fatal("not refused")
	}
	retry := &queue.Draft{}
	if err := w.r.Retry(retry, id, ""); err != nil {
		t.Fatal(err)
	}
	w.write(retry)
	w.entry(raw) // the first answer was late
	if w.val(X, "n") != "1" || w.r.rejected.Len() != 0 || len(w.r.q.Uncommitted) != 0 {
		t.Errorf("n is %s, %d on the list, %d written again", w.val(X, "n"), w.r.rejected.Len(), len(w.r.q.Uncommitted))
	}
	if index, rejected, err := w.r.Fate(id); index != 2 || rejected != nil || err != nil {
		t.Error("its fate:", index, rejected, err)
	}
}

// C2: more objects than guards there are, and an object that the target removes.
func TestNoUndoOutlivesItsTarget(t *testing.T) {
	var creates, incs []byte
	id := func(n int) action.UUID { return action.UUID{0: 2, 15: byte(n)} }
	for n := range 150 {
		creates = fmt.Appendf(creates, `,{"op":"create","object":"%s","type":"t","fields":{"n":10}}`, id(n))
		incs = fmt.Appendf(incs, `,{"op":"update","object":"%s","inc":{"n":1}}`, id(n))
	}
	w := newReplicaWorld(t)
	w.ops("%s", creates[1:])
	w.commit()
	w.persist(1)
	w.write(&queue.Draft{Ops: "[" + string(incs[1:]) + "]", Atomic: true})
	w.undo(false)
	w.undo(true)
	w.commit()
	w.other(1, 1, fmt.Sprintf(`{"op":"remove","object":"%s"}`, id(149)))
	w.persist(1)
	if w.val(id(0), "n") != "10" || len(w.r.q.Pending) > 0 || len(w.r.RejectedList()) != 2 {
		t.Errorf("n is %s, %d pending, %d refused", w.val(id(0), "n"), len(w.r.q.Pending), len(w.r.RejectedList()))
	}

	w = newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":10}},{"op":"create","object":"%s","type":"t","fields":{"n":10}}`, X, id(1))
	w.commit()
	w.persist(1)
	w.write(&queue.Draft{Ops: fmt.Sprintf(`[{"op":"remove","object":"%s"},{"op":"update","object":"%s","inc":{"n":1}}]`, X, id(1)), Atomic: true})
	w.undo(false)
	w.commit()
	w.other(1, 1, fmt.Sprintf(`{"op":"remove","object":"%s"}`, X))
	w.persist(1)
	if w.r.state.Exists(X) || w.val(id(1), "n") != "10" {
		t.Error("what others had removed is back, or a number is off:", w.r.state.Exists(X), w.val(id(1), "n"))
	}
}

// C6: the old value itself goes back while nobody has written since; and what others made anew is not ours.
func TestUndoIsExact(t *testing.T) {
	for _, c := range []struct{ name, fields, op, key string }{
		{"a sum of fractions", `{"n":0.1}`, `"inc":{"n":0.7}`, "n"},
		{"a sum that is lost in the large", `{"n":1e+300}`, `"inc":{"n":1}`, "n"},
		{"an order", `{"n":[1,2,3]}`, `"without":{"n":[1]}`, "n"},
		{"equal elements", `{"n":[2,1,2]}`, `"without":{"n":[2]}`, "n"},
		{"an absent number", `{}`, `"inc":{"n":1}`, "n"},
		{"an absent array", `{}`, `"union":{"n":[1]}`, "n"},
	} {
		for _, sent := range []bool{false, true} {
			w := newReplicaWorld(t)
			w.ops(`{"op":"create","object":"%s","type":"t","fields":%s}`, X, c.fields)
			before := w.val(X, c.key)
			w.ops(`{"op":"update","object":"%s",%s}`, X, c.op)
			if sent {
				w.commit()
				w.persist(2)
				w.reload()
			}
			changed := w.val(X, c.key)
			w.undo(false)
			if got := w.val(X, c.key); got != before {
				t.Errorf("%s, sent %v: %s became %s and goes back to %s", c.name, sent, before, changed, got)
			}
			w.undo(true)
			if got := w.val(X, c.key); got != changed {
				t.Errorf("%s, sent %v: done again it is %s", c.name, sent, got)
			}
		}
	}
}

// reload reads the replica anew, through a checkpoint of its own.
func (w *replicaWorld) reload() {
	w.t.Helper()
	n := checkpoint.Whole(w.r.state, w.r.Undos(), w.r.log.Log)
	n.Place(w.r.next-1, w.r)
	for !n.Step() {
	}
	c := n.Seal(&locallog.Manifest{})
	log := &locallog.Log{Manifest: c.Manifest}
	for _, p := range c.Pages {
		log.Pages = append(log.Pages, p.Bytes)
	}
	r, err := Read("s", 0, log, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.r = r
}

func TestWhatOthersMadeAnewIsNotTakenFrom(t *testing.T) {
	for _, op := range []string{`"inc":{"n":1}`, `"union":{"a":[9]}`, `"without":{"a":[1]}`} {
		w := newReplicaWorld(t)
		w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":1,"a":[1]}}`, X)
		w.ops(`{"op":"update","object":"%s",%s}`, X, op)
		w.commit()
		w.persist(2)
		w.other(1, 2, fmt.Sprintf(`{"op":"remove","object":"%s"}`, X))
		w.other(2, 3, fmt.Sprintf(`{"op":"create","object":"%s","type":"t","fields":{"n":5,"a":[9,1]}}`, X))
		w.reload()
		d := &queue.Draft{}
		if _, err := w.r.Undo(d); action.CodeOf(err) != action.CodeNothingToUndo {
			t.Errorf("%s on another object is undone there: %v %s", op, err, d.Ops)
		}
	}
}

// What others add to a number at the same time is not lost to an undo of ours.
func TestAnUndoLeavesWhatOthersAdd(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":1}}`, X)
	w.ops(`{"op":"update","object":"%s","inc":{"n":1}}`, X)
	w.commit()
	w.persist(2)
	w.undo(false)
	w.commit()
	w.other(1, 2, fmt.Sprintf(`{"op":"update","object":"%s","inc":{"n":5}}`, X))
	w.persist(1)
	if w.val(X, "n") != "6" {
		t.Error("n is", w.val(X, "n"))
	}
}

// C3: what a checkpoint resolved cannot be taken back, and nothing else is in its place.
func TestAStepThatACheckpointResolvedIsAnError(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":1}}`, X)
	w.commit()
	w.persist(1)
	w.ops(`{"op":"update","object":"%s","inc":{"n":1}}`, X)
	w.commit()
	l := w.r.q.Pending[0]
	st := state.Fold(nil)
	for _, raw := range w.raws {
		a, _ := action.DecodeAction(raw)
		st.ApplyEntry(a, nil, nil)
	}
	st.ApplyEntry(&l.Action, nil, nil)
	next := w.r.PlanInstall(asideOf(w.r, st), action.UUID{15: 77}, 9)
	next.MovedTo(&locallog.Manifest{LSN: 9})
	next.TakeOver(w.r)
	d := &queue.Draft{}
	if _, err := next.Undo(d); action.CodeOf(err) != action.CodeUnknown {
		t.Errorf("%v %s", err, d.Ops)
	}
}

// C8: an entry under this client's id that it never made is another copy's: the same record gives it another id, and what is pending goes on.
func TestAnEntryOfACopyGivesAnotherClientID(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":1}}`, X)
	w.commit()
	w.persist(1)
	w.ops(`{"op":"update","object":"%s","set":{"n":2}}`, X) // pending
	w.commit()
	w.ops(`{"op":"update","object":"%s","set":{"m":3}}`, X) // uncommitted
	other := action.UUID{0: 0xbb}
	w.entry(fmt.Sprintf(`{"base":1,"client":"%s","id":"%s","ops":[{"op":"update","object":"%s","set":{"k":7}}],"seq":2}`, me, other, X))
	fresh := action.UUID{15: 0x80}
	if w.r.Client() != fresh || len(w.r.q.Pending) != 1 || len(w.r.q.Uncommitted) != 1 {
		t.Fatal(w.r.Client(), len(w.r.q.Pending), len(w.r.q.Uncommitted))
	}
	if l := w.r.q.Pending[0]; l.Client != fresh || l.Seq != 1 || w.r.q.Get(l.ID) != l || w.r.q.Uncommitted[0].Client != fresh {
		t.Error("pending is", l.Raw)
	}
	w.commit()
	w.persist(2)
	if got := w.val(X, "n") + w.val(X, "m") + w.val(X, "k"); got != "237" {
		t.Error(got)
	}
	again, err := Read("s", 0, &locallog.Log{Records: w.records}, nil)
	if err != nil || again.Client() != fresh || len(again.q.Pending) != 0 {
		t.Error("read anew:", err)
	}
	// C7: the former id is not forgotten: what is overwritten is told, and what it made can be undone.
	w.reload()
	w.other(1, 0, fmt.Sprintf(`{"op":"update","object":"%s","set":{"n":9}}`, X))
	if list := w.r.Conflicts(); len(list) == 0 || list[0].Kind != conflict.Overwritten {
		t.Error("an overwritten write is not told of:", list)
	}
}

func TestWhatAFormerClientIDMadeCanBeUndone(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":1}}`, X)
	w.commit()
	w.persist(1)
	w.entry(fmt.Sprintf(`{"base":1,"client":"%s","id":"%s","ops":[{"op":"create","object":"%s","type":"t","fields":{}}],"seq":2}`, me, action.UUID{0: 0xbb}, action.UUID{0: 9}))
	w.ops(`{"op":"update","object":"%s","set":{"n":2}}`, X)
	w.undo(false)
	w.undo(false)
	if w.r.state.Exists(X) {
		t.Error("it is still there")
	}
	d := &queue.Draft{}
	if _, err := w.r.Undo(d); action.CodeOf(err) != action.CodeNothingToUndo {
		t.Error("the other copy's object is undone:", err, d.Ops)
	}
}

// Two undos in two tabs at once are two steps.
func TestTwoUndosAtOnceAreTwoSteps(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"a":0,"b":0}}`, X)
	w.ops(`{"op":"update","object":"%s","set":{"a":1}}`, X)
	w.ops(`{"op":"update","object":"%s","set":{"b":1}}`, X)
	w.commit()
	other := otherTab(t, w.records)
	ours := w.undo(false)
	d := &queue.Draft{ID: action.UUID{0: 0xcc}}
	if _, err := other.Undo(d); err != nil {
		t.Fatal(err)
	}
	if _, err := other.write(d, 1); err != nil {
		t.Fatal(err)
	}
	blob, n, _ := other.CommitRecord()
	other.Committed(n, len(blob))
	w.follow(blob) // the other tab was first
	if len(w.r.q.Uncommitted) != 1 || w.r.q.Uncommitted[0].ID != ours || w.val(X, "a")+w.val(X, "b") != "00" {
		t.Errorf("%d uncommitted, a, b: %s %s", len(w.r.q.Uncommitted), w.val(X, "a"), w.val(X, "b"))
	}
	w.commit()
	w.undo(true)
	w.undo(true)
	if w.val(X, "a")+w.val(X, "b") != "11" {
		t.Error("done again, a, b:", w.val(X, "a"), w.val(X, "b"))
	}
}

// otherTab is another context's replica of the same records.
func otherTab(t *testing.T, records [][]byte) *Replica {
	t.Helper()
	r, err := Read("s", 0, &locallog.Log{Records: records}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
