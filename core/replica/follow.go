package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/state"
)

// outcome is what became of an own action in the log.
type outcome struct {
	Ticket uint64
	ownEntry
}

// Landing is what a record did to this replica's own actions.
type Landing struct {
	Resolved  []outcome
	Rejected  []Rejected
	Conflicts []Conflict
	Dropped   []dropped
}

// dropped is an uncommitted write that another context has made pointless.
type dropped struct {
	*local
	Err error
}

// Follow applies records that are durable in the local log: the first ones at start-up, those of other contexts, and
// this context's own turns. Uncommitted actions stay on top.
func (r *Replica) Follow(records []*Record) (Landing, error) {
	var land Landing
	var err error
	var only map[*local]bool
	if len(records) == 1 && records[0].kind == locallog.KindTurn {
		only = r.touchedBy(&records[0].turn)
	}
	r.rebase(only, func() {
		for _, rec := range records {
			if err = r.fold(rec, &land); err != nil {
				return
			}
			r.next++
			r.weights = append(r.weights, rec.bytes)
		}
		if only == nil { // else the record is a turn of others' entries, and all that is left out is applied
			r.dropPointless(&land)
		}
	})
	r.undoNext(&land)
	return land, err
}

// rebase unapplies what is pending and uncommitted, in reverse, runs f, and applies what is left, in order; of these only
// the given ones, where not nil. An object that ends as it was keeps its version.
func (r *Replica) rebase(only map[*local]bool, f func()) {
	s := r.state
	if !r.fresh { // else nobody has seen a row yet
		outer := s.BeginStep()
		defer func() { s.EndStep(outer) }()
	}
	for _, queue := range [2][]*local{r.uncommitted, r.pending} {
		for i := len(queue) - 1; i >= 0; i-- {
			if only == nil || only[queue[i]] {
				s.Unapply(&queue[i].undo)
			}
		}
	}
	f()
	for _, queue := range [2][]*local{r.pending, r.uncommitted} {
		for _, l := range queue {
			if only == nil || only[l] {
				s.ApplyPending(&l.Action, &l.undo, nil)
			}
		}
	}
}

// fold applies one record; pending and uncommitted actions are unapplied at this time.
func (r *Replica) fold(rec *Record, land *Landing) error {
	switch rec.kind {
	case locallog.KindInit:
		if r.next != 0 {
			return action.Fail(action.CodeCorrupt, "", "a local log begins twice")
		}
		r.log = rec.init
	case locallog.KindCommit:
		for i := range rec.actions {
			l := &local{Action: rec.actions[i]}
			if l.Seq != r.lastSeq+1 || l.Client != r.log.client {
				return action.Fail(action.CodeCorrupt, "", "the local log skips a seq")
			}
			r.lastSeq = l.Seq
			r.enqueue(l)
		}
		for _, id := range rec.dismissed {
			r.dismiss(id)
		}
	case locallog.KindTurn:
		return r.foldTurn(&rec.turn, land)
	}
	return nil
}

// enqueue makes an action the last pending one. It is not applied.
func (r *Replica) enqueue(l *local) {
	r.pending = append(r.pending, l)
	r.byID[l.ID] = l
	r.count(&l.Action, 1)
}

func (r *Replica) foldTurn(t *turnRecord, land *Landing) error {
	s := r.state
	if s.Head != t.after {
		return action.Fail(action.CodeCorrupt, "", "a turn does not follow the local head")
	}
	gone := map[action.UUID]bool{}
	for i := range t.entries {
		r.foldEntry(&t.entries[i].Action, t.entries[i].Stored, gone, land)
	}
	for _, id := range t.persisted {
		a := r.offered(id)
		if a == nil {
			return action.Fail(action.CodeCorrupt, "", "a turn persists an action that is not pending")
		}
		r.foldEntry(a, t.at, gone, land)
	}
	if s.Chain != t.chain {
		return action.Fail(action.CodeCorrupt, "", "a turn does not lead to its chain")
	}
	s.Epoch = t.epoch
	refusedIDs := map[action.UUID]bool{}
	for _, j := range t.rejected {
		if l := r.byID[j.ID]; l != nil && !gone[j.ID] {
			gone[j.ID], refusedIDs[j.ID] = true, true
			refused := Rejected{Rejection: j, At: t.at, Action: l.Action, Ticket: l.Ticket}
			r.rejected = append(r.rejected, refused)
			land.Rejected = append(land.Rejected, refused)
		}
	}
	if len(refusedIDs) > 0 {
		r.refuseUncommitted(refusedIDs, land, nil)
	}
	r.takeOut(gone)
	r.refuseUndosOf(land, t.at)
	if t.rekey != action.Nil {
		r.goOnAs(t.rekey, t.at, land)
	}
	return nil
}

// takeOut takes actions out of the pending ones. Nothing pending is applied.
func (r *Replica) takeOut(gone map[action.UUID]bool) {
	if len(gone) == 0 {
		return
	}
	kept := r.pending[:0:0]
	for _, l := range r.pending {
		if !gone[l.ID] {
			kept = append(kept, l)
			continue
		}
		delete(r.byID, l.ID)
		r.count(&l.Action, -1)
	}
	r.pending = kept
}

// offered is an own action that the server may have taken: a pending one, or one that was refused here.
func (r *Replica) offered(id action.UUID) *action.Action {
	if l := r.byID[id]; l != nil {
		return &l.Action
	}
	for i := range r.rejected {
		if r.rejected[i].ID == id {
			return &r.rejected[i].Action
		}
	}
	return nil
}

// foldEntry applies one entry of the log; where it resolves a pending action, the entry's bytes count.
func (r *Replica) foldEntry(a *action.Action, at int64, gone map[action.UUID]bool, land *Landing) {
	e := &r.effect
	l := r.byID[a.ID]
	if l == nil && r.IsRejected(a.ID) { // it was refused here, and is taken after all
		r.dismiss(a.ID)
		l = &local{Action: *a}
	}
	if l == nil || gone[a.ID] {
		r.noteBases(a)
		r.state.ApplyEntry(a, nil, e)
		r.noteRemoved(a, e)
		if a.Client != r.log.client {
			r.reportForeign(a, e, at, land)
		}
		return
	}
	var u state.Undo
	r.state.ApplyEntry(a, &u, e)
	gone[a.ID] = true
	o := ownEntry{ID: a.ID, seq: a.Seq, Index: r.state.Head, discarded: e.Discarded, reason: e.Why(), undoes: undoes(a.Meta)}
	o.inverse = r.state.Inverse(a, &u)
	r.noteRemoved(a, e)
	r.remember(o)
	r.reportOwn(l, e, at, land)
	land.Resolved = append(land.Resolved, outcome{l.Ticket, o})
}
