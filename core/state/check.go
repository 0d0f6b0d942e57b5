package state

import (
	"github.com/strandline-sync/strandline/core/action"
)

// Check tells what of the invariants of a state does not hold, nil where all do. Tests and the simulator call it; it
// looks at everything.
func (s *State) Check() error {
	broken := func(id action.UUID, what string) error {
		return action.Fail(action.CodeInternal, "/"+id.String(), what)
	}
	live, locks := 0, 0
	for slot := range s.objects.n {
		o := s.objects.at(slot)
		if !o.live {
			continue
		}
		live++
		if o.locked {
			locks++
		}
		if at, ok := s.byID[o.id]; !ok || at != slot {
			return broken(o.id, "the object is not found where it is")
		}
		bytes := 1
		for i := range o.fields {
			f := &o.fields[i]
			switch {
			case f.write == nil:
				return broken(o.id, "nobody has written a field")
			case i > 0 && action.CompareKeys(s.names[o.fields[i-1].key], s.names[f.key]) >= 0:
				return broken(o.id, "the fields are not sorted")
			}
			if f.value != "" {
				bytes += action.MemberBytes(s.names[f.key], f.value)
			}
		}
		switch {
		case bytes != o.bytes:
			return broken(o.id, "its fields have another size")
		case o.touch == nil:
			return broken(o.id, "nobody has touched it")
		case o.other != nil && o.other.Client == o.touch.Client:
			return broken(o.id, "the touch of another client is the same one's")
		}
	}
	if locks != s.locks || live != len(s.byID) || live+len(s.free) != int(s.objects.n) {
		return broken(action.Nil, "objects, locks, ids and free slots do not add up")
	}
	return nil
}
