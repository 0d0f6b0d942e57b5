package action

// Slab gives decoded actions their slices out of blocks, which double: a batch of 500 entries costs a few allocations, not
// thousands, and the garbage collector sees a few objects. A nil slab gives each action slices of its own.
type Slab struct {
	ops     []Op
	changes []Change
}

const slabBlock = 1024

func (s *Slab) opsFor() []Op {
	if s == nil {
		return nil
	}
	if cap(s.ops)-len(s.ops) < 16 {
		s.ops = make([]Op, 0, min(max(32, 2*cap(s.ops)), slabBlock))
	}
	return s.ops[len(s.ops):]
}

func (s *Slab) keepOps(ops []Op) []Op {
	if s != nil && cap(s.ops)-len(s.ops) >= len(ops) {
		s.ops = s.ops[:len(s.ops)+len(ops)]
	}
	return ops[:len(ops):len(ops)]
}

func (s *Slab) changesFor() []Change {
	if s == nil {
		return nil
	}
	if cap(s.changes)-len(s.changes) < 64 {
		s.changes = make([]Change, 0, min(max(128, 2*cap(s.changes)), slabBlock))
	}
	return s.changes[len(s.changes):]
}

func (s *Slab) keepChanges(cs []Change, start int) []Change {
	cs = cs[start:]
	if s != nil && cap(s.changes)-len(s.changes) >= len(cs) {
		s.changes = s.changes[:len(s.changes)+len(cs)]
	}
	return cs[:len(cs):len(cs)]
}
