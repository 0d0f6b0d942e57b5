package replica

import (
	"github.com/strandline-sync/strandline/core/action"
)

// touchedBy finds which pending and uncommitted actions a turn must unapply and apply again: those that share an object,
// in ops or guards, with the new entries, or with an earlier action that does. What is left out commutes with the entries,
// and comes before whatever is applied again on its objects. nil says all: where the turn holds own actions or refusals, the queue
// itself changes.
//
// The result equals that of a turn that unapplies everything; TestRebaseEqualsAFoldFromNothing holds it to that.
func (r *Replica) touchedBy(t *turnRecord) map[*local]bool {
	if len(t.persisted)+len(t.rejected) > 0 || t.rekey != action.Nil {
		return nil
	}
	objects := map[action.UUID]bool{}
	name := func(a *action.Action) {
		for i := range a.Ops {
			objects[a.Ops[i].Object] = true
		}
		for i := range a.Guards {
			objects[a.Guards[i].Object] = true
		}
	}
	for i := range t.entries {
		a := &t.entries[i].Action
		if a.Client == r.log.client || r.offered(a.ID) != nil {
			return nil
		}
		name(a)
	}
	out := map[*local]bool{}
	for _, queue := range [2][]*local{r.pending, r.uncommitted} {
		for _, l := range queue {
			if l.namesAny(objects) {
				out[l] = true
				name(&l.Action)
			}
		}
	}
	return out
}
