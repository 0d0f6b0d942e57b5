package state

import "github.com/strandline-sync/strandline/core/action"

// MaxWork is what one action may cost at most where it is offered, in bytes. It is a verdict before the append, never
// a rule of the fold.
const MaxWork = 16 << 20

// Work is about how many bytes applying an action to the state would look at or copy, as client and server count it
// alike: those of each op; the old value where a change merges; and the object's keys where a key is new, or where the
// object may outgrow its limit. The fold's cost is linear in it.
func (s *State) Work(a *action.Action) (work int) {
	merged := map[string]int{}
	for i := range a.Ops {
		op := &a.Ops[i]
		o := s.object(op.Object)
		work += 64
		moves := false
		for j := range op.Changes {
			ch := &op.Changes[j]
			work += len(ch.Key) + len(ch.Value)
			if ch.Part > action.PartUnset {
				old, _ := s.value(o, ch.Key)
				at := string(op.Object[:]) + ch.Key
				work += len(old) + merged[at] // and what the ops before have made of it
				merged[at] += len(ch.Value)
			}
			if o != nil && op.Kind == action.Update {
				_, known := s.field(o.fields, ch.Key)
				moves = moves || !known
			}
		}
		if o != nil && op.Kind == action.Update && (moves || mayOutgrow(op, o)) {
			work += len(o.fields) * fieldBytes
		}
	}
	return work
}

// TooMuch refuses an action whose work is over the limit, nil for another one.
func (s *State) TooMuch(a *action.Action) error {
	if len(a.Ops) == 1 && len(a.Ops[0].Changes) == 0 || s.Work(a) <= MaxWork {
		return nil
	}
	return action.Fail(action.CodeTooLarge, "", "applying it would cost more than 16 MiB of work: several smaller actions do")
}
