package state

import (
	"strings"

	"github.com/strandline-sync/strandline/core/action"
)

// InverseOp takes an op back. over is, for each of its changes, the action whose write the op has replaced; Nil for none.
type InverseOp struct {
	action.Op
	Over []action.UUID
	Old  []string // for each of its changes that merges, the value before; empty where there was none
	Gone bool     // the object has been removed since: another one may be there under its id
}

// replaced is the action whose write of a key was the last one in an image of an object.
func (s *State) replaced(o *object, key string) action.UUID {
	if i, ok := s.field(o.fields, key); ok {
		return o.fields[i].write.Action
	}
	return action.Nil
}

// Inverse is what takes an applied action back, in the order of doing so. u is what its application saved, s the state it was applied
// to. What was discarded has no inverse.
func (s *State) Inverse(a *action.Action, u *Undo) []InverseOp {
	var ops []InverseOp
	for n := len(u.images) - 1; n >= 0; n-- {
		im := &u.images[n]
		op := &a.Ops[im.op]
		switch op.Kind {
		case action.Create:
			ops = append(ops, InverseOp{Op: action.Op{Kind: action.Remove, Object: op.Object}})
		case action.Remove:
			back := InverseOp{Op: action.Op{Kind: action.Create, Object: op.Object, Type: s.names[im.object.typ]}}
			for i := range im.object.fields {
				f := &im.object.fields[i]
				ch := action.Change{Part: action.PartSet, Key: s.names[f.key], Value: strings.Clone(f.value)}
				if f.value == "" {
					ch.Part = action.PartUnset // made again, it lacks the key as it did
				}
				back.Changes, back.Over, back.Old = append(back.Changes, ch), append(back.Over, f.write.Action), append(back.Old, "")
			}
			ops = append(ops, back)
		case action.Update:
			back := InverseOp{Op: action.Op{Kind: action.Update, Object: op.Object}}
			for i := range op.Changes {
				old, _ := s.value(&im.object, op.Changes[i].Key)
				if ch, ok := inverseChange(&op.Changes[i], old); ok {
					back.Changes, back.Over = append(back.Changes, ch), append(back.Over, s.replaced(&im.object, ch.Key))
					if ch.Part <= action.PartUnset {
						old = "" // the change has it
					}
					back.Old = append(back.Old, strings.Clone(old))
				}
			}
			if len(back.Changes) > 0 {
				ops = append(ops, back)
			}
		}
	}
	return ops
}

// inverseChange is the change that takes another one back from a key that had the value old; false where there is nothing to take back.
func inverseChange(ch *action.Change, old string) (action.Change, bool) {
	key := strings.Clone(ch.Key)
	if _, reason := Merge(ch, old); reason != ReasonNone {
		return action.Change{}, false
	}
	switch ch.Part {
	case action.PartSet, action.PartUnset:
		if old == "" {
			return action.Change{Part: action.PartUnset, Key: key}, true
		}
		return action.Change{Part: action.PartSet, Key: key, Value: strings.Clone(old)}, true
	case action.PartInc:
		by, negative := strings.CutPrefix(ch.Value, "-")
		if !negative {
			by = "-" + by
		}
		return action.Change{Part: action.PartInc, Key: key, Value: strings.Clone(by)}, ch.Value != "0"
	case action.PartUnion:
		added := difference(ch.Value, old)
		return action.Change{Part: action.PartWithout, Key: key, Value: added}, added != "[]"
	default:
		taken := difference(old, difference(old, ch.Value))
		return action.Change{Part: action.PartUnion, Key: key, Value: taken}, taken != "[]"
	}
}

// difference is the elements of one canonical array, each once, that another lacks. An empty text is an empty array.
func difference(of, from string) string {
	if of == "" {
		return "[]"
	}
	have := map[string]bool{}
	if from != "" {
		for v := range action.Elements(from) {
			have[v] = true
		}
	}
	out := append(make([]byte, 0, len(of)), '[')
	for v := range action.Elements(of) {
		if have[v] {
			continue
		}
		have[v] = true
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, v...)
	}
	return action.View(append(out, ']'))
}
