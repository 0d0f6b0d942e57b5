package state

import (
	"github.com/strandline-sync/strandline/core/action"
)

// Changes are what objects were before their first change.
type Changes map[action.UUID]object

// Step is what a step has changed so far.
type Step struct {
	before Changes
	order  []action.UUID // in which that was changed first
}

// BeginStep has all that follows, up to EndStep, count as one change of each object.
func (s *State) BeginStep() (outer Step) {
	outer, s.step = s.step, Step{before: Changes{}}
	return outer
}

// EndStep ends a step: what is as it was keeps its version, the rest is added to the changes from before it. It gives the objects
// that have another row now, or none, or one for the first time, in the order in which they were changed first.
func (s *State) EndStep(outer Step) (changed []action.UUID) {
	for _, id := range s.step.order {
		was, o := s.step.before[id], s.object(id)
		if o != nil && was.live && o.version != was.version && s.sameRow(o, &was) {
			o.version = was.version
		}
		if (o != nil) != was.live || o != nil && o.version != was.version {
			changed = append(changed, id)
		}
		if outer.before != nil {
			if _, seen := outer.before[id]; !seen {
				outer.before[id] = was
				outer.order = append(outer.order, id)
			}
		}
	}
	s.step = outer
	return changed
}

// sameRow tells whether an app would see the same: type and values, and in which order these were written, where the rows tell that.
func (s *State) sameRow(a, b *object) bool {
	return a.typ == b.typ && sameFields(a.fields, b.fields) && (!s.ordered(a.typ) || sameWrites(a.fields, b.fields))
}

// ordered tells whether rows of a type tell in which order their keys were written.
func (s *State) ordered(typ uint32) bool { return len(s.inOrder) > 0 && s.inOrder[s.names[typ]] }

// sameWrites tells whether fields of the same values were written by the same actions.
func sameWrites(a, b []field) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].write.Action != b[i].write.Action || a[i].write.Index != b[i].write.Index {
			return false
		}
	}
	return true
}

func sameFields(a, b []field) bool {
	i, j := 0, 0
	for {
		for i < len(a) && a[i].value == "" {
			i++
		}
		for j < len(b) && b[j].value == "" {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if a[i].key != b[j].key || a[i].value != b[j].value {
			return false
		}
		i++
		j++
	}
}
