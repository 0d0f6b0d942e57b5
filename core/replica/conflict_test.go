package replica

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/conflict"

	"github.com/strandline-sync/strandline/core/record"

	"pgregory.net/rapid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/action/actiontest"
	"github.com/strandline-sync/strandline/core/checkpoint"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/core/undo"
)

// ownWorld is a replica whose client meets others in a small, generated world.
type ownWorld struct {
	*replicaWorld
	t   *rapid.T
	log []*action.Action
}

func newOwnWorld(t *rapid.T) *ownWorld { return &ownWorld{replicaWorld: newReplicaWorld(t), t: t} }

// write makes some own actions; those that are wrong at once are not made.
func (w *ownWorld) write(most int) {
	for range rapid.IntRange(0, most).Draw(w.t, "writes") {
		var ops []string
		for range rapid.IntRange(1, 3).Draw(w.t, "ops") {
			ops = append(ops, actiontest.Op(w.t, false))
		}
		d := &queue.Draft{ID: w.id(), Ops: "[" + strings.Join(ops, ",") + "]", Atomic: rapid.IntRange(0, 3).Draw(w.t, "atomic") == 0}
		if rapid.IntRange(0, 4).Draw(w.t, "guarded") == 0 {
			d.Guards = "[" + actiontest.Guard(w.t) + "]"
		}
		_, _ = w.r.write(d, uint64(w.n))
	}
}

// turn brings entries of others, or the pending actions into the log.
func (w *ownWorld) turn(own bool) {
	t := record.Turn{After: w.r.state.Head, Chain: w.r.state.Chain, At: 7}
	if own {
		for _, l := range w.r.q.Pending {
			t.Persisted = append(t.Persisted, l.ID)
			w.log = append(w.log, &l.Action)
			t.Chain = t.Chain.Next(l.Raw)
		}
	} else {
		for range rapid.IntRange(0, 3).Draw(w.t, "entries") {
			w.n++
			if a := actiontest.Action(w.t, w.n, w.r.state.Head); a.Client != me {
				if a.Client != action.Nil { // in the order of its client: else it is a duplicate, and does nothing
					a, _ = action.DecodeAction(a.Raw[:strings.LastIndexByte(a.Raw, ':')+1] + action.Itoa(w.n) + "}")
				}
				t.Entries = append(t.Entries, action.Entry{Action: *a})
				t.Chain = t.Chain.Next(a.Raw)
				w.log = append(w.log, a)
			}
		}
	}
	w.follow(record.EncodeTurn(&t))
}

// again is the replica as another context reads it: from the records, or from a checkpoint and the records after it.
func (w *ownWorld) again(whole bool) *Replica {
	l := &locallog.Log{Records: w.records}
	if whole {
		n := checkpoint.Whole(w.r.state, w.r.Undos(), w.r.log.Log)
		n.Place(w.r.next-1, w.r)
		for !n.Step() {
		}
		c := n.Seal(&locallog.Manifest{})
		l = &locallog.Log{Manifest: c.Manifest}
		for _, p := range c.Pages {
			l.Pages = append(l.Pages, p.Bytes)
		}
	}
	r, err := Read("s", 0, l, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// Every own write that lost, or that replaced an unseen one, has its report, and none has one without a cause: what the log says of it is the
// measure, folded from nothing.
func TestConflictsAreWhatTheLogSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newOwnWorld(t)
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			w.write(3)
			w.commit()
			w.turn(rapid.Bool().Draw(t, "own"))
		}
		w.commit()
		w.turn(true)
		want := causes(w.log)
		for name, r := range map[string]*Replica{"here": w.r, "read again": w.again(false), "from a checkpoint": w.again(true)} {
			var got []string
			list := r.Conflicts()
			for i := range list {
				c := &list[len(list)-1-i]
				got = append(got, cause(c.Kind, c.Action, c.Object, c.Key, c.Index))
				if c.Kind != conflict.Discarded && c.Other == nil || c.Other != nil && c.Other.Client == me && c.Reason != state.ReasonExists {
					t.Fatalf("%s: nobody is named: %+v", name, c)
				}
			}
			slices.Sort(got)
			got = slices.Compact(got) // two ops of an action may lose in one place
			if !slices.Equal(got, want) {
				t.Fatalf("%s:\n got %v\nwant %v", name, got, want)
			}
		}
	})
}

func cause(kind conflict.Kind, action, object action.UUID, key string, index uint64) string {
	return fmt.Sprintf("%s %x by %d of %x %q", kind, action[14:], index, object[15:], key)
}

// causes folds a log from nothing and lists what must be reported to me.
func causes(log []*action.Action) []string {
	s, out := state.NewState(), map[string]bool{}
	for i, a := range log {
		var e state.Effect
		s.ApplyEntry(a, nil, &e)
		index, keyed := uint64(i+1), map[[2]action.UUID]bool{} // the object itself is told of where no key of it is
		if a.Client != me {
			for j, op := range e.Ops {
				for _, ow := range op.Overwrote {
					if ow.Write.Client == me && (ow.Key != "" || !keyed[[2]action.UUID{a.Ops[j].Object, ow.Write.Action}]) {
						keyed[[2]action.UUID{a.Ops[j].Object, ow.Write.Action}] = true
						out[cause(conflict.Overwritten, ow.Write.Action, a.Ops[j].Object, ow.Key, index)] = true
					}
				}
			}
			continue
		}
		for j := range a.Ops {
			op := &a.Ops[j]
			if e.Reason != "" || e.Ops[j].Discarded {
				keys := []string{""}
				if op.Kind == action.Update && len(op.Changes) > 0 {
					keys = nil
					for _, ch := range op.Changes {
						keys = append(keys, ch.Key)
					}
				}
				for _, key := range keys {
					out[cause(conflict.Discarded, a.ID, op.Object, key, index)] = true
				}
				continue
			}
			for _, k := range e.Ops[j].Keys {
				out[cause(conflict.Discarded, a.ID, op.Object, k.Key, index)] = true
			}
			for _, ow := range e.Ops[j].Overwrote {
				if ow.Key != "" || len(e.Ops[j].Overwrote) == 1 {
					out[cause(conflict.Overwrote, a.ID, op.Object, ow.Key, index)] = true
				}
			}
		}
	}
	var list []string
	for c := range out {
		list = append(list, c)
	}
	slices.Sort(list)
	return list
}

// visible is what an app sees.
func visible(r *Replica) string {
	var out []string
	for o := range r.state.Objects() {
		out = append(out, string(r.state.AppendRow(nil, o.ID())))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// What is undone is as it was, and what is done again is as it was after, step by step, wherever the steps are: not committed, pending, in
// the log, read again after a reload.
func TestUndoAndRedoAreExactWhereNobodyElseWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newOwnWorld(t)
		settle := func() {
			if rapid.Bool().Draw(t, "commit") {
				w.commit()
				if rapid.Bool().Draw(t, "persist") {
					w.turn(true)
				}
				if rapid.Bool().Draw(t, "reload") {
					w.commit()
					w.r = w.again(rapid.Bool().Draw(t, "checkpoint"))
				}
			}
		}
		seen := []string{visible(w.r)}
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			before := len(w.r.q.Uncommitted)
			w.write(1)
			if len(w.r.q.Uncommitted) == before {
				continue
			}
			if l := w.r.q.Uncommitted[before]; visible(w.r) != seen[len(seen)-1] {
				for i := range l.Ops { // to append and take out again is not exact in the order of an array
					for _, ch := range l.Ops[i].Changes {
						if ch.Part == action.PartWithout || ch.Part == action.PartUnion || ch.Part == action.PartInc {
							t.Skip()
						}
					}
				}
				seen = append(seen, visible(w.r))
			}
			settle()
		}
		toggle := func(f func(*queue.Draft) ([]undo.Skipped, error), what, want string) {
			for visible(w.r) != want { // a step that changed nothing that is seen is a step too
				was := visible(w.r)
				d := &queue.Draft{ID: w.id()}
				skipped, err := f(d)
				if err != nil || len(skipped) > 0 {
					t.Fatalf("%s: %v %v\n  have %s\n  want %s\n%+v\n", what, skipped, err, was, want, slices.Collect(w.r.done().Parts))
				}
				if _, err := w.r.write(d, uint64(w.n)); err != nil {
					t.Fatalf("%s: %v of %s", what, err, d.Ops)
				}
				settle()
			}
		}
		down := rapid.IntRange(0, len(seen)-1).Draw(t, "down to")
		for i := len(seen) - 2; i >= down; i-- {
			toggle(func(d *queue.Draft) ([]undo.Skipped, error) { return w.r.Undo(d) }, "undo", seen[i])
		}
		for i := down + 1; i < len(seen); i++ {
			toggle(func(d *queue.Draft) ([]undo.Skipped, error) { return w.r.Redo(d) }, "redo", seen[i])
		}
		for i := len(seen) - 2; i >= 0; i-- {
			toggle(func(d *queue.Draft) ([]undo.Skipped, error) { return w.r.Undo(d) }, "undo again", seen[i])
		}
	})
}

// Undo writes back only keys that nobody else has written since: whatever others have written stands after it.
func TestUndoTouchesNothingOfOthers(t *testing.T) {
	for i := range 8 {
		t.Run(action.Itoa(i), rapid.MakeCheck(undoAmongOthers))
	}
}

func undoAmongOthers(t *rapid.T) {
	w := newOwnWorld(t)
	for range rapid.IntRange(1, 6).Draw(t, "rounds") {
		w.write(3)
		w.commit()
		w.turn(true)
		w.turn(false)
	}
	type place struct {
		object action.UUID
		key    string
	}
	foreign := map[place]string{}
	for o := range w.r.state.Objects() {
		for key, value := range o.Fields() {
			if o.Write(key).Client != me && value != "" {
				foreign[place{o.ID(), key}] = value
			}
		}
	}
	d := &queue.Draft{ID: w.id()}
	skipped, err := w.r.Undo(d)
	if err != nil {
		if action.CodeOf(err) != action.CodeNothingToUndo {
			t.Fatal(err)
		}
		return
	}
	l, err := w.r.write(d, uint64(w.n))
	if err != nil {
		t.Fatalf("%v: %s", err, d.Ops)
	}
	merged := map[place]bool{}
	for i := range l.Ops {
		for _, ch := range l.Ops[i].Changes {
			merged[place{l.Ops[i].Object, ch.Key}] = ch.Part > action.PartUnset
		}
	}
	for p, value := range foreign {
		if now, _ := w.r.state.Object(p.object).Value(p.key); now != value && !merged[p] {
			t.Fatalf("%x %q was %s, and is %q after the undo %s, which skipped %v", p.object[15:], p.key, value, now, d.Ops, skipped)
		}
	}
}
