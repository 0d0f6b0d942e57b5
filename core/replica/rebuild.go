package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/aside"
	"github.com/strandline-sync/strandline/core/clients"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/queue"
)

// A rebuild: another log of the server's has taken the place of the one that this replica follows. What the log before had of this client
// and the new one lacks returns, and is pending again, as far as something of it stood; what nobody can tell, or what would not stand any
// more, waits on the rejected list. docs/REBUILD.md has the rules.

// rebuilding is an install where the log aside is another one.
type rebuilding struct {
	*installing
	returning []*queue.Local
	Rebuilding
	same   bool // it is no other log: only the local one was damaged
	unsure bool // rows tell less: it had other client ids, or another log, before
	reset  own.Reset
	old    bool // rows may be missing for their age
}

// Rebuilding says why a stream is rebuilt.
type Rebuilding struct {
	Reason  string // of own.Reset
	Repairs bool   // the local log is damaged
	Alone   bool   // and there is no server: what could be read goes on
}

func (b *Rebuilding) deleted() bool { return b.Reason == own.ResetDeleted }

// PlanRebuild is the replica that follows this one when another log takes the place of its own. kept are the own actions that are kept
// (own.Store.All). Nothing of its queue is applied yet.
func (r *Replica) PlanRebuild(a *aside.Log, why Rebuilding, kept []own.Kept, fresh action.UUID, now int64) (*Replica, error) {
	same := why.Repairs && !why.deleted() && (why.Alone || a.State.Epoch == r.state.Epoch && !r.Regressed(a))
	if same {
		a.Common = a.State.Head
	}
	re := &rebuilding{installing: r.install(a, min(a.Common, r.state.Head), fresh, now, why.Repairs), Rebuilding: why, same: same,
		unsure: len(r.former) > 0 || len(r.resets) > 0, old: a.From >= clients.Horizon}
	re.reset = own.Reset{At: now, Reason: why.Reason, Common: a.Common, Unreadable: r.damage.places}
	re.own = r.own.Keep(func(o *own.Entry) bool { return re.stays(o.Index) && !(re.seen[o.ID] && o.Reason == own.ReasonUntold) })
	re.kept = r.kept.Anew()
	re.marks = r.marks.Until(a.Common)
	for _, m := range a.Marks.All() {
		re.marks.Put(m.Index, m.Chain)
	}
	re.marks.Put(a.State.Head, a.State.Chain)
	all, err := re.decode(kept)
	if err != nil {
		return nil, err
	}
	firsts := map[action.UUID]uint64{}
	for i := range all {
		firsts[all[i].ID] = all[i].first
	}
	re.placeKept(all)
	re.lose(firsts)
	re.found(firsts)
	for _, l := range r.q.Pending {
		w := a.Tells(re.seen, &l.Action, l.First, !re.clone, re.old)
		switch {
		case why.Alone:
			w = aside.No
		case w == aside.No && r.damage.turns && a.From > r.known(): // it may have been sent under an id that cannot be read
			w = aside.Unknown
		}
		if why.deleted() && w != aside.Yes {
			re.refuseOne(l, action.CodeDeleted, deletedMessage)
			continue
		}
		if re.place(l, w); w == aside.Unknown && why.Repairs {
			re.reset.Unknown = append(re.reset.Unknown, l.ID)
		}
	}
	row, _ := a.State.Client(r.log.Client)
	re.lastPersisted = row.Seq
	re.reset.Refused = append(re.reset.Refused, re.finish(re.returning, a.Common)...)
	for _, l := range re.q.Pending {
		if _, had := firsts[l.ID]; had {
			re.reset.Returned = append(re.reset.Returned, l.ID)
		}
	}
	re.resets = r.resets.With(re.reset)
	return re.Replica, nil
}

// stays tells whether an own action at an index of the log before, 0 where that is not known, is in the new one, since both are one there.
func (re *rebuilding) stays(index uint64) bool {
	return re.same || index > 0 && index <= re.other.Common
}

// known is how far this replica is known to have followed the log.
func (r *Replica) known() uint64 {
	n := r.state.Head
	for _, m := range r.marks.All() {
		n = max(n, m.Index)
	}
	return n
}

// keptAction is an own action that is kept, read.
type keptAction struct {
	action.Action
	own.Kept
	first uint64
}

// decode reads what is kept, each once: as it was kept last. What waits, or was refused, is not among them.
func (re *rebuilding) decode(kept []own.Kept) (all []keptAction, err error) {
	last := map[action.UUID]int{}
	for i := range kept {
		k := keptAction{Kept: kept[i], first: kept[i].First}
		if err := action.DecodeInto(&k.Action, kept[i].Raw, nil); err != nil {
			return nil, err
		}
		if k.first == 0 {
			k.first = k.Seq
		}
		last[k.ID] = len(all)
		all = append(all, k)
	}
	n := 0
	for i := range all {
		if k := &all[i]; last[k.ID] == i && re.was.q.Get(k.ID) == nil && !re.was.IsRejected(k.ID) {
			all[n] = *k
			n++
		}
	}
	return all[:n], nil
}

// placeKept puts each own action of the log before where it belongs.
func (re *rebuilding) placeKept(all []keptAction) {
	var lacking []*keptAction
	for i := range all {
		k := &all[i]
		if re.stays(k.Index) {
			re.kept.Add(k.Kept)
			continue
		}
		w := re.other.Tells(re.seen, &k.Action, k.first, !re.clone, re.old)
		switch {
		case re.seen[k.ID] || re.other.Row(k.Client).Action == k.ID:
		case k.Index > 0 && re.other.From <= re.other.Common: // what the checkpoint stands for is what this log was, too
			w = aside.No
		case re.unsure && re.other.From > 0:
			w = aside.Unknown
		}
		switch {
		case w == aside.Yes && !re.seen[k.ID]:
			re.rememberUntold(&k.Action, k.First)
		case w == aside.Yes:
		case w == aside.Unknown:
			re.reset.Unknown = append(re.reset.Unknown, k.ID)
			re.refuseOne(&queue.Local{Action: k.Action}, action.CodeUnknown, unknownMessage)
		default:
			lacking = append(lacking, k)
		}
	}
	stood := map[action.UUID]bool{}
	re.was.rebaseAll(func() {
		for _, k := range lacking {
			stood[k.ID] = re.was.stands(&k.Action)
		}
	})
	for _, k := range lacking {
		l := &queue.Local{Action: k.Action, First: k.First}
		switch {
		case !stood[k.ID]:
			re.reset.Dropped = append(re.reset.Dropped, k.ID)
		case re.deleted():
			re.reset.Refused = append(re.reset.Refused, k.ID)
			re.refuseOne(l, action.CodeDeleted, deletedMessage)
		default:
			re.returning = append(re.returning, l)
		}
	}
}

const deletedMessage = "the log was deleted on purpose"

// stands tells whether something of an own action that the log has stands in the confirmed state. Nothing pending is applied.
func (r *Replica) stands(a *action.Action) bool {
	if o := r.own.Find(a.ID); o != nil && o.Discarded {
		return false
	}
	for i := range a.Ops {
		op := &a.Ops[i]
		o := r.state.Object(op.Object)
		switch {
		case op.Kind == action.Remove:
			if !o.Exists() {
				return true
			}
		case !o.Exists():
		case op.Kind != action.Update:
			return true
		default:
			for j := range op.Changes {
				ch := &op.Changes[j]
				if w := o.Write(ch.Key); ch.Part > action.PartUnset || w != nil && r.wrote(w) {
					return true
				}
			}
		}
	}
	return false
}

// lose takes note of own actions of the log before that are not kept: whether the new one has them can be told of some.
func (re *rebuilding) lose(kept map[action.UUID]uint64) {
	all := re.was.own.All()
	for i := range all {
		o := &all[i]
		_, known := kept[o.ID]
		if known || re.seen[o.ID] || re.stays(o.Index) || re.was.IsRejected(o.ID) {
			continue
		}
		a := action.Action{ID: o.ID, Client: re.was.log.Client, Seq: o.Seq}
		if o.Seq > 0 && re.other.From > 0 && re.tellsOf(&a) {
			untold := *o
			untold.Reason, untold.Index, untold.Inverse = own.ReasonUntold, 0, nil
			re.own.Remember(untold)
			continue
		}
		re.reset.Lost = append(re.reset.Lost, o.ID)
	}
}

// tellsOf tells whether the new log is known to have an action of which there is nothing but its id and seq.
func (re *rebuilding) tellsOf(a *action.Action) bool {
	if re.unsure {
		return re.other.Row(a.Client).Action == a.ID
	}
	return re.other.Tells(re.seen, a, 0, !re.clone, re.old) == aside.Yes
}

// found takes note of what the entries aside have of this client.
func (re *rebuilding) found(firsts map[action.UUID]uint64) {
	entries, raws := re.other.Own()
	for i, o := range entries {
		k := raws[i]
		if re.stays(o.Index) && re.own.Find(o.ID) != nil {
			continue
		}
		re.own.Remember(o)
		k.First = firsts[o.ID]
		re.kept.Add(k)
	}
}
