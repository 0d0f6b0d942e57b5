package replica

import (
	"strings"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/state"
)

// Conflict is a write of this client that lost, or that replaced one which its author had not seen; told once it is
// confirmed. Values are canonical JSON, empty where there is none. Other is nil where nobody is known.
type Conflict struct {
	Kind   ConflictKind
	Reason state.Reason // of a discarded one
	Object action.UUID
	Key    string       // empty for the whole object
	Mine   string       // what this client wrote
	Theirs string       // what somebody else wrote
	Base   string       // what both started from, as far as it is known
	Action action.UUID  // this client's
	Other  *state.Touch // the other write
	Index  uint64       // of the entry that decided it
	At     int64        // its time, Unix milliseconds

	part action.Part // how Mine was written
}

// ConflictKind is what became of this client's write.
type ConflictKind string

// The kinds.
const (
	ConflictOverwritten ConflictKind = "overwritten" // another client replaced it unseen
	ConflictOverwrote   ConflictKind = "overwrote"   // it replaced another client's, unseen
	ConflictDiscarded   ConflictKind = "discarded"   // it came into the log and does not stand
	ConflictGap         ConflictKind = "gap"         // a checkpoint stood for entries Base to Index: of these nothing is told
)

// DefaultConflicts is how many reports a stream keeps.
const DefaultConflicts = 1000

// MaxConflicts is what a context keeps that does not know what the app wants.
const MaxConflicts = 1_000_000

// maxConflictBytes is how much room the reports may take, however many are asked for.
const maxConflictBytes = 1 << 20

// bytes is about what a report takes.
func (c *Conflict) bytes() int { return 160 + len(c.Key) + len(c.Mine) + len(c.Theirs) + len(c.Base) }

// report keeps a conflict; the oldest ones go a tenth at a time. Its strings are its own: views would keep whole records alive.
func (r *Replica) report(c Conflict, land *Landing) {
	for _, s := range []*string{&c.Key, &c.Mine, &c.Theirs, &c.Base} {
		*s = strings.Clone(*s)
	}
	if c.Other != nil {
		other := *c.Other
		c.Other = &other
	}
	limit := r.keep
	if limit == 0 {
		limit = DefaultConflicts
	}
	r.conflicts = append(r.conflicts, c)
	r.conflictBytes += c.bytes()
	cut := 0
	if len(r.conflicts) > limit+max(limit/10, 1) {
		cut = len(r.conflicts) - limit
	}
	bytes := r.conflictBytes
	for i := range r.conflicts[:len(r.conflicts)-1] {
		if i >= cut && bytes <= maxConflictBytes {
			break
		}
		bytes -= r.conflicts[i].bytes()
		cut = max(cut, i+1)
	}
	if cut > 0 {
		r.conflicts, r.conflictBytes = append(r.conflicts[:0:0], r.conflicts[cut:]...), bytes
	}
	land.Conflicts = append(land.Conflicts, c)
}

// Conflicts lists the reports, newest first.
func (r *Replica) Conflicts() []Conflict {
	n := len(r.conflicts)
	if limit := r.keep; limit > 0 {
		n = min(n, limit)
	} else {
		n = min(n, DefaultConflicts)
	}
	out := make([]Conflict, n)
	for i := range out {
		out[i] = r.conflicts[len(r.conflicts)-1-i]
	}
	return out
}

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
			r.report(Conflict{Kind: ConflictOverwritten, Object: a.Ops[i].Object, Key: ow.Key, Mine: ow.Value, Theirs: theirs,
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
			r.report(Conflict{Kind: ConflictDiscarded, Reason: reason, Object: op.Object, Key: key, Mine: mine, Theirs: theirs, Base: base,
				Action: l.ID, Other: other, Index: r.state.Head, At: at, part: part}, land)
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
			r.report(Conflict{Kind: ConflictOverwrote, Object: op.Object, Key: ow.Key, Mine: mine, Theirs: ow.Value, Base: base,
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
