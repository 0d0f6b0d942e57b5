package core

// slab gives decoded actions their slices out of large blocks: a batch of 500 entries costs a few allocations, not
// thousands, and the garbage collector sees a few objects. A nil slab gives each action slices of its own.
type slab struct {
	ops     []Op
	changes []Change
	touches []Touch
	fields  []field
}

const slabBlock = 1024

func (s *slab) opsFor() []Op {
	if s == nil {
		return nil
	}
	if cap(s.ops)-len(s.ops) < 16 {
		s.ops = make([]Op, 0, slabBlock)
	}
	return s.ops[len(s.ops):]
}

func (s *slab) keepOps(ops []Op) []Op {
	if s != nil && cap(s.ops)-len(s.ops) >= len(ops) {
		s.ops = s.ops[:len(s.ops)+len(ops)]
	}
	return ops[:len(ops):len(ops)]
}

func (s *slab) changesFor() []Change {
	if s == nil {
		return nil
	}
	if cap(s.changes)-len(s.changes) < 64 {
		s.changes = make([]Change, 0, slabBlock)
	}
	return s.changes[len(s.changes):]
}

func (s *slab) keepChanges(cs []Change, start int) []Change {
	cs = cs[start:]
	if s != nil && cap(s.changes)-len(s.changes) >= len(cs) {
		s.changes = s.changes[:len(s.changes)+len(cs)]
	}
	return cs[:len(cs):len(cs)]
}

func (s *slab) touch(t Touch) *Touch {
	if s == nil {
		return &t
	}
	if len(s.touches) == cap(s.touches) {
		s.touches = make([]Touch, 0, slabBlock/4)
	}
	s.touches = append(s.touches, t)
	return &s.touches[len(s.touches)-1]
}

// fieldsFor gives an empty slice with room for n fields.
func (s *slab) fieldsFor(n int) []field {
	if s == nil || n > slabBlock/4 {
		return make([]field, 0, n)
	}
	if cap(s.fields)-len(s.fields) < n {
		s.fields = make([]field, 0, slabBlock)
	}
	from := len(s.fields)
	s.fields = s.fields[:from+n]
	return s.fields[from : from : from+n]
}
