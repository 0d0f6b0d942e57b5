package own

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/core/undo"
)

// Entry is an action of this client that the log has.
type Entry struct {
	ID        action.UUID
	Seq       uint64 // 0 for one that was made under a former client id
	Index     uint64 // 0 where that is not known
	Discarded bool
	Reason    state.Reason
	Undoes    action.UUID
	Group     action.UUID
	Inverse   []state.InverseOp // what takes it back; of the last maxInverses
}

// ReasonUntold stands for an own action of which a checkpoint told that the log has it, and not what came of it there.
const ReasonUntold state.Reason = "untold"

// Of is an own action as the log has it, at an index.
func Of(a *action.Action, index uint64) Entry {
	return Entry{ID: a.ID, Seq: a.Seq, Index: index, Undoes: undo.Target(a.Meta), Group: undo.Group(a.Meta)}
}

// Under is an own action as the log has it, of a client: where another one has sent it, its seq is that one's.
func Under(client action.UUID, a *action.Action, index uint64) Entry {
	o := Of(a, index)
	if a.Client != client {
		o.Seq = 0
	}
	return o
}

// Err is why the action does not stand in the log, nil where it does.
func (o *Entry) Err() error {
	if !o.Discarded {
		return nil
	}
	return action.Fail(action.CodeConflict, "", "the action was discarded where it reached the log: "+string(o.Reason))
}

// Of how many own persisted actions the inverse is kept, and of how many bytes in all: a checkpoint writes them each time.
const (
	maxInverses     = 1000
	maxInverseBytes = 128 << 10
)

// Most is how many of its own persisted actions a client remembers.
const Most = 10_000

// List is them, oldest first.
type List struct {
	entries []Entry
	at      map[action.UUID]int // where one stands; nil: to be made anew
	bare    int                 // of the entries before, no inverse is kept
	bytes   int                 // that inverses take
}

// All lists them, oldest first. Only the list changes them.
func (l *List) All() []Entry { return l.entries }

// Forgot tells whether there may have been others.
func (l *List) Forgot() bool { return len(l.entries) >= Most }

// Remember keeps one more; the oldest ones are forgotten a tenth at a time.
func (l *List) Remember(o Entry) {
	if len(l.entries) >= Most+Most/10 {
		cut := len(l.entries) - Most
		l.entries, l.bare = append(l.entries[:0:0], l.entries[cut:]...), max(0, l.bare-cut)
		l.at = nil
	}
	if l.at != nil {
		l.at[o.ID] = len(l.entries)
	}
	l.entries = append(l.entries, o)
	l.bytes += o.bytes()
	for l.bare < len(l.entries)-1 && (len(l.entries)-l.bare > maxInverses || l.bytes > maxInverseBytes) {
		oldest := &l.entries[l.bare]
		l.bytes -= oldest.bytes()
		oldest.Inverse = nil
		l.bare++
	}
}

// Find looks for one, nil for none.
func (l *List) Find(id action.UUID) *Entry {
	if l.at == nil {
		l.at = make(map[action.UUID]int, len(l.entries))
		for i := range l.entries {
			l.at[l.entries[i].ID] = i
		}
	}
	if i, ok := l.at[id]; ok {
		return &l.entries[i]
	}
	return nil
}

// Clone is a list of its own.
func (l *List) Clone() List {
	c := List{entries: slices.Clone(l.entries)}
	c.weigh()
	return c
}

// Keep is a list of those of which keep is true.
func (l *List) Keep(keep func(*Entry) bool) List {
	var c List
	for i := range l.entries {
		if keep(&l.entries[i]) {
			c.entries = append(c.entries, l.entries[i])
		}
	}
	c.weigh()
	return c
}

// Renamed takes note that the client has another id.
func (l *List) Renamed() {
	for i := range l.entries {
		l.entries[i].Seq = 0
	}
}

// Removed takes note that an object was removed: what is there under its id later is another one.
func (l *List) Removed(object action.UUID) {
	for n := l.bare; n < len(l.entries); n++ {
		for k := range l.entries[n].Inverse {
			if op := &l.entries[n].Inverse[k]; op.Object == object {
				op.Gone = true
			}
		}
	}
}

// weigh counts what Remember goes on from.
func (l *List) weigh() {
	l.bare, l.bytes = max(0, len(l.entries)-maxInverses), 0
	for i := range l.entries {
		l.bytes += l.entries[i].bytes()
	}
}

// bytes is about what an inverse takes.
func (o *Entry) bytes() (n int) {
	for i := range o.Inverse {
		n += 40 + len(o.Inverse[i].Type)
		for _, ch := range o.Inverse[i].Changes {
			n += 36 + len(ch.Key) + len(ch.Value)
		}
		for _, old := range o.Inverse[i].Old {
			n += 16 + len(old)
		}
	}
	return n
}

// Values shows the values that inverses hold.
func (l *List) Values(to func(json string)) {
	for i := range l.entries {
		for _, op := range l.entries[i].Inverse {
			for j := range op.Changes {
				to(op.Changes[j].Value)
				to(op.Old[j])
			}
		}
	}
}

// Write writes what of them is not history.
func (l *List) Write(e *action.Encoder) {
	e.Uint(uint64(len(l.entries)))
	for i := range l.entries {
		o := &l.entries[i]
		e.UUID(o.ID)
		e.Uint(o.Seq)
		e.Uint(o.Index)
		e.Bool(o.Discarded)
		e.String(string(o.Reason))
	}
}

// Read reads what Write has written, into an empty list.
func (l *List) Read(d *action.Decoder) {
	l.entries = make([]Entry, d.Count(20))
	for i := range l.entries {
		l.entries[i] = Entry{ID: d.UUID(), Seq: d.Uint(), Index: d.Uint(), Discarded: d.Bool(), Reason: state.Reason(d.String())}
	}
}

// WriteInverses writes what they replaced.
func (l *List) WriteInverses(e *action.Encoder) {
	from := l.historyFrom()
	e.Uint(uint64(from))
	for i := range l.entries[from:] {
		o := &l.entries[from+i]
		e.UUID(o.Undoes)
		state.WriteInverse(e, o.Inverse)
	}
}

// historyFrom is where the first one is of which something more is kept.
func (l *List) historyFrom() (from int) {
	for from < len(l.entries) && len(l.entries[from].Inverse) == 0 && l.entries[from].Undoes == action.Nil {
		from++
	}
	return from
}

// ReadInverses reads what WriteInverses has written, and gives where it begins.
func (l *List) ReadInverses(d *action.Decoder) (from uint64) {
	from = d.Uint()
	for i := from; i < uint64(len(l.entries)) && !d.Broken(); i++ {
		l.entries[i].Undoes, l.entries[i].Inverse = d.UUID(), state.ReadInverse(d)
	}
	l.weigh()
	return from
}

// WriteMore writes what came later to their history.
func (l *List) WriteMore(e *action.Encoder) {
	from := l.historyFrom()
	for i := range l.entries[from:] {
		state.WriteMore(e, l.entries[from+i].Inverse)
	}
	groups := 0
	for i := range l.entries[from:] {
		if l.entries[from+i].Group != action.Nil {
			groups++
		}
	}
	e.Uint(uint64(groups))
	for i := range l.entries[from:] {
		if group := l.entries[from+i].Group; group != action.Nil {
			e.Uint(uint64(i))
			e.UUID(group)
		}
	}
}

// ReadMore reads what WriteMore has written behind what ReadInverses has read from there on. The first format has its groups last, and
// does not say how many.
func (l *List) ReadMore(d *action.Decoder, from uint64, first bool) {
	for i := from; i < uint64(len(l.entries)) && !d.Broken(); i++ {
		state.ReadMore(d, l.entries[i].Inverse)
	}
	groups := -1
	if !first {
		groups = d.Count(17)
	}
	for ; groups != 0 && (groups > 0 || d.More()) && !d.Broken(); groups-- {
		if i, group := from+d.Uint(), d.UUID(); i < uint64(len(l.entries)) {
			l.entries[i].Group = group
		}
	}
}
