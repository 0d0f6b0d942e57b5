package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/conflict"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/pace"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/state"
)

// outcome is what became of an own action in the log.
type outcome struct {
	Ticket uint64
	own.Entry
}

// Landing is what a record did to this replica's own actions.
type Landing struct {
	Committed uint64 // the last ticket of an uncommitted action that the log has all the same; 0 for none
	Resolved  []outcome
	Rejected  []Rejected
	Conflicts []conflict.Conflict
	Dropped   []dropped
	Left      []action.UUID // objects that were named by what is not in the queue any more, some of them several times
	Hidden    []action.UUID // objects that were named by what was not committed
	Resets    own.Resets    // another log has taken the place of the one before, so often
	Difference
}

// Difference is what a step has changed, by objects.
type Difference struct {
	Shown  []action.UUID // that have another row now, with what is not in the log yet
	Logged []action.UUID // of which the log says something else now
	All    bool          // it is another state altogether: any may have changed
}

// dropped is an uncommitted write that another context has made pointless.
type dropped struct {
	*queue.Local
	Err error
}

// Follow applies records that are durable in the local log: the first ones at start-up, those of other contexts, and
// this context's own turns. Uncommitted actions stay on top. What is not concerned stays applied.
func (r *Replica) Follow(records []*record.Record) (land Landing, err error) {
	follow := func() {
		commits := true
		for _, rec := range records {
			if err = r.fold(rec, &land); err != nil {
				return
			}
			r.next++
			r.weigh(rec.Bytes)
			r.state.Came(rec.Bytes)
			commits = commits && rec.Kind == locallog.KindCommit
		}
		if r.bare || commits {
			r.dropPointless(&land)
		}
	}
	r.q.Left() // of what was taken back before
	for _, l := range r.q.Uncommitted {
		for i := range l.Ops {
			land.Hidden = append(land.Hidden, l.Ops[i].Object)
		}
	}
	part, ok := r.concerned(records)
	if r.over = !ok || len(part) > 0; ok {
		land.Shown = r.rebase(part, follow)
	} else {
		land.Shown = r.rebaseAll(follow)
	}
	if !r.over { // what is shown there is what the log says
		land.Logged = append(land.Logged, land.Shown...)
	}
	land.Left = r.q.Left()
	r.undoNext(&land)
	return land, err
}

// rebaseAll unapplies the whole queue in reverse, runs f, and applies what is left. An object that ends as it was keeps its version.
func (r *Replica) rebaseAll(f func()) (shown []action.UUID) {
	end := r.step()
	all := r.q.All()
	for i := len(all) - 1; i >= 0; i-- {
		r.unapply(all[i])
	}
	r.bare = true
	f()
	r.bare = false
	for _, l := range r.q.All() {
		r.apply(l)
	}
	return end()
}

// rebase does so with a part of the queue, which is in its order.
func (r *Replica) rebase(part []*queue.Local, f func()) (shown []action.UUID) {
	end := r.step()
	for i := len(part) - 1; i >= 0; i-- {
		r.unapply(part[i])
	}
	f()
	for _, l := range part {
		if r.q.Holds(l) {
			r.apply(l)
		}
	}
	return end()
}

// step begins one change of the rows, and gives what ends it and tells which objects have changed.
func (r *Replica) step() (end func() (changed []action.UUID)) {
	if r.fresh { // nobody has seen a row yet
		return func() []action.UUID { return nil }
	}
	outer := r.state.BeginStep()
	return func() []action.UUID { return r.state.EndStep(outer) }
}

// apply puts an action on top.
func (r *Replica) apply(l *queue.Local) {
	r.state.ApplyPending(&l.Action, &l.Undo, &r.effect)
	l.Plain = r.effect.Plain()
	r.pace.Took(pace.Apply + pace.Sized(len(l.Raw)))
}

// unapply takes the one on top off again.
func (r *Replica) unapply(l *queue.Local) {
	r.state.Unapply(&l.Undo)
	r.pace.Took(pace.Unapply)
}

// fold applies one record. What of the queue it concerns is unapplied at this time.
func (r *Replica) fold(rec *record.Record, land *Landing) error {
	switch rec.Kind {
	case locallog.KindInit:
		if r.next != 0 {
			return action.Fail(action.CodeCorrupt, "", "a local log begins twice")
		}
		r.log = rec.Init
	case locallog.KindCommit:
		for i := range rec.Actions {
			l := &queue.Local{Action: rec.Actions[i]}
			if l.Seq != r.lastSeq+1 || l.Client != r.log.Client {
				return action.Fail(action.CodeCorrupt, "", "the local log skips a seq")
			}
			r.lastSeq = l.Seq
			if twin := r.q.Find(l.ID); twin != nil { // two contexts have taken it over
				land.Dropped = append(land.Dropped, dropped{twin, queue.ErrKnown})
				r.takeOut(map[action.UUID]bool{l.ID: true})
			}
			r.q.Enqueue(l)
			if !r.bare { // what is pending is applied, and nothing else
				r.apply(l)
			}
		}
		r.dismiss(rec.Dismissed...)
	case locallog.KindTurn:
		return r.foldTurn(&rec.Turn, land)
	}
	return nil
}

func (r *Replica) foldTurn(t *record.Turn, land *Landing) error {
	s := r.state
	if s.Head != t.After {
		return action.Fail(action.CodeCorrupt, "", "a turn does not follow the local head")
	}
	gone, before := map[action.UUID]bool{}, len(land.Resolved)
	if r.over { // nothing pending is applied where its entries are: what changes is what the log says
		end := r.step()
		defer func() { land.Logged = append(land.Logged, end()...) }()
	}
	for i := range t.Entries {
		r.foldEntry(&t.Entries[i].Action, t.Entries[i].Stored, gone, land)
	}
	if len(t.Persisted) > 0 && !r.bare {
		r.accept(len(t.Persisted), t.At, land)
	} else if err := r.foldPersisted(t, gone, land); err != nil {
		return err
	}
	if s.Chain != t.Chain {
		return action.Fail(action.CodeCorrupt, "", "a turn does not lead to its chain")
	}
	s.Epoch = t.Epoch
	r.marks.Put(s.Head, s.Chain)
	r.leave(t, gone, land)
	r.refuseUndosOf(land.Resolved[before:], land, t.At)
	if t.Rekey != action.Nil {
		r.goOnAs(t.Rekey, t.At, land)
	}
	return nil
}

// leave takes out of the queue what a turn has made entries of, and what it refuses, with what builds on that.
func (r *Replica) leave(t *record.Turn, gone map[action.UUID]bool, land *Landing) {
	refused := map[action.UUID]bool{}
	for _, j := range t.Rejected {
		if l := r.q.Get(j.ID); l != nil && !gone[j.ID] {
			refused[j.ID] = true
			r.refuse(l, j, t.At, land)
		}
	}
	because := r.dependants(refused)
	r.takeOut(gone)
	r.takeOut(refused)
	r.refuseUncommitted(because, land)
}

// foldPersisted applies own actions as entries. Nothing pending is applied.
func (r *Replica) foldPersisted(t *record.Turn, gone map[action.UUID]bool, land *Landing) error {
	for _, id := range t.Persisted {
		a := r.offered(id)
		if a == nil {
			return action.Fail(action.CodeCorrupt, "", "a turn persists an action that is not pending")
		}
		r.foldEntry(a, t.At, gone, land)
	}
	return nil
}

// accept makes entries of the first n pending actions, which stay applied as they are.
func (r *Replica) accept(n int, at int64, land *Landing) {
	for _, l := range r.q.Pending[:n] {
		inverse := r.state.Inverse(&l.Action, &l.Undo)
		r.state.Accept(&l.Action, &l.Undo)
		for i := range l.Ops { // shown already
			land.Logged = append(land.Logged, l.Ops[i].Object)
		}
		o := own.Of(&l.Action, r.state.Head)
		o.Inverse = inverse
		r.noteRemoved(&l.Action, nil)
		r.remember(o, l.Raw, l.First, at)
		land.Resolved = append(land.Resolved, outcome{l.Ticket, o})
		r.pace.Took(pace.Look)
	}
	r.q.RemoveFirst(n)
}

// acceptable tells whether own actions come into the log as they stand: the first of the queue, in its order, all of them whole.
func (r *Replica) acceptable(persisted []action.UUID) bool {
	if len(persisted) > len(r.q.Pending) || len(persisted) > 0 && r.q.Pending[0].Seq <= r.state.LastSeq(r.log.Client) {
		return false
	}
	for i, id := range persisted {
		if l := r.q.Pending[i]; l.ID != id || !l.Plain || l.For.Seq > 0 || l.Client != r.log.Client {
			return false
		}
	}
	return true
}

// takeOut takes actions out of the queue. What of them is applied has been unapplied.
func (r *Replica) takeOut(gone map[action.UUID]bool) {
	if len(gone) > 0 {
		r.q.Remove(gone)
		r.claims = nil
	}
}

// offered is an own action that the server may have taken: a pending one, or one that was refused here.
func (r *Replica) offered(id action.UUID) *action.Action {
	if l := r.q.Get(id); l != nil {
		return &l.Action
	}
	if j := r.rejected.Get(id); j != nil {
		return &j.Action
	}
	return nil
}

// foldEntry applies one entry of the log; where it resolves a pending action, the entry's bytes count.
func (r *Replica) foldEntry(a *action.Action, at int64, gone map[action.UUID]bool, land *Landing) {
	r.pace.Took(pace.Fold + pace.Sized(len(a.Raw)))
	e := &r.effect
	l := r.q.Find(a.ID)                 // uncommitted too: the record that it was sent from may be gone
	if l == nil && r.IsRejected(a.ID) { // it was refused here, and is taken after all
		r.dismiss(a.ID)
		l = &queue.Local{Action: *a}
	}
	if l == nil || gone[a.ID] {
		r.noteBases(a)
		r.state.ApplyEntry(a, nil, e)
		r.noteRemoved(a, e)
		if a.Client != r.log.Client {
			r.reportForeign(a, e, at, land)
		}
		return
	}
	var u state.Undo
	r.state.ApplyEntry(a, &u, e)
	gone[a.ID] = true
	o := own.Under(r.log.Client, a, r.state.Head)
	o.Discarded, o.Reason, o.Inverse = e.Discarded, e.Why(), r.state.Inverse(a, &u)
	r.noteRemoved(a, e)
	r.remember(o, a.Raw, l.First, at)
	r.reportOwn(l, e, at, land)
	if len(r.q.Uncommitted) > 0 && r.q.Uncommitted[0] == l {
		land.Committed = l.Ticket
	}
	land.Resolved = append(land.Resolved, outcome{l.Ticket, o})
}
