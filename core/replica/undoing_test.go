package replica

import (
	"fmt"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/record"

	"pgregory.net/rapid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/aside"
	"github.com/strandline-sync/strandline/core/clients"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/core/undo"
)

var me = action.UUID{15: 10} // the client that the tests of its history are about

// replicaWorld is a replica, and all the records that led to it.
type replicaWorld struct {
	t       rapid.TB
	r       *Replica
	records [][]byte
	raws    []string // the entries, as persist has them
	n       int
}

func newReplicaWorld(t rapid.TB) *replicaWorld {
	w := &replicaWorld{t: t, r: New("s")}
	w.follow(record.EncodeInit(record.Init{Log: action.UUID{15: 1}, Client: me}))
	return w
}

func (w *replicaWorld) follow(blob []byte) {
	rec, err := record.Decode(blob)
	if err == nil {
		_, err = w.r.Follow([]*record.Record{rec})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.records = append(w.records, blob)
}

func (w *replicaWorld) id() action.UUID {
	w.n++
	return action.UUID{0: 0xaa, 13: byte(w.n >> 16), 14: byte(w.n >> 8), 15: byte(w.n)}
}

func (w *replicaWorld) write(d *queue.Draft) action.UUID {
	if d.ID == action.Nil {
		d.ID = w.id()
	}
	if _, err := w.r.write(d, uint64(w.n)); err != nil {
		w.t.Fatal(err)
	}
	return d.ID
}

func (w *replicaWorld) ops(s string, a ...any) action.UUID {
	return w.write(&queue.Draft{Ops: "[" + fmt.Sprintf(s, a...) + "]"})
}

func (w *replicaWorld) commit() {
	if len(w.r.q.Uncommitted)+len(w.r.discards) == 0 {
		return
	}
	blob, n, _ := w.r.CommitRecord()
	w.r.Committed(n, len(blob))
	w.records = append(w.records, blob)
}

func (w *replicaWorld) persist(n int) {
	t := record.Turn{After: w.r.state.Head, Chain: w.r.state.Chain, At: 7}
	for _, l := range w.r.q.Pending[:n] {
		t.Persisted = append(t.Persisted, l.ID)
		t.Chain = t.Chain.Next(l.Raw)
		w.raws = append(w.raws, l.Raw)
	}
	w.follow(record.EncodeTurn(&t))
}

func (w *replicaWorld) refuse(id action.UUID) {
	t := record.Turn{After: w.r.state.Head, Chain: w.r.state.Chain, At: 7}
	w.r.planRejected(&t, &protocol.SyncAnswer{Rejected: []action.Rejection{{ID: id, Code: "invalid"}}})
	w.follow(record.EncodeTurn(&t))
}

func (w *replicaWorld) other(seq int, base uint64, ops string) {
	a, err := action.DecodeAction(fmt.Sprintf(`{"base":%d,"client":"%s","id":"%s","ops":[%s],"seq":%d}`, base, action.UUID{15: 11}, w.id(), ops, seq))
	if err != nil {
		w.t.Fatal(err)
	}
	t := record.Turn{After: w.r.state.Head, Chain: w.r.state.Chain.Next(a.Raw), At: 7, Entries: []action.Entry{{Action: *a}}}
	w.follow(record.EncodeTurn(&t))
}

func (w *replicaWorld) undo(redo bool) action.UUID {
	d := &queue.Draft{}
	_, err := w.r.toggle(d, redo)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.write(d)
}

func (w *replicaWorld) val(o action.UUID, k string) string {
	v, _ := w.r.state.Object(o).Value(k)
	return v
}

var X = action.UUID{0: 1, 15: 1}

// What takes back a change that was refused is refused with it: alone it would be a change of its own.
func TestAnUndoOfWhatIsRefusedGoesWithIt(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":10}}`, X)
	w.commit()
	w.persist(1)
	T := w.ops(`{"op":"update","object":"%s","inc":{"n":1}}`, X)
	w.undo(false)
	w.commit()
	w.refuse(T)
	w.persist(len(w.r.q.Pending))
	if w.val(X, "n") != "10" {
		t.Error("counter is off")
	}
}

func TestARedoOfARefusedUndoGoesWithIt(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":10}}`, X)
	w.commit()
	w.persist(1)
	w.ops(`{"op":"update","object":"%s","inc":{"n":1}}`, X)
	U := w.undo(false)
	w.undo(true)
	w.commit()
	w.persist(1)
	w.refuse(U)
	w.persist(len(w.r.q.Pending))
	if w.val(X, "n") != "11" {
		t.Error("counter is off:", w.val(X, "n"))
	}
}

// Where the log discards a pending action by its guard, its undo must not write.
func TestAnUndoOfWhatTheLogDiscardsDoesNotStand(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":10,"k":0}}`, X)
	w.commit()
	w.persist(1)
	w.write(&queue.Draft{Ops: fmt.Sprintf(`[{"op":"update","object":"%s","set":{"k":1},"inc":{"n":1}}]`, X), Guards: fmt.Sprintf(`[{"object":"%s","key":"k","equals":0}]`, X)})
	w.undo(false)
	w.commit()
	w.other(1, 1, fmt.Sprintf(`{"op":"update","object":"%s","set":{"k":7}}`, X))
	if it := w.r.Ask(10, 1<<20, nil, true); len(it.Actions) != 1 {
		t.Fatalf("%d are offered: the undo of what may come to nothing waits for it", len(it.Actions))
	}
	w.persist(1)
	if w.val(X, "k") != "7" || w.val(X, "n") != "10" || len(w.r.q.Pending) != 0 || len(w.r.RejectedList()) != 1 {
		t.Error("k, n:", w.val(X, "k"), w.val(X, "n"), len(w.r.q.Pending), w.r.RejectedList())
	}
}

// A value that somebody else has written is theirs, though it is the one that this client had written before.
func TestAnEqualValueOfOthersIsTheirs(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"k":0}}`, X)
	w.ops(`{"op":"update","object":"%s","set":{"k":1}}`, X)
	w.commit()
	w.persist(2)
	w.other(1, 2, fmt.Sprintf(`{"op":"update","object":"%s","set":{"k":7}}`, X))
	w.other(2, 3, fmt.Sprintf(`{"op":"update","object":"%s","set":{"k":1}}`, X))
	w.ops(`{"op":"update","object":"%s","set":{"k":2}}`, X)
	w.undo(false)
	if _, err := w.r.Undo(&queue.Draft{}); action.CodeOf(err) != action.CodeNothingToUndo {
		t.Fatal(err)
	}
	if w.val(X, "k") != "1" {
		t.Error("the other's 1 is gone:", w.val(X, "k"))
	}
}

// An increment goes back past the writes of others, but not where the same action had put down what it was added to.
func TestAnUndoOfTwoOpsOnAKeyStopsAtTheWriteOfAnother(t *testing.T) {
	for _, c := range []struct{ ops, other, want string }{
		{`{"op":"update","object":"%[1]s","unset":["n"]},{"op":"update","object":"%[1]s","inc":{"n":1}}`, `"set":{"n":0}`, "0"},
		{`{"op":"update","object":"%[1]s","set":{"n":5}},{"op":"update","object":"%[1]s","inc":{"n":1}}`, `"set":{"n":0}`, "0"},
		{`{"op":"update","object":"%[1]s","inc":{"n":1}},{"op":"update","object":"%[1]s","set":{"n":5}}`, `"set":{"n":0}`, "0"},
		{`{"op":"update","object":"%[1]s","inc":{"n":1}},{"op":"update","object":"%[1]s","inc":{"n":1}}`, `"set":{"n":9}`, "7"},
		{`{"op":"update","object":"%[1]s","set":{"n":5}},{"op":"update","object":"%[1]s","inc":{"n":1}}`, `"set":{"m":0}`, "10"},
	} {
		w := newReplicaWorld(t)
		w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":10}}`, X)
		w.commit()
		w.persist(1)
		w.ops(fmt.Sprintf(c.ops, X)+`,{"op":"update","object":"%s","set":{"k":1}}`, X)
		w.commit()
		w.persist(1)
		w.other(1, 2, fmt.Sprintf(`{"op":"update","object":"%s",`+c.other+`}`, X))
		w.undo(false)
		if got := w.val(X, "n"); got != c.want || w.val(X, "k") == "1" {
			t.Errorf("%s: n is %s, not %s; k is %s", c.ops, got, c.want, w.val(X, "k"))
		}
	}
}

func TestAnUndoThatWouldDoNothingIsNone(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":10}}`, X)
	w.commit()
	w.persist(1)
	w.ops(`{"op":"update","object":"%[1]s","set":{"n":5}},{"op":"update","object":"%[1]s","inc":{"n":1}}`, X)
	w.commit()
	w.persist(1)
	w.other(1, 2, fmt.Sprintf(`{"op":"update","object":"%s","set":{"n":0}},{"op":"update","object":"%[1]s","set":{"m":0}}`, X))
	if _, err := w.r.Undo(&queue.Draft{}); action.CodeOf(err) != action.CodeNothingToUndo {
		t.Error(err)
	}
}

func TestAWriteEndsWhatCanBeRedone(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"a":0,"b":0}}`, X)
	w.ops(`{"op":"update","object":"%s","set":{"a":1}}`, X)
	w.undo(false)
	w.ops(`{"op":"update","object":"%s","set":{"b":1}}`, X)
	w.undo(false)
	w.undo(true)
	d := &queue.Draft{}
	if _, err := w.r.Redo(d); err == nil {
		t.Error("redo past a later write:", d.Ops)
	}
}

func TestADroppedUndoTakesItsRedoAlong(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":10}}`, X)
	w.commit()
	w.persist(1)
	T := w.ops(`{"op":"update","object":"%s","inc":{"n":1}}`, X)
	w.commit()
	w.undo(false)
	w.undo(true) // uncommitted both
	// another tab's undo of T is first
	l, err := queue.Make(&queue.Draft{ID: w.id(), Ops: fmt.Sprintf(`[{"op":"update","object":"%s","inc":{"n":-1}}]`, X), Meta: undo.Meta(T)}, me, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.Number(w.r.lastSeq + 1)
	w.follow(record.EncodeCommit([]string{l.Raw}, nil, nil))
	if len(w.r.q.Uncommitted) > 0 {
		t.Error("the redo of a dropped undo stays")
	}
}

func TestAStepTooLargeToTakeBackIsAnError(t *testing.T) {
	w := newReplicaWorld(t)
	big := strings.Repeat("x", 150<<10)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"k":0}}`, action.UUID{0: 2})
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"a":"%s"}}`, X, big)
	w.ops(`{"op":"update","object":"%s","set":{"b":"%s"}}`, X, big)
	w.ops(`{"op":"remove","object":"%s"}`, X)
	d := &queue.Draft{ID: w.id()}
	if _, err := w.r.Undo(d); action.CodeOf(err) != action.CodeTooLarge || d.Ops != "" {
		t.Fatal("another step than the last one is taken back:", err, len(d.Ops))
	}
}

func TestMoreReportsThanUsualSurviveAReload(t *testing.T) {
	w := newReplicaWorld(t)
	w.r.conflicts.Keep = 5000
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"k":0}}`, X)
	w.commit()
	w.persist(1)
	for range 3 {
		for range 500 {
			w.ops(`{"op":"update","object":"%s","set":{"k":1}}`, X)
		}
		w.commit()
		w.other(w.n, w.r.state.Head, fmt.Sprintf(`{"op":"update","object":"%s","set":{"k":7}}`, X))
		w.other(w.n, w.r.state.Head, fmt.Sprintf(`{"op":"remove","object":"%s"}`, X))
		w.persist(500)
		w.other(w.n, w.r.state.Head, fmt.Sprintf(`{"op":"create","object":"%s","type":"t","fields":{"k":0}}`, X))
	}
	before := len(w.r.Conflicts())
	r, err := Read("s", 5000, &locallog.Log{Records: w.records}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if after := len(r.Conflicts()); after != before {
		t.Error("reports before and after a reload:", before, after)
	}
}

func TestARetryKeepsItsTargetUnderANewId(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":0}}`, X)
	w.commit()
	w.persist(1)
	T := w.ops(`{"op":"update","object":"%s","inc":{"n":1}}`, X)
	w.commit()
	w.refuse(T)
	d := &queue.Draft{}
	if err := w.r.Retry(d, T, ""); err != nil {
		t.Fatal(err)
	}
	w.write(d)
	if len(w.r.RejectedList()) != 0 {
		t.Fatal("claimed")
	}
	// adopt, as after a checkpoint whose row is another copy's of this client
	st := state.NewState()
	st.Head = 5
	st.PutClient(clients.Row{Client: me, Seq: 50, Index: 5, Action: action.UUID{3: 3}})
	next := w.r.PlanInstall(asideOf(w.r, st), action.UUID{15: 77}, 9)
	next.track(&locallog.Manifest{}, true)
	next.TakeOver(w.r)
	blob, _, _ := next.CommitRecord()
	rec, err := record.Decode(blob)
	if err != nil || len(rec.Dismissed) != 1 {
		t.Error("the retry no longer takes the refused action's place; on the list:", len(next.RejectedList()))
	}
}

func TestAnInstalledCheckpointKnowsWhatIsUndone(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":10}}`, X)
	w.ops(`{"op":"update","object":"%s","inc":{"n":1}}`, X)
	w.commit()
	st := state.NewState()
	for _, l := range w.r.q.Pending {
		st.ApplyEntry(&l.Action, nil, nil)
	}
	w.persist(2)
	U := w.undo(false)
	w.commit()
	st.ApplyEntry(&w.r.q.Get(U).Action, nil, nil)
	a, _ := action.DecodeAction(fmt.Sprintf(`{"base":0,"client":"%s","id":"%s","ops":[{"op":"create","object":"%s","type":"t","fields":{}}],"seq":1}`, action.UUID{15: 11}, w.id(), action.UUID{9: 9}))
	st.ApplyEntry(a, nil, nil)
	next := w.r.PlanInstall(asideOf(w.r, st), action.UUID{15: 77}, 9)
	d := &queue.Draft{}
	_, err := next.Undo(d)
	if strings.Contains(d.Ops, `"inc"`) {
		t.Error("undone twice:", err, d.Ops)
	}
}

func TestADroppedRetryTakesAlongWhatBuildsOnIt(t *testing.T) {
	w := newReplicaWorld(t)
	T := w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":10}}`, X)
	w.commit()
	w.refuse(T)
	d := &queue.Draft{}
	if err := w.r.Retry(d, T, ""); err != nil {
		t.Fatal(err)
	}
	w.write(d)
	w.ops(`{"op":"update","object":"%s","set":{"n":11}}`, X)
	w.follow(record.EncodeCommit(nil, []action.UUID{T}, nil))
	if len(w.r.q.Uncommitted) > 0 || w.r.state.Exists(X) {
		t.Errorf("%d are left", len(w.r.q.Uncommitted))
	}
}

// asideOf is a checkpoint's state aside of a replica.
func asideOf(r *Replica, s *state.State) *aside.Log {
	a := r.NewAside()
	a.Begin(s)
	return a
}
