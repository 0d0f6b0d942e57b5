package state

import (
	"github.com/strandline-sync/strandline/core/action"
)

// WriteInverse stores an inverse.
func WriteInverse(e *action.Encoder, ops []InverseOp) {
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

// ReadInverse reads one.
func ReadInverse(d *action.Decoder) []InverseOp {
	ops := make([]InverseOp, d.Count(19))
	for i := range ops {
		op := &ops[i]
		kind := d.Uint()
		if kind > uint64(action.Unlock) {
			d.Fail()
		}
		op.Kind, op.Object, op.Type = action.OpKind(kind), d.UUID(), d.String()
		op.Changes = make([]action.Change, d.Count(3))
		for j := range op.Changes {
			op.Changes[j] = action.Change{Part: ReadPart(d), Key: d.String(), Value: d.String()}
			op.Over = append(op.Over, d.UUID())
			op.Old = append(op.Old, "")
		}
	}
	return ops
}

// ReadPart reads how a key was changed.
func ReadPart(d *action.Decoder) action.Part {
	part := d.Uint()
	if part > uint64(action.PartWithout) {
		d.Fail()
	}
	return action.Part(part)
}

// WriteMore stores what earlier versions did not have.
func WriteMore(e *action.Encoder, ops []InverseOp) {
	for i := range ops {
		e.Bool(ops[i].Gone)
		for _, old := range ops[i].Old {
			e.String(old)
		}
	}
}

// ReadMore reads it into what ReadInverse gave.
func ReadMore(d *action.Decoder, ops []InverseOp) {
	for i := range ops {
		ops[i].Gone = d.Bool()
		for j := range ops[i].Old {
			ops[i].Old[j] = d.String()
		}
	}
}
