package action

// AppendOp writes an op as JSON.
func AppendOp(dst []byte, op *Op) []byte {
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

func (op *Op) Touches(key string) bool {
	for i := range op.Changes {
		if op.Changes[i].Key == key {
			return true
		}
	}
	return false
}

// Fields is what a create would have written, as an object; empty for other ops.
func (op *Op) Fields() string {
	if op.Kind != Create {
		return ""
	}
	return View(appendChanges(nil, op.Changes, PartSet))
}
