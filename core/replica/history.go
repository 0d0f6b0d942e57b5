package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
)

// The history stands at the end of the rest of a local checkpoint: when refused actions were heard of, what own
// actions replaced, what pending ones were made upon, and the conflicts. Checkpoints of earlier versions end before
// it.

func (r *Replica) encodeHistory(e *action.Encoder) {
	for i := range r.rejected {
		e.Uint(uint64(r.rejected[i].At))
	}
	from := 0 // of what is before, nothing is kept
	for from < len(r.own) && len(r.own[from].inverse) == 0 && r.own[from].undoes == action.Nil {
		from++
	}
	e.Uint(uint64(from))
	for i := range r.own[from:] {
		o := &r.own[from+i]
		e.UUID(o.undoes)
		writeInverse(e, o.inverse)
	}
	for _, l := range r.pending {
		e.Uint(uint64(len(l.bases)))
		for i := range l.bases {
			e.UUID(l.bases[i].object)
			e.String(l.bases[i].key)
			e.String(l.bases[i].value)
		}
	}
	e.Uint(uint64(len(r.conflicts)))
	for i := range r.conflicts {
		c := &r.conflicts[i]
		e.String(string(c.Kind))
		e.String(string(c.Reason))
		e.UUID(c.Object)
		for _, s := range [...]string{c.Key, c.Mine, c.Theirs, c.Base} {
			e.String(s)
		}
		e.UUID(c.Action)
		e.Bool(c.Other != nil)
		if c.Other != nil {
			e.Uint(c.Other.Index)
			e.UUID(c.Other.Client)
			e.UUID(c.Other.Action)
		}
		e.Uint(c.Index)
		e.Uint(uint64(c.At))
		e.Uint(uint64(c.part))
	}
	e.Uint(uint64(len(r.former)))
	for _, id := range r.former {
		e.UUID(id)
	}
	for i := range r.own[from:] {
		for _, op := range r.own[from+i].inverse {
			e.Bool(op.Gone)
			for j := range op.Changes {
				e.String(op.Old[j])
			}
		}
	}
}

func (r *Replica) readHistory(d *action.Decoder) {
	for i := range r.rejected {
		r.rejected[i].At = int64(d.Uint())
	}
	from := d.Uint()
	for i := from; i < uint64(len(r.own)) && !d.Broken(); i++ {
		r.own[i].undoes, r.own[i].inverse = d.UUID(), readInverse(d)
	}
	r.weighInverses()
	for _, l := range r.pending {
		l.bases = make([]seen, d.Count(18))
		for i := range l.bases {
			l.bases[i] = seen{d.UUID(), d.String(), d.String()}
		}
	}
	r.conflicts = make([]Conflict, d.Count(40))
	for i := range r.conflicts {
		c := &r.conflicts[i]
		c.Kind, c.Reason, c.Object = ConflictKind(d.String()), state.Reason(d.String()), d.UUID()
		c.Key, c.Mine, c.Theirs, c.Base, c.Action = d.String(), d.String(), d.String(), d.String(), d.UUID()
		if d.Bool() {
			c.Other = &state.Touch{Index: d.Uint(), Client: d.UUID(), Action: d.UUID()}
		}
		c.Index, c.At, c.part = d.Uint(), int64(d.Uint()), readPart(d)
		r.conflictBytes += c.bytes()
	}
	if !d.More() {
		return // an earlier version's
	}
	r.former = make([]action.UUID, d.Count(16))
	for i := range r.former {
		r.former[i] = d.UUID()
	}
	for i := from; i < uint64(len(r.own)) && !d.Broken(); i++ {
		for j := range r.own[i].inverse {
			op := &r.own[i].inverse[j]
			op.Gone = d.Bool()
			for k := range op.Changes {
				op.Old[k] = d.String()
			}
		}
	}
}

func writeInverse(e *action.Encoder, ops []state.InverseOp) {
	e.Uint(uint64(len(ops)))
	for i := range ops {
		op := &ops[i]
		e.Uint(uint64(op.Kind))
		e.UUID(op.Object)
		e.String(op.Type)
		e.Uint(uint64(len(op.Changes)))
		for j := range op.Changes {
			e.Uint(uint64(op.Changes[j].Part))
			e.String(op.Changes[j].Key)
			e.String(op.Changes[j].Value)
			e.UUID(op.Over[j])
		}
	}
}

func readPart(d *action.Decoder) action.Part {
	part := d.Uint()
	if part > uint64(action.PartWithout) {
		d.Fail()
	}
	return action.Part(part)
}

func readInverse(d *action.Decoder) []state.InverseOp {
	ops := make([]state.InverseOp, d.Count(19))
	for i := range ops {
		op := &ops[i]
		kind := d.Uint()
		if kind > uint64(action.Unlock) {
			d.Fail()
		}
		op.Kind, op.Object, op.Type = action.OpKind(kind), d.UUID(), d.String()
		op.Changes = make([]action.Change, d.Count(3))
		for j := range op.Changes {
			op.Changes[j] = action.Change{Part: readPart(d), Key: d.String(), Value: d.String()}
			op.Over = append(op.Over, d.UUID())
			op.Old = append(op.Old, "")
		}
	}
	return ops
}
