package replica

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/core/undo"
)

// done is what this client has done, as undo looks at it.
func (r *Replica) done() *undo.History {
	return &undo.History{State: r.state, Queue: r.q, Client: r.log.Client, ConflictFree: r.log.ConflictFree, Wrote: r.wrote,
		Parts: func(yield func(undo.Part) bool) {
			for _, list := range [...][]*queue.Local{r.q.Uncommitted, r.q.Pending} {
				for _, l := range slices.Backward(list) {
					if !yield(localPart(l)) {
						return
					}
				}
			}
			all := r.own.All()
			for i := range slices.Backward(all) {
				if !all[i].Discarded && !yield(ownPart(&all[i])) {
					return
				}
			}
		},
		Find: func(id action.UUID) (undo.Part, bool) {
			if l := r.q.Find(id); l != nil {
				return localPart(l), true
			}
			if o := r.own.Find(id); o != nil {
				return ownPart(o), true
			}
			return undo.Part{}, false
		}}
}

func localPart(l *queue.Local) undo.Part {
	return undo.Part{ID: l.ID, Undoes: undo.Target(l.Meta), Group: undo.Group(l.Meta), Local: l}
}

func ownPart(o *own.Entry) undo.Part {
	return undo.Part{ID: o.ID, Undoes: o.Undoes, Group: o.Group, Inverse: o.Inverse, Untold: o.Reason == own.ReasonUntold}
}

// Undo takes back this client's last step that is in effect, as a new action: a key goes back only while nobody has written it since.
// One with nothing left to take back is passed over. d gets its ops and meta; the rest of it is the caller's. Where there is nothing to
// undo, it is a nothing-to-undo *Error.
func (r *Replica) Undo(d *queue.Draft) ([]undo.Skipped, error) { return r.toggle(d, false) }

// Redo takes back the last undo, as long as nothing was written after it.
func (r *Replica) Redo(d *queue.Draft) ([]undo.Skipped, error) { return r.toggle(d, true) }

// Undoable tells whether there is something to undo, and to redo.
func (r *Replica) Undoable() (canUndo, canRedo bool) {
	_, _, _, cannot := r.done().Step(false)
	_, _, _, cannotRedo := r.done().Step(true)
	return cannot == nil, cannotRedo == nil
}

func (r *Replica) toggle(d *queue.Draft, redo bool) ([]undo.Skipped, error) {
	ops, target, skipped, err := r.done().Step(redo)
	if err == nil {
		d.Ops, d.Meta = ops, undo.Meta(target)
	}
	return skipped, err
}

// noteRemoved takes note of the objects that an entry has removed: what is there under their ids later is another one. e is nil where
// all of it stood.
func (r *Replica) noteRemoved(a *action.Action, e *state.Effect) {
	if e != nil && e.Discarded {
		return
	}
	for i := range a.Ops {
		if a.Ops[i].Kind != action.Remove || e != nil && e.Ops[i].Discarded {
			continue
		}
		r.own.Removed(a.Ops[i].Object)
	}
}

// undoneBy is the target of an own undo or redo; Nil for another action.
func (r *Replica) undoneBy(by action.UUID) action.UUID {
	p, _ := r.done().Find(by)
	return p.Undoes
}

// undoneElsewhere tells whether another action than l undoes the same target.
func (r *Replica) undoneElsewhere(l *queue.Local) bool {
	target := undo.Target(l.Meta)
	if target == action.Nil {
		return false
	}
	all := r.own.All()
	for i := range all {
		if o := &all[i]; o.Undoes == target && o.ID != l.ID && !o.Discarded {
			return true
		}
	}
	for _, p := range r.q.Pending {
		if p.ID != l.ID && undo.Target(p.Meta) == target {
			return true
		}
	}
	return false
}

// undoNext gives an undo or redo that another context has forestalled the step before it: two people who press undo in
// two tabs take two steps back. One that was followed by another write here stays dropped: it was meant for what stood
// then.
func (r *Replica) undoNext(land *Landing) {
	kept := land.Dropped[:0]
	for _, drop := range land.Dropped {
		redone := slices.ContainsFunc(land.Rejected, func(j Rejected) bool { return undo.Target(j.Action.Meta) == drop.ID })
		var again *queue.Local
		if drop.Err == undo.ErrNothing && !r.log.ConflictFree && !redone {
			again = r.undoAgain(drop.Local)
		}
		if again == nil {
			kept = append(kept, drop)
			continue
		}
		for i := range again.Ops {
			land.Shown = append(land.Shown, again.Ops[i].Object)
		}
	}
	land.Dropped = kept
}

func (r *Replica) undoAgain(l *queue.Local) *queue.Local {
	for _, behind := range r.q.Uncommitted {
		if behind.Ticket > l.Ticket && undo.Target(behind.Meta) == action.Nil {
			return nil
		}
	}
	n := 0 // links of the chain that it would have ended
	for target := undo.Target(l.Meta); target != action.Nil; target = r.undoneBy(target) {
		n++
	}
	d := &queue.Draft{ID: l.ID, At: action.ParseStamp(l.At)}
	if _, err := r.toggle(d, n%2 == 0); err != nil {
		return nil
	}
	again, err := r.write(d, l.Ticket)
	if err != nil {
		return nil
	}
	return again
}
