package replica

import "github.com/strandline-sync/strandline/core/action"

// refuseUncommitted rejects the uncommitted actions that depend on refused ones; no record will ever hold them.
// before are refused ones that are not pending any more.
func (r *Replica) refuseUncommitted(refused map[action.UUID]bool, land *Landing, before []*local) {
	because := r.dependants(refused, before)
	kept := r.uncommitted[:0:0]
	for _, l := range r.uncommitted {
		if b, depends := because[l.ID]; depends {
			r.count(&l.Action, -1)
			j := action.Rejection{ID: l.ID, Code: action.CodeDepends, Message: dependsMessage, Because: b}
			land.Rejected = append(land.Rejected, Rejected{Rejection: j, Action: l.Action, Ticket: l.Ticket})
			continue
		}
		kept = append(kept, l)
	}
	r.uncommitted = kept
}

const dependsMessage = "it builds on a refused action"

// dependants finds, among pending and uncommitted actions that are not in refused, those that name an object which
// would exist only through a refused one, and which that is. The state is the bare confirmed one; before come first.
func (r *Replica) dependants(refused map[action.UUID]bool, before []*local) (because map[action.UUID]action.UUID) {
	because = map[action.UUID]action.UUID{}
	lost := map[action.UUID]action.UUID{} // object → the refused action that would have made it
	exists := map[action.UUID]bool{}      // what the actions that stand have made of an object
	there := func(id action.UUID) bool {
		if known, ok := exists[id]; ok {
			return known
		}
		return r.state.Exists(id)
	}
	for _, queue := range [3][]*local{before, r.pending, r.uncommitted} {
		for _, l := range queue {
			out := refused[l.ID]
			// What takes back a change that never was would be a change of its own.
			if target := undoes(l.Meta); !out && target != action.Nil {
				if _, depends := because[target]; depends || refused[target] {
					because[l.ID], out = target, true
				}
			}
			for i := range l.Ops {
				op := &l.Ops[i]
				if culprit, ok := lost[op.Object]; ok && !out && op.Kind != action.Create && !there(op.Object) {
					because[l.ID], out = culprit, true
				}
			}
			for i := range l.Ops {
				switch op := &l.Ops[i]; {
				case op.Kind == action.Create && out:
					lost[op.Object] = l.ID
				case op.Kind == action.Create:
					exists[op.Object] = true
				case op.Kind == action.Remove && !out:
					exists[op.Object] = false
				}
			}
		}
	}
	return because
}

// refuseDependants moves the pending actions that depend on refused ones to the rejected list. Nothing pending is applied.
func (r *Replica) refuseDependants(refused map[action.UUID]bool, gone []*local, at int64) {
	because := r.dependants(refused, gone)
	kept := r.pending[:0:0]
	for _, l := range r.pending {
		b, depends := because[l.ID]
		if !depends {
			kept = append(kept, l)
			continue
		}
		delete(r.byID, l.ID)
		r.count(&l.Action, -1)
		refused := l.refusedAs(action.CodeDepends, dependsMessage, at)
		refused.Because = b
		r.rejected = append(r.rejected, refused)
	}
	r.pending = kept
}

// refuseUndosOf moves what takes back an own action that has just come into the log and does not stand there, along
// chains, to the rejected list, and what depends on it: nothing is to be taken back. Nothing pending is applied.
func (r *Replica) refuseUndosOf(land *Landing, at int64) {
	void := map[action.UUID]bool{}
	for i := range land.Resolved {
		if o := &land.Resolved[i]; o.discarded {
			void[o.ID] = true
		}
	}
	if len(void) == 0 {
		return
	}
	refused := map[action.UUID]bool{}
	var gone []*local
	refuse := func(l *local, because action.UUID) Rejected {
		j := l.refusedAs(action.CodeDepends, dependsMessage, at)
		j.Because = because
		refused[l.ID], gone = true, append(gone, l)
		land.Rejected = append(land.Rejected, j)
		return j
	}
	because := r.dependants(void, nil)
	for _, l := range r.pending {
		if b, depends := because[l.ID]; depends {
			r.rejected = append(r.rejected, refuse(l, b))
		}
	}
	kept := r.uncommitted[:0:0]
	for _, l := range r.uncommitted {
		if b, depends := because[l.ID]; depends {
			r.count(&l.Action, -1)
			refuse(l, b)
			continue
		}
		kept = append(kept, l)
	}
	r.uncommitted = kept
	r.takeOut(refused)
}
