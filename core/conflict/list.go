package conflict

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
)

// Default is how many reports a stream keeps.
const Default = 1000

// Most is what a context keeps that does not know what the app wants.
const Most = 1_000_000

// mostBytes is how much room the reports may take, however many are asked for.
const mostBytes = 1 << 20

// List is the reports of a stream, oldest first.
type List struct {
	Keep  int // how many; 0 for Default
	list  []Conflict
	bytes int
}

func (l *List) limit() int {
	if l.Keep == 0 {
		return Default
	}
	return l.Keep
}

// Report keeps one more, and gives it as it is kept; the oldest ones go a tenth at a time.
func (l *List) Report(c Conflict) Conflict {
	c.own()
	limit := l.limit()
	l.list = append(l.list, c)
	l.bytes += c.bytes()
	cut := 0
	if len(l.list) > limit+max(limit/10, 1) {
		cut = len(l.list) - limit
	}
	bytes := l.bytes
	for i := range l.list[:len(l.list)-1] {
		if i >= cut && bytes <= mostBytes {
			break
		}
		bytes -= l.list[i].bytes()
		cut = max(cut, i+1)
	}
	if cut > 0 {
		l.list, l.bytes = append(l.list[:0:0], l.list[cut:]...), bytes
	}
	return c
}

// Newest lists them, newest first.
func (l *List) Newest() []Conflict {
	out := make([]Conflict, min(len(l.list), l.limit()))
	for i := range out {
		out[i] = l.list[len(l.list)-1-i]
	}
	return out
}

// After are those that entries behind an index have decided.
func (l *List) After(index uint64) (out []Conflict) {
	for i := range l.list {
		if l.list[i].Index > index {
			out = append(out, l.list[i])
		}
	}
	return out
}

// Clone is a list of its own.
func (l *List) Clone() List { return List{Keep: l.Keep, list: slices.Clone(l.list), bytes: l.bytes} }

// Values shows the values that they tell of.
func (l *List) Values(to func(json string)) {
	for i := range l.list {
		to(l.list[i].Mine)
		to(l.list[i].Theirs)
		to(l.list[i].Base)
	}
}

// Write writes them.
func (l *List) Write(e *action.Encoder) {
	e.Uint(uint64(len(l.list)))
	for i := range l.list {
		c := &l.list[i]
		e.String(string(c.Kind))
		e.String(string(c.Reason))
		e.UUID(c.Object)
		for _, s := range [...]string{c.Key, c.Mine, c.Theirs, c.Base} {
			e.String(s)
		}
		e.UUID(c.Action)
		e.Bool(c.Other != nil)
		if c.Other != nil {
			e.Uint(c.Other.Index)
			e.UUID(c.Other.Client)
			e.UUID(c.Other.Action)
		}
		e.Uint(c.Index)
		e.Uint(uint64(c.At))
		e.Uint(uint64(c.Part))
	}
}

// Read reads what Write has written.
func (l *List) Read(d *action.Decoder) {
	l.list, l.bytes = make([]Conflict, d.Count(40)), 0
	for i := range l.list {
		c := &l.list[i]
		c.Kind, c.Reason, c.Object = Kind(d.String()), state.Reason(d.String()), d.UUID()
		c.Key, c.Mine, c.Theirs, c.Base, c.Action = d.String(), d.String(), d.String(), d.String(), d.UUID()
		if d.Bool() {
			c.Other = &state.Touch{Index: d.Uint(), Client: d.UUID(), Action: d.UUID()}
		}
		c.Index, c.At, c.Part = d.Uint(), int64(d.Uint()), state.ReadPart(d)
		l.bytes += c.bytes()
	}
}
