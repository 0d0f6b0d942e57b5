package undo

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
)

// maxLinks bounds how far back the writes of a key are followed.
const maxLinks = 1000

// inverse is what takes a part back.
func (h *History) inverse(p *Part) []state.InverseOp {
	if p.Local != nil {
		return h.State.Inverse(&p.Local.Action, &p.Local.Undo)
	}
	return p.Inverse
}

// takeBack is the ops that take a step back from the visible state, and what cannot be; empty where nothing is left.
func (h *History) takeBack(t *step) (text string, skipped []Skipped, err error) {
	b := backOps{h: h, step: t, became: map[action.UUID]fate{}, taken: map[place]*taken{}}
	for i := range t.parts {
		p := &t.parts[i]
		if p.Untold {
			return "", nil, errUntold
		}
		inverse := h.inverse(p)
		b.part = p
		for n := range inverse {
			b.takeBack(&inverse[n])
		}
	}
	named, out := map[action.UUID]bool{}, []byte{'['}
	for i := range b.ops {
		op := &b.ops[i]
		changed := len(op.Changes)
		op.Changes = slices.DeleteFunc(op.Changes, func(ch action.Change) bool { return ch.Part == superseded })
		if changed > 0 && len(op.Changes) == 0 {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = action.AppendOp(out, op)
		named[op.Object] = true
	}
	switch {
	case len(named) == 0:
		return "", nil, nil
	case len(out) > action.MaxActionBytes-overhead || len(b.ops) > action.MaxOps:
		return "", nil, errTooLarge
	case h.ConflictFree && len(named) > action.MaxGuards: // it would need a guard for each
		return "", nil, errTooLarge
	}
	return action.View(append(out, ']')), b.skipped, nil
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
	h       *History
	step    *step
	part    *Part // of it that is being taken back: the last one first
	became  map[action.UUID]fate
	taken   map[place]*taken
	skipped []Skipped
	ops     []action.Op
}

// place is a key of an object.
type place struct {
	object action.UUID
	key    string
}

// taken is what was made of a place by what came later in the same step.
type taken struct {
	lost bool        // it was not taken back
	past bool        // the last write is another one: it only goes back as far as it merges
	over action.UUID // whose write had been replaced there
	by   [][2]int    // the ops and changes that take it back
}

// superseded stands for a change that another one has taken the place of.
const superseded action.Part = 1 << 7

func (b *backOps) add(op *action.Op) { b.ops = append(b.ops, *op) }

// takeBack adds what takes one op back.
func (b *backOps) takeBack(op *state.InverseOp) {
	o := b.h.State.Object(op.Object)
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
	case op.Kind == action.Remove && (b.h.touchedByOthers(o) || o.HeldFrom(b.h.Client)):
		b.skipped = append(b.skipped, Skipped{Object: op.Object})
	case op.Kind == action.Remove:
		b.became[op.Object] = freed
		b.add(&op.Op)
	default:
		back := action.Op{Kind: action.Update, Object: op.Object}
		for i := range op.Changes {
			at := place{op.Object, op.Changes[i].Key}
			was := b.taken[at]
			if was != nil && b.further(was, op, i) {
				continue
			}
			last := was == nil && b.lastWriteIs(o, op.Changes[i].Key)
			ch, ok := b.changeBack(o, op, i, last)
			if was == nil {
				was = &taken{lost: !ok, past: !last, over: op.Over[i]}
				b.taken[at] = was
			}
			if ok {
				was.by = append(was.by, [2]int{len(b.ops), len(back.Changes)})
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

// further takes a key back by one write more of the same step; false where that is a change of its own, since both merge. Where somebody
// else has written between the two, what stood then is what comes back.
func (b *backOps) further(was *taken, op *state.InverseOp, i int) bool {
	if was.lost {
		return true
	}
	at := func(n int) *action.Change { return &b.ops[was.by[n][0]].Changes[was.by[n][1]] }
	ch, now, next := op.Changes[i], at(0), b.step.has(was.over)
	if next {
		was.over = op.Over[i]
	}
	if ch.Part > action.PartUnset && now.Part > action.PartUnset {
		return false
	}
	if !next {
		return true
	}
	for n := range was.by[1:] {
		at(n + 1).Part = superseded
	}
	was.by = was.by[:1]
	if was.past { // what was merged stood on a value that is no longer there
		now.Part, was.lost = superseded, true
		b.skipped = append(b.skipped, Skipped{op.Object, ch.Key})
		return true
	}
	if *now = ch; ch.Part > action.PartUnset {
		if *now = (action.Change{Part: action.PartSet, Key: ch.Key, Value: op.Old[i]}); now.Value == "" {
			now.Part = action.PartUnset
		}
	}
	return true
}

// touchedByOthers tells whether somebody else has written an object that this local log has made.
func (h *History) touchedByOthers(o state.Object) bool {
	last := o.Touch()
	if !h.Wrote(last) {
		return true
	}
	other := o.Other(last.Client)
	if other == nil {
		return false
	}
	if !h.Wrote(other) {
		return true
	}
	for key := range o.Fields() { // both are ours, under two ids: a touch before them is remembered by what it has left
		if !h.Wrote(o.Write(key)) {
			return true
		}
	}
	return false
}

// free tells whether an object is there and nobody else holds it.
func (b *backOps) free(o state.Object) bool { return o.Exists() && !o.HeldFrom(b.h.Client) }

// lastWriteIs tells whether a key's last write is still the step's.
func (b *backOps) lastWriteIs(o state.Object, key string) bool {
	return b.free(o) && b.h.lastWriteIs(o, key, b.step)
}

// changeBack is the change that takes one of an op back, where a key may go back: to its value while its last write is still the
// step's; what merges, also past the writes of others, while it is the same object.
func (b *backOps) changeBack(o state.Object, op *state.InverseOp, i int, last bool) (ch action.Change, ok bool) {
	ch = op.Changes[i]
	if !b.free(o) {
		return ch, false
	}
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
	return ch, reason == state.ReasonNone && !op.Gone && !b.h.removedAfter(b.part, o.ID())
}

// removedAfter tells whether a queued action behind a step removes an object.
func (h *History) removedAfter(p *Part, object action.UUID) bool {
	behind := p.Local == nil
	for _, l := range h.Queue.Naming(object) {
		for i := range l.Ops {
			if behind && l.Ops[i].Kind == action.Remove && l.Ops[i].Object == object {
				return true
			}
		}
		behind = behind || l == p.Local
	}
	return false
}

// lastWriteIs tells whether the last write of a key is still the target's, or one that has brought that back: an undo
// of what had replaced it.
func (h *History) lastWriteIs(o state.Object, key string, target *step) bool {
	write := o.Touch().Action // an object that was made again lacks a key that was unset
	if last := o.Write(key); last != nil {
		write = last.Action
	}
	for n := 0; !target.has(write); n++ {
		by, _ := h.Find(write)
		undone := by.Undoes
		if undone == action.Nil || n == maxLinks {
			return false
		}
		if write = h.overwritten(undone, o.ID(), key); h.steps[undone] != nil {
			write = h.overwrittenBy(h.steps[undone], o.ID(), key)
		}
	}
	return true
}

// overwrittenBy is the action whose write of a key a step has replaced.
func (h *History) overwrittenBy(s *step, object action.UUID, key string) (over action.UUID) {
	for i := range s.parts {
		if over == action.Nil || s.has(over) {
			if before := h.overwritten(s.parts[i].ID, object, key); before != action.Nil {
				over = before
			}
		}
	}
	return over
}

// overwritten is the action whose write of a key an own action has replaced.
func (h *History) overwritten(by, object action.UUID, key string) action.UUID {
	p, _ := h.Find(by)
	inverse := h.inverse(&p)
	for i := len(inverse) - 1; i >= 0; i-- { // what its first op replaced
		for j := range inverse[i].Changes {
			if inverse[i].Object == object && inverse[i].Changes[j].Key == key {
				return inverse[i].Over[j]
			}
		}
	}
	return action.Nil
}
