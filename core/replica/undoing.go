package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
)

// Undo and redo are ordinary new actions, made of what the application of another one has replaced. Each names its target in meta, as
// {"undoes":"id"}; a redo is the undo of an undo. So an own action, the one that undoes it, the one that undoes that, … are a chain:
// it is in effect where the last of them is an even one.

// Skipped is a place that an undo did not put back: somebody has written since.
type Skipped struct {
	Object action.UUID
	Key    string // empty for the whole object
}

const undoesMember = `{"undoes":"`

// undoes is the target that an action's meta names, Nil for none.
func undoes(meta string) action.UUID {
	const n = len(undoesMember)
	if len(meta) != n+36+len(`"}`) || meta[:n] != undoesMember {
		return action.Nil
	}
	id, _ := action.ParseUUID(meta[n : n+36])
	return id
}

// step is an own action as undo looks at it.
type step struct {
	id, undoes action.UUID
	own        *ownEntry // in the log
	local      *local    // or not yet
}

// steps lists this client's actions that stand, the oldest first.
func (r *Replica) steps() []step {
	out := make([]step, 0, len(r.own)+len(r.pending)+len(r.uncommitted))
	for i := range r.own {
		if o := &r.own[i]; !o.discarded {
			out = append(out, step{id: o.ID, undoes: o.undoes, own: o})
		}
	}
	for _, queue := range [2][]*local{r.pending, r.uncommitted} {
		for _, l := range queue {
			out = append(out, step{id: l.ID, undoes: undoes(l.Meta), local: l})
		}
	}
	return out
}

// Undo takes back this client's last action that is in effect, as a new action: a key goes back only while nobody has written it since.
// One with nothing left to take back is passed over. d gets its ops and meta; the rest of it is the caller's. Where there is nothing to
// undo, it is a nothing-to-undo *Error.
func (r *Replica) Undo(d *Draft) ([]Skipped, error) { return r.toggle(d, false) }

// Redo takes back the last undo, as long as nothing was written after it.
func (r *Replica) Redo(d *Draft) ([]Skipped, error) { return r.toggle(d, true) }

func (r *Replica) toggle(d *Draft, redo bool) ([]Skipped, error) {
	steps := r.steps()
	undone := map[action.UUID]bool{}
	length := map[action.UUID]int{} // of the chain that ends with an action
	for i := range steps {
		if s := &steps[i]; s.undoes != action.Nil {
			undone[s.undoes] = true
			length[s.id] = length[s.undoes] + 1
		}
	}
	for i := len(steps) - 1; i >= 0; i-- {
		s := &steps[i]
		inEffect := length[s.id]%2 == 0
		if redo && s.undoes == action.Nil {
			break // what was undone before this was written is given up
		}
		if undone[s.id] || inEffect == redo {
			continue
		}
		ops, skipped := r.takeBack(s)
		if ops == "" || len(ops) > action.MaxActionBytes-overhead {
			continue
		}
		d.Ops, d.Meta = ops, undoesMember+s.id.String()+`"}`
		if l := s.local; l != nil && (l.Atomic || len(l.Guards) > 0) {
			// Where the log discards the target, its undo must not stand: whatever does that touches these objects,
			// but for what guards alone name.
			d.Guards = r.guardsOf(l)
		}
		return skipped, nil
	}
	if redo {
		return nil, action.Fail(action.CodeNothingToUndo, "", "there is nothing to redo")
	}
	return nil, errNothingToUndo
}

var errNothingToUndo = action.Fail(action.CodeNothingToUndo, "", "there is nothing to undo")

// overhead is room for what an action has beside its ops.
const overhead = 16 << 10

// guardsOf are guards that nobody else touches what an action names.
func (r *Replica) guardsOf(l *local) string {
	named := map[action.UUID]bool{}
	guards := []byte{'['}
	add := func(object action.UUID) {
		if named[object] || len(named) == action.MaxGuards || !r.state.Exists(object) {
			return
		}
		if named[object] = true; len(named) > 1 {
			guards = append(guards, ',')
		}
		guards = append(object.Append(append(guards, `{"object":"`...)), `","unchanged":true}`...)
	}
	for i := range l.Guards {
		add(l.Guards[i].Object)
	}
	for i := range l.Ops {
		add(l.Ops[i].Object)
	}
	if len(named) == 0 {
		return ""
	}
	return action.View(append(guards, ']'))
}

// takeBack is the ops that take a step back from the visible state, and what cannot be; empty where nothing is left.
func (r *Replica) takeBack(t *step) (string, []Skipped) {
	s := r.state
	inverse := []state.InverseOp(nil)
	if t.own != nil {
		inverse = t.own.inverse
	} else {
		inverse = s.Inverse(&t.local.Action, &t.local.undo)
	}
	// What the ops so far have made of an object.
	const (
		untouched = iota
		made
		freed
	)
	became := map[action.UUID]int{}
	var skipped []Skipped
	ops := []byte{'['}
	add := func(op *action.Op) {
		if len(ops) > 1 {
			ops = append(ops, ',')
		}
		ops = action.AppendOp(ops, op)
	}
	if r.log.conflictFree && len(inverse) > action.MaxGuards {
		return "", nil // it would need a guard for each
	}
	for i := range inverse {
		op := &inverse[i]
		o := s.Object(op.Object)
		if became[op.Object] == freed {
			o = state.Object{}
		}
		switch {
		case became[op.Object] == made:
			if op.Kind == action.Remove {
				became[op.Object] = freed
			}
			add(&op.Op)
		case op.Kind == action.Create && o.Exists():
			skipped = append(skipped, Skipped{Object: op.Object})
		case op.Kind == action.Create:
			became[op.Object] = made
			add(&op.Op)
		case !o.Exists() && op.Kind == action.Remove: // it is gone already
		case op.Kind == action.Remove && (o.Other(r.log.client) != nil || o.HeldFrom(r.log.client)):
			skipped = append(skipped, Skipped{Object: op.Object})
		case op.Kind == action.Remove:
			became[op.Object] = freed
			add(&op.Op)
		default:
			back := action.Op{Kind: action.Update, Object: op.Object}
			for _, ch := range op.Changes {
				if r.mayTakeBack(o, &ch, t.id) {
					back.Changes = append(back.Changes, ch)
				} else {
					skipped = append(skipped, Skipped{op.Object, ch.Key})
				}
			}
			if len(back.Changes) > 0 {
				add(&back)
			}
		}
	}
	if len(ops) == 1 {
		return "", nil
	}
	return action.View(append(ops, ']')), skipped
}

// mayTakeBack tells whether a key may go back: what merges, while it still can; a value only while its last write is
// still the target's, or one that has brought that back: an undo of what had replaced it.
func (r *Replica) mayTakeBack(o state.Object, ch *action.Change, target action.UUID) bool {
	if !o.Exists() || o.HeldFrom(r.log.client) {
		return false
	}
	if ch.Part > action.PartUnset {
		old, _ := o.Value(ch.Key)
		_, reason := state.Merge(ch, old)
		return reason == state.ReasonNone
	}
	write := o.Touch().Action // an object that was made again lacks a key that was unset
	if last := o.Write(ch.Key); last != nil {
		write = last.Action
	}
	for n := 0; write != target; n++ {
		undone := r.undoneBy(write)
		if undone == action.Nil || n == maxInverses {
			return false
		}
		write = r.overwritten(undone, o.ID(), ch.Key)
	}
	return true
}

// undoneBy is the target of an own undo or redo; Nil for another action.
func (r *Replica) undoneBy(by action.UUID) action.UUID {
	if l := r.find(by); l != nil {
		return undoes(l.Meta)
	}
	if own := r.findOwn(by); own != nil {
		return own.undoes
	}
	return action.Nil
}

// find is an own action that is not in the log yet.
func (r *Replica) find(id action.UUID) *local {
	if l := r.byID[id]; l != nil {
		return l
	}
	for _, l := range r.uncommitted {
		if l.ID == id {
			return l
		}
	}
	return nil
}

// overwritten is the action whose write of a key an own action has replaced.
func (r *Replica) overwritten(by, object action.UUID, key string) action.UUID {
	var inverse []state.InverseOp
	if l := r.find(by); l != nil {
		inverse = r.state.Inverse(&l.Action, &l.undo)
	} else if own := r.findOwn(by); own != nil {
		inverse = own.inverse
	}
	for i := len(inverse) - 1; i >= 0; i-- { // what its first op replaced
		for j := range inverse[i].Changes {
			if inverse[i].Object == object && inverse[i].Changes[j].Key == key {
				return inverse[i].Over[j]
			}
		}
	}
	return action.Nil
}

// undoneElsewhere tells whether another action than l undoes the same target.
func (r *Replica) undoneElsewhere(l *local) bool {
	target := undoes(l.Meta)
	if target == action.Nil {
		return false
	}
	for i := range r.own {
		if o := &r.own[i]; o.undoes == target && o.ID != l.ID && !o.discarded {
			return true
		}
	}
	for _, p := range r.pending {
		if p.ID != l.ID && undoes(p.Meta) == target {
			return true
		}
	}
	return false
}
