package state

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/clients"
)

// ApplyEntry applies the log's next entry. u, where not nil, is filled so that Unapply takes the entry back; e, where
// not nil, with what came of it.
func (s *State) ApplyEntry(a *action.Action, u *Undo, e *Effect) {
	index := s.Head + 1
	if u != nil {
		u.entry = &entryUndo{head: s.Head, chain: s.Chain}
	}
	s.Head = index
	s.Chain = s.Chain.Next(a.Raw)
	expired := s.clients.Expire(index, u != nil)
	if u != nil {
		u.entry.restored = expired
	}
	if !s.first(a, index, u) {
		if e != nil {
			*e = Effect{Discarded: true, Reason: ReasonDuplicate}
		}
		return
	}
	if a.For.Seq == 0 {
		s.apply(a, index, u, e)
		return
	}
	if e == nil {
		e = new(Effect)
	}
	if s.apply(a, index, u, e); !e.Discarded { // else what its maker sends may stand still
		s.count(clients.Row{Client: sent(a.ID), Seq: 1, Index: index, Action: a.ID}, u)
	}
}

// first tells whether the log has the action for the first time. What another profile than its maker has sent, and stood, has a row of
// its own.
func (s *State) first(a *action.Action, index uint64, u *Undo) bool {
	if a.Client != action.Nil {
		if s.LastSeq(a.Client) >= a.Seq {
			return false
		}
		has := s.Has(a.ID, a.For)
		s.count(clients.Row{Client: a.Client, Seq: a.Seq, Index: index, Action: a.ID}, u)
		return !has
	}
	return !s.Has(a.ID, a.For)
}

// Has tells whether the log has what somebody else than its maker may have sent: from such a one, or as the last of its maker, where
// that is given. It may have it also where it says no.
func (s *State) Has(id action.UUID, maker action.Maker) bool {
	row, _ := s.clients.Get(maker.Client)
	return s.LastSeq(sent(id)) > 0 || maker.Seq > 0 && row.Action == id
}

// MayHave tells whether its maker may have sent it, or said something else under its seq.
func (s *State) MayHave(maker action.Maker) bool {
	return maker.Seq > 0 && s.LastSeq(maker.Client) >= maker.Seq
}

// sent is the client that stands for an action which another profile than its maker's has sent: of a version that no UUID has.
func sent(id action.UUID) action.UUID {
	id[6] |= 0xf0
	return id
}

func (s *State) count(row clients.Row, u *Undo) {
	if u != nil {
		was, had := s.clients.Get(row.Client)
		u.entry.stood = append(u.entry.stood, before{row.Client, was, had})
	}
	s.clients.Put(row)
}

// ApplyPending applies an action that is not in the log yet: the clients table, head and chain stay.
func (s *State) ApplyPending(a *action.Action, u *Undo, e *Effect) { s.apply(a, 0, u, e) }

// Accept makes the log's next entry of an action that is applied as a pending one with nothing but entries below it; u
// is what that saved, and is spent. ApplyEntry would lead to the same.
func (s *State) Accept(a *action.Action, u *Undo) {
	s.Head++
	s.Chain = s.Chain.Next(a.Raw)
	s.clients.Expire(s.Head, false)
	s.clients.Put(clients.Row{Client: a.Client, Seq: a.Seq, Index: s.Head, Action: a.ID})
	if u.touch != nil {
		u.touch.Index = s.Head
	}
	for i := range u.images {
		if id := u.images[i].id; s.paging != nil {
			s.paging.changed(id, s.object(id))
		}
	}
	*u = Undo{}
}

// apply runs the action's guards and ops; semantics section 3, rules 1 to 3.
func (s *State) apply(a *action.Action, index uint64, u *Undo, e *Effect) {
	s.Counts.Applied++
	for i := range a.Guards {
		if !s.Holds(&a.Guards[i], a) {
			if e != nil {
				*e = Effect{Discarded: true, Reason: ReasonGuard}
			}
			return
		}
	}
	if a.Atomic && u == nil {
		u = new(Undo) // an atomic action may have to go back
	}
	start := 0
	if u != nil {
		start = len(u.images)
	}
	if e != nil {
		ops := slices.Grow(e.Ops[:0], len(a.Ops))[:len(a.Ops)]
		clear(ops)
		*e = Effect{Ops: ops}
	}
	r := run{s: s, a: a, index: index, u: u}
	r.touch = s.arena.touch(Touch{Index: index, Client: a.Client, Action: a.ID})
	if u != nil {
		u.touch = r.touch
	}
	stood := false
	for i := range a.Ops {
		var oe *OpEffect
		if e != nil {
			oe = &e.Ops[i]
		}
		saved := u.len()
		reason := r.op(&a.Ops[i], oe)
		if u.len() > saved {
			u.images[saved].op = int32(i)
		}
		if oe != nil && reason != ReasonNone {
			*oe = OpEffect{Discarded: true, Reason: reason}
		}
		stood = stood || reason == ReasonNone
		if a.Atomic && (reason != ReasonNone || r.lostKey) {
			s.revert(u, start)
			if e != nil {
				*e = Effect{Discarded: true, Reason: ReasonAtomic}
			}
			return
		}
	}
	if e != nil {
		e.Discarded = !stood
	}
}

// run is one application under way.
type run struct {
	s       *State
	a       *action.Action
	index   uint64
	u       *Undo
	touch   *Touch
	lostKey bool // a key was discarded
	visible bool // the op under way changes what a reader sees
	sorted  int  // how many fields of its object are sorted; the new ones, whose keys stand once in an op, come after
}

// op applies one op, or tells why it is discarded.
func (r *run) op(op *action.Op, e *OpEffect) Reason {
	s := r.s
	o := s.object(op.Object)
	if op.Kind == action.Create {
		if o != nil {
			return ReasonExists
		}
		r.create(op)
		return ReasonNone
	}
	if o == nil {
		return ReasonMissing
	}
	if op.Kind == action.Unlock {
		if r.a.Client != action.Nil {
			return ReasonLocked
		}
		s.note(op.Object, o)
		r.u.save(op.Object, o)
		if o.locked {
			s.locks--
		}
		o.locked, o.lock = false, action.Nil
		return ReasonNone
	}
	if o.locked && o.lock != r.a.Client {
		return ReasonLocked
	}
	if op.Kind == action.Remove {
		if e != nil {
			r.overwroteByRemove(o, e)
		}
		s.note(op.Object, o)
		r.u.save(op.Object, o)
		s.drop(op.Object)
		return ReasonNone
	}
	return r.update(op, o, e)
}

func (r *run) create(op *action.Op) {
	s := r.s
	s.note(op.Object, nil)
	r.u.save(op.Object, nil)
	o := object{id: op.Object, typ: s.name(op.Type), live: true, touch: r.touch, fields: s.arena.fieldsFor(len(op.Changes)), bytes: 1}
	if op.Lock {
		o.locked, o.lock = true, r.a.Client
	}
	for _, ch := range op.Changes { // sorted in the text, so sorted here
		o.fields = append(o.fields, field{s.name(ch.Key), ch.Value, r.touch})
		o.bytes += action.MemberBytes(ch.Key, ch.Value)
	}
	s.bump(&o)
	s.insert(o)
}

// update applies an update's parts. It works on a copy of the object until it is known to stand.
func (r *run) update(op *action.Op, o *object, e *OpEffect) Reason {
	s := r.s
	next := *o
	// An update that may have to go back as too large must not have written into the fields in place either.
	s.own(&next, len(op.Changes), r.u != nil || s.sharing() || mayOutgrow(op, o))
	r.visible, r.sorted = false, len(next.fields)
	for i := range op.Changes {
		r.change(&op.Changes[i], &next, e)
	}
	if len(next.fields) > r.sorted {
		s.place(next.fields, r.sorted)
	}
	if next.bytes > action.MaxFieldsBytes {
		return ReasonSize
	}
	if r.touch.Client != next.touch.Client {
		next.other = next.touch
	}
	next.touch = r.touch
	s.note(op.Object, o)
	r.u.save(op.Object, o)
	if r.visible {
		s.bump(&next)
	}
	*o = next
	return ReasonNone
}

// place moves the last fields, which are new, to where their keys belong among the first ones, which are sorted. It
// costs one move of what is behind them.
func (s *State) place(f []field, sorted int) {
	added := append([]field(nil), f[sorted:]...)
	less := func(i, j int) bool { return action.CompareKeys(s.names[added[i].key], s.names[added[j].key]) < 0 }
	action.SortBy(len(added), less, func(i, j int) { added[i], added[j] = added[j], added[i] })
	for n := len(added) - 1; n >= 0; n-- {
		low, high := 0, sorted
		for low < high {
			if mid := (low + high) / 2; action.CompareKeys(s.names[f[mid].key], s.names[added[n].key]) < 0 {
				low = mid + 1
			} else {
				high = mid
			}
		}
		s.Counts.Copied += (sorted - low) * fieldBytes
		copy(f[low+n+1:sorted+n+1], f[low:sorted])
		f[low+n], sorted = added[n], low
	}
}

func mayOutgrow(op *action.Op, o *object) bool {
	n := o.bytes
	for i := range op.Changes {
		n += action.MemberBytes(op.Changes[i].Key, op.Changes[i].Value) + 32 // a sum may be longer than what is added
	}
	return n > action.MaxFieldsBytes
}

// change applies one key of an update to o, whose fields are owned.
func (r *run) change(ch *action.Change, o *object, e *OpEffect) {
	s := r.s
	i, had := s.field(o.fields[:r.sorted], ch.Key)
	old := ""
	var write *Touch
	if had {
		old, write = o.fields[i].value, o.fields[i].write
	}
	value, reason := Merge(ch, old)
	if reason != ReasonNone {
		r.lostKey = true
		if e != nil {
			e.Keys = append(e.Keys, KeyEffect{ch.Key, reason})
		}
		return
	}
	if e != nil && ch.Part <= action.PartUnset && write != nil && r.unseen(write) {
		e.Overwrote = append(e.Overwrote, Overwrote{ch.Key, *write, old})
	}
	r.visible = r.visible || value != old || s.ordered(o.typ)
	if old != "" {
		o.bytes -= action.MemberBytes(ch.Key, old)
	}
	if value != "" {
		o.bytes += action.MemberBytes(ch.Key, value)
	}
	if had {
		o.fields[i].set(value, r.touch)
		return
	}
	o.fields = append(o.fields, field{s.name(ch.Key), value, r.touch})
}

// unseen tells whether the author of the action had not seen a write when it was made.
func (r *run) unseen(t *Touch) bool { return t.Client != r.a.Client && t.Index > r.a.Base }

func (r *run) overwroteByRemove(o *object, e *OpEffect) {
	for i := range o.fields {
		if w := o.fields[i].write; r.unseen(w) {
			e.Overwrote = append(e.Overwrote, Overwrote{r.s.names[o.fields[i].key], *w, o.fields[i].value})
		}
	}
	t := o.touch
	if t.Client == r.a.Client {
		t = o.other
	}
	if t != nil && r.unseen(t) {
		e.Overwrote = append(e.Overwrote, Overwrote{Write: *t})
	}
}

// Holds reads one guard against the state.
func (s *State) Holds(g *action.Guard, a *action.Action) bool {
	o := s.object(g.Object)
	switch g.Kind {
	case action.GuardObject:
		return (o != nil) == g.Exists
	case action.GuardKey:
		_, ok := s.value(o, g.Key)
		return ok == g.Exists
	case action.GuardEquals:
		v, ok := s.value(o, g.Key)
		return ok && v == g.Value
	default:
		if o == nil {
			return false
		}
		t := o.touch
		if t.Client == a.Client {
			t = o.other
		}
		return t == nil || t.Index <= a.Base
	}
}

// StandsForOld tells whether a pending action would be discarded only because its client has another id now: the old id holds the lock
// of an object that it names, or has touched one that it wants unchanged.
func (s *State) StandsForOld(a *action.Action, client action.UUID) bool {
	for i := range a.Ops {
		if o := s.object(a.Ops[i].Object); o != nil && o.locked && o.lock == a.Client {
			return true
		}
	}
	other := *a
	other.Client = client
	for i := range a.Guards {
		if g := &a.Guards[i]; g.Kind == action.GuardUnchanged && s.Holds(g, a) && !s.Holds(g, &other) {
			return true
		}
	}
	return false
}
