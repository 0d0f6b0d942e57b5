package replica

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
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
	own        *ownEntry    // in the log
	local      *queue.Local // or not yet
}

// steps lists this client's actions that stand, the oldest first.
func (r *Replica) steps() []step {
	out := make([]step, 0, len(r.own)+r.q.Len())
	for i := range r.own {
		if o := &r.own[i]; !o.discarded {
			out = append(out, step{id: o.ID, undoes: o.undoes, own: o})
		}
	}
	for _, l := range r.q.All() {
		out = append(out, step{id: l.ID, undoes: undoes(l.Meta), local: l})
	}
	return out
}

// Undo takes back this client's last action that is in effect, as a new action: a key goes back only while nobody has written it since.
// One with nothing left to take back is passed over. d gets its ops and meta; the rest of it is the caller's. Where there is nothing to
// undo, it is a nothing-to-undo *Error.
func (r *Replica) Undo(d *queue.Draft) ([]Skipped, error) { return r.toggle(d, false) }

// Redo takes back the last undo, as long as nothing was written after it.
func (r *Replica) Redo(d *queue.Draft) ([]Skipped, error) { return r.toggle(d, true) }

func (r *Replica) toggle(d *queue.Draft, redo bool) ([]Skipped, error) {
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
		ops, skipped, err := r.takeBack(s)
		if err != nil {
			return nil, err // not the step before it: that would be another one than people mean
		}
		if ops == "" {
			continue
		}
		d.Ops, d.Meta = ops, undoesMember+s.id.String()+`"}`
		return skipped, nil
	}
	if redo {
		return nil, action.Fail(action.CodeNothingToUndo, "", "there is nothing to redo")
	}
	return nil, errNothingToUndo
}

var (
	errNothingToUndo = action.Fail(action.CodeNothingToUndo, "", "there is nothing to undo")
	errUndoTooLarge  = action.Fail(action.CodeTooLarge, "", "what takes the last action back is more than one action can hold")
	errUndoUntold    = action.Fail(action.CodeUnknown, "", "what the last action replaced is not known: a checkpoint stood for it")
)

// overhead is room for what an action has beside its ops.
const overhead = 16 << 10

// takeBack is the ops that take a step back from the visible state, and what cannot be; empty where nothing is left.
func (r *Replica) takeBack(t *step) (text string, skipped []Skipped, err error) {
	inverse := []state.InverseOp(nil)
	if t.own != nil {
		if inverse = t.own.inverse; t.own.reason == reasonUntold {
			return "", nil, errUndoUntold
		}
	} else {
		inverse = r.state.Inverse(&t.local.Action, &t.local.Undo)
	}
	b := backOps{r: r, step: t, became: map[action.UUID]fate{}, text: []byte{'['}, named: map[action.UUID]bool{}}
	for i := range inverse {
		b.takeBack(&inverse[i])
	}
	switch {
	case len(b.text) == 1:
		return "", nil, nil
	case len(b.text) > action.MaxActionBytes-overhead || b.ops > action.MaxOps:
		return "", nil, errUndoTooLarge
	case r.log.conflictFree && len(b.named) > action.MaxGuards: // it would need a guard for each
		return "", nil, errUndoTooLarge
	}
	return action.View(append(b.text, ']')), b.skipped, nil
}

// fate is what the ops so far have made of an object.
type fate uint8

const (
	untouched fate = iota
	made
	freed
)

// backOps are the ops of an undo in the making.
type backOps struct {
	r       *Replica
	step    *step
	became  map[action.UUID]fate
	named   map[action.UUID]bool
	skipped []Skipped
	text    []byte
	ops     int
}

func (b *backOps) add(op *action.Op) {
	if len(b.text) > 1 {
		b.text = append(b.text, ',')
	}
	b.text = action.AppendOp(b.text, op)
	b.named[op.Object] = true
	b.ops++
}

// takeBack adds what takes one op back.
func (b *backOps) takeBack(op *state.InverseOp) {
	o := b.r.state.Object(op.Object)
	if b.became[op.Object] == freed {
		o = state.Object{}
	}
	switch {
	case b.became[op.Object] == made:
		if op.Kind == action.Remove {
			b.became[op.Object] = freed
		}
		b.add(&op.Op)
	case op.Kind == action.Create && o.Exists():
		b.skipped = append(b.skipped, Skipped{Object: op.Object})
	case op.Kind == action.Create:
		b.became[op.Object] = made
		b.add(&op.Op)
	case !o.Exists() && op.Kind == action.Remove: // it is gone already
	case op.Kind == action.Remove && (b.r.touchedByOthers(o) || o.HeldFrom(b.r.log.client)):
		b.skipped = append(b.skipped, Skipped{Object: op.Object})
	case op.Kind == action.Remove:
		b.became[op.Object] = freed
		b.add(&op.Op)
	default:
		back := action.Op{Kind: action.Update, Object: op.Object}
		for i := range op.Changes {
			if ch, ok := b.r.changeBack(o, op, i, b.step); ok {
				back.Changes = append(back.Changes, ch)
			} else {
				b.skipped = append(b.skipped, Skipped{op.Object, op.Changes[i].Key})
			}
		}
		if len(back.Changes) > 0 {
			b.add(&back)
		}
	}
}

// touchedByOthers tells whether somebody else has written an object that this local log has made.
func (r *Replica) touchedByOthers(o state.Object) bool {
	last := o.Touch()
	if !r.wrote(last) {
		return true
	}
	other := o.Other(last.Client)
	if other == nil {
		return false
	}
	if !r.wrote(other) {
		return true
	}
	for key := range o.Fields() { // both are ours, under two ids: a touch before them is remembered by what it has left
		if !r.wrote(o.Write(key)) {
			return true
		}
	}
	return false
}

// changeBack is the change that takes one of an op back, where a key may go back: to its value while its last write is still the
// step's; what merges, also past the writes of others, while it is the same object.
func (r *Replica) changeBack(o state.Object, op *state.InverseOp, i int, t *step) (ch action.Change, ok bool) {
	ch = op.Changes[i]
	if !o.Exists() || o.HeldFrom(r.log.client) {
		return ch, false
	}
	last := r.lastWriteIs(o, ch.Key, t.id)
	if ch.Part <= action.PartUnset {
		return ch, last
	}
	now, _ := o.Value(ch.Key)
	merged, reason := state.Merge(&ch, now)
	switch {
	case last && (reason != state.ReasonNone || merged != op.Old[i]): // a sum of fractions, an order, an equal element
		ch = action.Change{Part: action.PartSet, Key: ch.Key, Value: op.Old[i]}
		if ch.Value == "" {
			ch.Part = action.PartUnset
		}
		return ch, true
	case last:
		return ch, true // which leaves room for what others add meanwhile
	}
	return ch, reason == state.ReasonNone && !op.Gone && !r.removedAfter(t, o.ID())
}

// removedAfter tells whether a queued action behind a step removes an object.
func (r *Replica) removedAfter(t *step, object action.UUID) bool {
	behind := t.local == nil
	for _, l := range r.q.Naming(object) {
		for i := range l.Ops {
			if behind && l.Ops[i].Kind == action.Remove && l.Ops[i].Object == object {
				return true
			}
		}
		behind = behind || l == t.local
	}
	return false
}

// noteRemoved takes note of the objects that an entry has removed: what is there under their ids later is another one. e is nil where
// all of it stood.
func (r *Replica) noteRemoved(a *action.Action, e *state.Effect) {
	if e != nil && e.Discarded {
		return
	}
	for i := range a.Ops {
		if a.Ops[i].Kind != action.Remove || e != nil && e.Ops[i].Discarded {
			continue
		}
		for n := r.inverseFrom; n < len(r.own); n++ {
			for k := range r.own[n].inverse {
				if op := &r.own[n].inverse[k]; op.Object == a.Ops[i].Object {
					op.Gone = true
				}
			}
		}
	}
}

// lastWriteIs tells whether the last write of a key is still the target's, or one that has brought that back: an undo
// of what had replaced it.
func (r *Replica) lastWriteIs(o state.Object, key string, target action.UUID) bool {
	write := o.Touch().Action // an object that was made again lacks a key that was unset
	if last := o.Write(key); last != nil {
		write = last.Action
	}
	for n := 0; write != target; n++ {
		undone := r.undoneBy(write)
		if undone == action.Nil || n == maxInverses {
			return false
		}
		write = r.overwritten(undone, o.ID(), key)
	}
	return true
}

// undoneBy is the target of an own undo or redo; Nil for another action.
func (r *Replica) undoneBy(by action.UUID) action.UUID {
	if l := r.q.Find(by); l != nil {
		return undoes(l.Meta)
	}
	if own := r.findOwn(by); own != nil {
		return own.undoes
	}
	return action.Nil
}

// overwritten is the action whose write of a key an own action has replaced.
func (r *Replica) overwritten(by, object action.UUID, key string) action.UUID {
	var inverse []state.InverseOp
	if l := r.q.Find(by); l != nil {
		inverse = r.state.Inverse(&l.Action, &l.Undo)
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
func (r *Replica) undoneElsewhere(l *queue.Local) bool {
	target := undoes(l.Meta)
	if target == action.Nil {
		return false
	}
	for i := range r.own {
		if o := &r.own[i]; o.undoes == target && o.ID != l.ID && !o.discarded {
			return true
		}
	}
	for _, p := range r.q.Pending {
		if p.ID != l.ID && undoes(p.Meta) == target {
			return true
		}
	}
	return false
}

// undoNext gives an undo or redo that another context has forestalled the step before it: two people who press undo in
// two tabs take two steps back. One that was followed by another write here stays dropped: it was meant for what stood
// then.
func (r *Replica) undoNext(land *Landing) {
	kept := land.Dropped[:0]
	for _, drop := range land.Dropped {
		redone := slices.ContainsFunc(land.Rejected, func(j Rejected) bool { return undoes(j.Action.Meta) == drop.ID })
		var again *queue.Local
		if drop.Err == errNothingToUndo && !r.log.conflictFree && !redone {
			again = r.undoAgain(drop.Local)
		}
		if again == nil {
			kept = append(kept, drop)
			continue
		}
		for i := range again.Ops {
			land.Shown = append(land.Shown, again.Ops[i].Object)
		}
	}
	land.Dropped = kept
}

func (r *Replica) undoAgain(l *queue.Local) *queue.Local {
	for _, behind := range r.q.Uncommitted {
		if behind.Ticket > l.Ticket && undoes(behind.Meta) == action.Nil {
			return nil
		}
	}
	n := 0 // links of the chain that it would have ended
	for target := undoes(l.Meta); target != action.Nil; target = r.undoneBy(target) {
		n++
	}
	d := &queue.Draft{ID: l.ID, At: action.ParseStamp(l.At)}
	if _, err := r.toggle(d, n%2 == 0); err != nil {
		return nil
	}
	again, err := r.write(d, l.Ticket)
	if err != nil {
		return nil
	}
	return again
}
