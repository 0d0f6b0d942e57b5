package replica

import (
	"strings"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/conflict"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/state"
)

// report keeps a conflict.
func (r *Replica) report(c conflict.Conflict, land *Landing) {
	land.Conflicts = append(land.Conflicts, r.conflicts.Report(c))
}

// Conflicts lists the reports, newest first.
func (r *Replica) Conflicts() []conflict.Conflict { return r.conflicts.Newest() }

// reportForeign tells which of this client's writes another client's entry has replaced unseen. e is what came of the entry.
func (r *Replica) reportForeign(a *action.Action, e *state.Effect, at int64, land *Landing) {
	for i := range e.Ops {
		for _, ow := range e.Ops[i].Overwrote {
			if !r.wrote(&ow.Write) || ow.Key == "" && r.told(land, a.Ops[i].Object, ow.Write.Action) {
				continue
			}
			theirs := ""
			if ow.Key != "" {
				theirs, _ = r.state.Object(a.Ops[i].Object).Value(ow.Key)
			}
			r.report(conflict.Conflict{Kind: conflict.Overwritten, Object: a.Ops[i].Object, Key: ow.Key, Mine: ow.Value, Theirs: theirs,
				Base: r.before(ow.Write.Action, a.Ops[i].Object, ow.Key), Action: ow.Write.Action,
				Other: &state.Touch{Index: r.state.Head, Client: a.Client, Action: a.ID}, Index: r.state.Head, At: at}, land)
		}
	}
}

// told tells whether the entry under way has led to a report of a key of this object and action: then the object needs none of its own.
func (r *Replica) told(land *Landing, object, action action.UUID) bool {
	for i := len(land.Conflicts) - 1; i >= 0 && land.Conflicts[i].Index == r.state.Head; i-- {
		if c := &land.Conflicts[i]; c.Object == object && c.Action == action {
			return true
		}
	}
	return false
}

// before is the value that an own persisted action replaced, as far as its inverse is kept.
func (r *Replica) before(by, object action.UUID, key string) string {
	o := r.own.Find(by)
	if o == nil {
		return ""
	}
	for i := range o.Inverse {
		for _, ch := range o.Inverse[i].Changes {
			if o.Inverse[i].Object == object && ch.Key == key && ch.Part == action.PartSet {
				return ch.Value
			}
		}
	}
	return ""
}

// noteBases keeps what pending actions were made upon, before an entry of another client replaces it.
func (r *Replica) noteBases(a *action.Action) {
	for i := range a.Ops {
		op := &a.Ops[i]
		if !r.q.Touches(op.Object) || op.Kind == action.Unlock {
			continue
		}
		o := r.state.Object(op.Object)
		if !o.Exists() {
			continue
		}
		for _, l := range r.q.Naming(op.Object) {
			if r.q.Get(l.ID) != l {
				break // what is not committed follows
			}
			for j := range l.Ops {
				mine := &l.Ops[j]
				if mine.Object != op.Object {
					continue
				}
				for k := range mine.Changes {
					key := mine.Changes[k].Key
					if _, known := l.Base(op.Object, key); !known && (op.Kind == action.Remove || op.Touches(key)) {
						value, _ := o.Value(key)
						l.Bases = append(l.Bases, queue.Seen{Object: op.Object, Key: key, Value: strings.Clone(value)})
					}
				}
			}
		}
	}
}

// reportOwn tells what an own action, which has just come into the log as l, replaced unseen, and what of it does not stand.
func (r *Replica) reportOwn(l *queue.Local, e *state.Effect, at int64, land *Landing) {
	if e.Reason == state.ReasonDuplicate {
		return // another copy of this client made it: nothing is known of a write that lost
	}
	whole := e.Reason != state.ReasonNone // a guard, or atomic: each op is lost for it
	for i := range l.Ops {
		op := &l.Ops[i]
		o := r.state.Object(op.Object)
		lost := func(key, mine string, part action.Part, reason state.Reason, other *state.Touch) {
			theirs, _ := o.Value(key)
			base, _ := l.Base(op.Object, key)
			r.report(conflict.Conflict{Kind: conflict.Discarded, Reason: reason, Object: op.Object, Key: key, Mine: mine, Theirs: theirs,
				Base: base, Action: l.ID, Other: other, Index: r.state.Head, At: at, Part: part}, land)
		}
		if whole || e.Ops[i].Discarded {
			reason := e.Reason
			if !whole {
				reason = e.Ops[i].Reason
			}
			other := o.Other(l.Client)
			if reason == state.ReasonExists && o.Exists() {
				other = o.Touch()
			}
			if op.Kind == action.Update && len(op.Changes) > 0 {
				for j := range op.Changes {
					lost(op.Changes[j].Key, op.Changes[j].Value, op.Changes[j].Part, reason, other)
				}
			} else {
				lost("", op.Fields(), action.PartSet, reason, other)
			}
			continue
		}
		for _, k := range e.Ops[i].Keys {
			for j := range op.Changes {
				if ch := &op.Changes[j]; ch.Key == k.Key {
					lost(k.Key, ch.Value, ch.Part, k.Reason, otherWrite(o, k.Key, l.Client))
				}
			}
		}
		for _, ow := range e.Ops[i].Overwrote {
			if ow.Key == "" && len(e.Ops[i].Overwrote) > 1 {
				continue // its keys tell it
			}
			mine, _ := o.Value(ow.Key)
			base, _ := l.Base(op.Object, ow.Key)
			r.report(conflict.Conflict{Kind: conflict.Overwrote, Object: op.Object, Key: ow.Key, Mine: mine, Theirs: ow.Value, Base: base,
				Action: l.ID, Other: &ow.Write,
				Index: r.state.Head, At: at}, land)
		}
	}
}

// otherWrite is the last write of a key where another client than the given one made it.
func otherWrite(o state.Object, key string, client action.UUID) *state.Touch {
	if w := o.Write(key); w != nil && w.Client != client {
		return w
	}
	return nil
}
