package state

// Reason tells why an action, an op or a key was discarded.
type Reason string

// The reasons.
const (
	ReasonNone      Reason = ""
	ReasonDuplicate Reason = "duplicate" // the client's seq has been in the log before
	ReasonGuard     Reason = "guard"     // a guard did not hold
	ReasonAtomic    Reason = "atomic"    // an atomic action with a part that was discarded
	ReasonExists    Reason = "exists"    // a create of an object that is there
	ReasonMissing   Reason = "missing"   // an update or remove of one that is not
	ReasonLocked    Reason = "locked"    // another client holds the object
	ReasonType      Reason = "type"      // inc of no number, union or without of no array, a sum that is not finite
	ReasonSize      Reason = "size"      // an array or an object over its limit
)

// Effect is what came of one action. It is a pure function of the log.
type Effect struct {
	Discarded bool
	Reason    Reason // none where every op was discarded for a reason of its own
	Ops       []OpEffect
}

// OpEffect is what came of one op.
type OpEffect struct {
	Discarded bool
	Reason    Reason
	Keys      []KeyEffect
	Overwrote []Overwrote
}

// KeyEffect is a key that was discarded while its op stood.
type KeyEffect struct {
	Key    string
	Reason Reason
}

// Overwrote names a write that the op replaced and that its author had not seen. The empty key stands for the object.
type Overwrote struct {
	Key   string
	Write Touch
	Value string // what it replaced; empty for an unset key, and for the object
}

// Plain tells whether all of the action stood, and replaced nothing that its author had not seen.
func (e *Effect) Plain() bool {
	plain := !e.Discarded && e.Reason == ReasonNone
	for i := range e.Ops {
		plain = plain && !e.Ops[i].Discarded && len(e.Ops[i].Keys)+len(e.Ops[i].Overwrote) == 0
	}
	return plain
}

// Why is the reason of a discarded action: its own, or that of its first op.
func (e *Effect) Why() Reason {
	if e.Reason != ReasonNone || !e.Discarded {
		return e.Reason
	}
	for i := range e.Ops {
		if e.Ops[i].Reason != ReasonNone {
			return e.Ops[i].Reason
		}
	}
	return ReasonNone
}
