package core

import "strings"

// inverseOp takes an op back. over is, for each of its changes, the action whose write the op has replaced; Nil for none.
type inverseOp struct {
	Op
	over []UUID
}

// replaced is the action whose write of a key was the last one in an image of an object.
func (s *State) replaced(o *object, key string) UUID {
	if i, ok := s.field(o.fields, key); ok {
		return o.fields[i].write.Action
	}
	return Nil
}

// inverse is what takes an applied action back, in the order of doing so. u is what its application saved, s the state it was applied
// to. What was discarded has no inverse.
func (s *State) inverse(a *Action, u *Undo) []inverseOp {
	var ops []inverseOp
	for n := len(u.images) - 1; n >= 0; n-- {
		im := &u.images[n]
		op := &a.Ops[im.op]
		switch op.Kind {
		case Create:
			ops = append(ops, inverseOp{Op: Op{Kind: Remove, Object: op.Object}})
		case Remove:
			back := inverseOp{Op: Op{Kind: Create, Object: op.Object, Type: s.names[im.object.typ]}}
			for i := range im.object.fields {
				f := &im.object.fields[i]
				ch := Change{PartSet, s.names[f.key], strings.Clone(f.value)}
				if f.value == "" {
					ch.Part = PartUnset // made again, it lacks the key as it did
				}
				back.Changes, back.over = append(back.Changes, ch), append(back.over, f.write.Action)
			}
			ops = append(ops, back)
		case Update:
			back := inverseOp{Op: Op{Kind: Update, Object: op.Object}}
			for i := range op.Changes {
				old, _ := s.value(&im.object, op.Changes[i].Key)
				if ch, ok := inverseChange(&op.Changes[i], old); ok {
					back.Changes, back.over = append(back.Changes, ch), append(back.over, s.replaced(&im.object, ch.Key))
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
func inverseChange(ch *Change, old string) (Change, bool) {
	key := strings.Clone(ch.Key)
	if _, reason := merge(ch, old); reason != ReasonNone {
		return Change{}, false
	}
	switch ch.Part {
	case PartSet, PartUnset:
		if old == "" {
			return Change{Part: PartUnset, Key: key}, ch.Part == PartSet
		}
		return Change{PartSet, key, strings.Clone(old)}, true
	case PartInc:
		by, negative := strings.CutPrefix(ch.Value, "-")
		if !negative {
			by = "-" + by
		}
		return Change{PartInc, key, strings.Clone(by)}, ch.Value != "0"
	case PartUnion:
		added := difference(ch.Value, old)
		return Change{PartWithout, key, added}, added != "[]"
	default:
		taken := difference(old, difference(old, ch.Value))
		return Change{PartUnion, key, taken}, taken != "[]"
	}
}

// difference is the elements of one canonical array, each once, that another lacks. An empty text is an empty array.
func difference(of, from string) string {
	if of == "" {
		return "[]"
	}
	have := map[string]bool{}
	if from != "" {
		for v := range elements(from) {
			have[v] = true
		}
	}
	out := append(make([]byte, 0, len(of)), '[')
	for v := range elements(of) {
		if have[v] {
			continue
		}
		have[v] = true
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, v...)
	}
	return view(append(out, ']'))
}
