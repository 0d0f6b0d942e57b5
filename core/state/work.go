package state

import "github.com/strandline-sync/strandline/core/action"

// MaxWork is what one action may cost at most where it is offered, in bytes. It is a verdict before the append, never
// a rule of the fold.
const MaxWork = 16 << 20

// Work is about how many bytes applying an action to the state would look at or copy, as client and server count it
// alike: those of each op; the old value where a change merges, whether the state has it or an op before; and the
// object's keys where a key is new, or where the object may outgrow its limit. The fold's cost is linear in it.
func (s *State) Work(a *action.Action) (work int) {
	var made map[string]int // bytes of the values that ops of the action have made, by object and key
	for i := range a.Ops {
		op := &a.Ops[i]
		o := s.object(op.Object)
		work += 64
		moves := false
		for j := range op.Changes {
			ch := &op.Changes[j]
			work += len(ch.Key) + len(ch.Value)
			if len(a.Ops) > 1 {
				at := string(op.Object[:]) + ch.Key
				before, known := made[at]
				if !known && ch.Part > action.PartUnset {
					old, _ := s.value(o, ch.Key)
					before = len(old)
				}
				if ch.Part <= action.PartUnset {
					before = 0
				}
				work += before
				if made == nil {
					made = map[string]int{}
				}
				made[at] = before + len(ch.Value)
			} else if ch.Part > action.PartUnset {
				old, _ := s.value(o, ch.Key)
				work += len(old)
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

// Size is about how many bytes the state's canonical text has. It looks at every object.
func (s *State) Size() int {
	n := s.clients.Len() * clientBytes
	for o := range s.Objects() {
		n += o.o.bytes + objectBytes
	}
	return n
}

// What a line of a checkpoint takes beside an object's fields, and for a client.
const (
	objectBytes = 200
	clientBytes = 120
)

// TooMuch refuses an action whose work is over the limit, nil for another one.
func (s *State) TooMuch(a *action.Action) error {
	if len(a.Ops) == 1 && len(a.Ops[0].Changes) == 0 || s.Work(a) <= MaxWork {
		return nil
	}
	return action.Fail(action.CodeTooLarge, "", "applying it would cost more than 16 MiB of work: several smaller actions do")
}
