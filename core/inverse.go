package core

import "strings"

// appendOp writes an op as JSON.
func appendOp(dst []byte, op *Op) []byte {
	dst = append(dst, `{"op":"`...)
	dst = append(dst, op.Kind.String()...)
	dst = append(dst, `","object":"`...)
	dst = append(op.Object.Append(dst), '"')
	switch op.Kind {
	case Create:
		dst = append(dst, `,"type":`...)
		dst = AppendString(dst, op.Type)
		dst = append(dst, `,"fields":`...)
		dst = appendChanges(dst, op.Changes, PartSet)
		if op.Lock {
			dst = append(dst, `,"lock":true`...)
		}
	case Update:
		for part, name := range [...]string{"set", "unset", "inc", "union", "without"} {
			if !hasPart(op.Changes, Part(part)) {
				continue
			}
			dst = append(append(append(dst, `,"`...), name...), `":`...)
			dst = appendChanges(dst, op.Changes, Part(part))
		}
	}
	return append(dst, '}')
}

func hasPart(changes []Change, part Part) bool {
	for i := range changes {
		if changes[i].Part == part {
			return true
		}
	}
	return false
}

// appendChanges writes the changes of one part: an object, or an array of keys for unset.
func appendChanges(dst []byte, changes []Change, part Part) []byte {
	open, close := byte('{'), byte('}')
	if part == PartUnset {
		open, close = '[', ']'
	}
	dst = append(dst, open)
	first := true
	for i := range changes {
		if changes[i].Part != part {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = AppendString(dst, changes[i].Key)
		if part != PartUnset {
			dst = append(append(dst, ':'), changes[i].Value...)
		}
	}
	return append(dst, close)
}

// inverseOp takes an op back. left is, for each of its changes, the hash of the value that the op has left there.
type inverseOp struct {
	Op
	left []Chain
}

func hashOf(value string) Chain { return Chain(0).Next(value) }

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
			back := Op{Kind: Create, Object: op.Object, Type: s.names[im.object.typ]}
			for i := range im.object.fields {
				if f := &im.object.fields[i]; f.value != "" {
					back.Changes = append(back.Changes, Change{PartSet, s.names[f.key], strings.Clone(f.value)})
				}
			}
			ops = append(ops, inverseOp{Op: back})
		case Update:
			back := inverseOp{Op: Op{Kind: Update, Object: op.Object}}
			for i := range op.Changes {
				old, _ := s.value(&im.object, op.Changes[i].Key)
				if ch, ok := op.Changes[i].inverse(old); ok {
					left, _ := merge(&op.Changes[i], old)
					back.Changes, back.left = append(back.Changes, ch), append(back.left, hashOf(left))
				}
			}
			if len(back.Changes) > 0 {
				ops = append(ops, back)
			}
		}
	}
	return ops
}

// inverse is the change that takes this one back from a key that had the value old; false where there is nothing to take back.
func (ch *Change) inverse(old string) (Change, bool) {
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
