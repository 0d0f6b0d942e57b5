package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/pace"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/undo"
)

const dependsMessage = "it builds on a refused action"

// refuse puts an action on the rejected list, where it was in the local log, and tells its author. It is still to be
// taken out of the queue.
func (r *Replica) refuse(l *queue.Local, j action.Rejection, at int64, land *Landing) {
	refused := Rejected{Rejection: j, At: at, Action: l.Action, Ticket: l.Ticket}
	if r.q.Get(l.ID) == l { // no record will ever hold what is uncommitted
		r.rejected.Add(refused)
	}
	land.Rejected = append(land.Rejected, refused)
}

// refuseDependants refuses what depends on refused actions, and takes it out of the queue.
func (r *Replica) refuseDependants(because map[action.UUID]action.UUID, at int64, land *Landing) {
	r.refuseAmong(r.q.All(), because, at, land)
}

// refuseUncommitted refuses what depends on refused actions, and is not committed: records alone say what becomes of the pending ones.
func (r *Replica) refuseUncommitted(because map[action.UUID]action.UUID, land *Landing) {
	r.refuseAmong(r.q.Uncommitted, because, 0, land)
}

func (r *Replica) refuseAmong(queued []*queue.Local, because map[action.UUID]action.UUID, at int64, land *Landing) {
	if len(because) == 0 {
		return
	}
	gone := map[action.UUID]bool{}
	for _, l := range queued {
		if b, depends := because[l.ID]; depends {
			gone[l.ID] = true
			r.refuse(l, action.Rejection{ID: l.ID, Code: action.CodeDepends, Message: dependsMessage, Because: b}, at, land)
		}
	}
	r.takeOut(gone)
}

// dependants finds, among the queued actions that are not in refused, those that name an object which would exist only
// through a refused one, or take a refused one back, along chains; and which that is. All that comes behind the
// refused ones and shares an object with them is unapplied. before are refused ones that are not in the queue any
// more.
func (r *Replica) dependants(refused map[action.UUID]bool, before ...*queue.Local) (because map[action.UUID]action.UUID) {
	if len(refused) == 0 {
		return nil
	}
	because = map[action.UUID]action.UUID{}
	lost := map[action.UUID]action.UUID{} // object → the refused action that would have made it
	exists := map[action.UUID]bool{}      // what the actions that stand have made of an object
	there := func(id action.UUID) bool {
		if known, ok := exists[id]; ok {
			return known
		}
		return r.state.Exists(id)
	}
	groups := map[action.UUID]action.UUID{} // of which a part is refused: which
	group := func(id action.UUID) action.UUID {
		p, _ := r.done().Find(id)
		return p.Group
	}
	for id := range refused {
		if g := group(id); g != action.Nil && (groups[g] == action.Nil || id.Compare(groups[g]) < 0) {
			groups[g] = id
		}
	}
	for _, l := range append(before, r.behind(refused)...) {
		r.pace.Took(pace.Look)
		out := refused[l.ID]
		// What takes back a change that never was would be a change of its own; so would what takes back a step of which a part never was.
		if target := undo.Target(l.Meta); !out && target != action.Nil {
			_, depends := because[target]
			part, torn := groups[group(target)]
			switch {
			case depends || refused[target]:
				because[l.ID], out = target, true
			case torn:
				because[l.ID], out = part, true
			}
		}
		for i := range l.Ops {
			op := &l.Ops[i]
			if culprit, ok := lost[op.Object]; ok && !out && op.Kind != action.Create && !there(op.Object) {
				because[l.ID], out = culprit, true
			}
		}
		if g := undo.Group(l.Meta); out && g != action.Nil && groups[g] == action.Nil {
			groups[g] = l.ID
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
	return because
}

// behind are the queued actions that may depend on refused ones, and these: all, where nothing is applied; else those that meet them.
func (r *Replica) behind(refused map[action.UUID]bool) []*queue.Local {
	if r.bare {
		return r.q.All()
	}
	meeting := r.q.Meet(r.pace)
	for id := range refused {
		if l := r.q.Find(id); l != nil {
			meeting.From(l)
		}
	}
	return meeting.All()
}

// refuseUndosOf refuses what takes back an own action that has just come into the log and does not stand there, along
// chains, and what depends on it: nothing is to be taken back. Nothing pending is applied.
func (r *Replica) refuseUndosOf(resolved []outcome, land *Landing, at int64) {
	void := map[action.UUID]bool{}
	for i := range resolved {
		if o := &resolved[i]; o.Discarded {
			void[o.ID] = true
		}
	}
	r.refuseDependants(r.dependants(void), at, land)
}
