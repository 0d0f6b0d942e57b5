package core

// The history stands at the end of the rest of a local checkpoint: when refused actions were heard of, what own actions replaced, what pending
// ones were made upon, and the conflicts. Checkpoints of earlier versions end before it.

func (r *Replica) encodeHistory(e *encoder) {
	for i := range r.rejected {
		e.uint(uint64(r.rejected[i].At))
	}
	from := 0 // of what is before, nothing is kept
	for from < len(r.own) && len(r.own[from].inverse) == 0 && r.own[from].undoes == Nil {
		from++
	}
	e.uint(uint64(from))
	for i := range r.own[from:] {
		o := &r.own[from+i]
		e.uuid(o.undoes)
		writeInverse(e, o.inverse)
	}
	for _, l := range r.pending {
		e.uint(uint64(len(l.bases)))
		for i := range l.bases {
			e.uuid(l.bases[i].object)
			e.string(l.bases[i].key)
			e.string(l.bases[i].value)
		}
	}
	e.uint(uint64(len(r.conflicts)))
	for i := range r.conflicts {
		c := &r.conflicts[i]
		e.string(string(c.Kind))
		e.string(string(c.Reason))
		e.uuid(c.Object)
		for _, s := range [...]string{c.Key, c.Mine, c.Theirs, c.Base} {
			e.string(s)
		}
		e.uuid(c.Action)
		e.bool(c.Other != nil)
		if c.Other != nil {
			e.uint(c.Other.Index)
			e.uuid(c.Other.Client)
			e.uuid(c.Other.Action)
		}
		e.uint(c.Index)
		e.uint(uint64(c.At))
		e.uint(uint64(c.part))
	}
}

func (r *Replica) readHistory(d *decoder) {
	for i := range r.rejected {
		r.rejected[i].At = int64(d.uint())
	}
	from := d.uint()
	for i := from; i < uint64(len(r.own)) && !d.broken(); i++ {
		r.own[i].undoes, r.own[i].inverse = d.uuid(), readInverse(d)
	}
	r.weighInverses()
	for _, l := range r.pending {
		l.bases = make([]seen, d.count(18))
		for i := range l.bases {
			l.bases[i] = seen{d.uuid(), d.string(), d.string()}
		}
	}
	r.conflicts = make([]Conflict, d.count(40))
	for i := range r.conflicts {
		c := &r.conflicts[i]
		c.Kind, c.Reason, c.Object = ConflictKind(d.string()), Reason(d.string()), d.uuid()
		c.Key, c.Mine, c.Theirs, c.Base, c.Action = d.string(), d.string(), d.string(), d.string(), d.uuid()
		if d.bool() {
			c.Other = &Touch{Index: d.uint(), Client: d.uuid(), Action: d.uuid()}
		}
		c.Index, c.At, c.part = d.uint(), int64(d.uint()), readPart(d)
		r.conflictBytes += c.bytes()
	}
}

func writeInverse(e *encoder, ops []inverseOp) {
	e.uint(uint64(len(ops)))
	for i := range ops {
		op := &ops[i]
		e.uint(uint64(op.Kind))
		e.uuid(op.Object)
		e.string(op.Type)
		e.uint(uint64(len(op.Changes)))
		for j := range op.Changes {
			e.uint(uint64(op.Changes[j].Part))
			e.string(op.Changes[j].Key)
			e.string(op.Changes[j].Value)
			e.uuid(op.over[j])
		}
	}
}

func readPart(d *decoder) Part {
	part := d.uint()
	if part > uint64(PartWithout) {
		d.fail()
	}
	return Part(part)
}

func readInverse(d *decoder) []inverseOp {
	ops := make([]inverseOp, d.count(19))
	for i := range ops {
		op := &ops[i]
		kind := d.uint()
		if kind > uint64(Unlock) {
			d.fail()
		}
		op.Kind, op.Object, op.Type = OpKind(kind), d.uuid(), d.string()
		op.Changes = make([]Change, d.count(3))
		for j := range op.Changes {
			op.Changes[j] = Change{readPart(d), d.string(), d.string()}
			op.over = append(op.over, d.uuid())
		}
	}
	return ops
}
