// Package refusal is what the server has refused, and its author has yet to deal with.
package refusal

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
)

// Rejected is a refused action that its author has yet to deal with.
type Rejected struct {
	action.Rejection
	At     int64 // when it was heard of, Unix milliseconds; 0 for not known
	Action action.Action
	Ticket uint64
}

// Of is an action as refused, for a reason of its own.
func Of(l *queue.Local, code, message string, at int64) Rejected {
	return Rejected{Rejection: action.Rejection{ID: l.ID, Code: code, Message: message}, At: at, Action: l.Action, Ticket: l.Ticket}
}

// List is those that are not dealt with, oldest first, found by their id.
type List struct {
	list []Rejected // one that was taken off has no id
	at   map[action.UUID]int
}

// Add puts one at the end.
func (f *List) Add(j Rejected) {
	if f.at == nil {
		f.at = map[action.UUID]int{}
	}
	f.at[j.ID] = len(f.list)
	f.list = append(f.list, j)
}

// Len is how many there are.
func (f *List) Len() int { return len(f.at) }

// Get is the one of an action; nil for none.
func (f *List) Get(id action.UUID) *Rejected {
	if i, ok := f.at[id]; ok {
		return &f.list[i]
	}
	return nil
}

// Remove takes one off.
func (f *List) Remove(id action.UUID) {
	if i, ok := f.at[id]; ok {
		f.list[i] = Rejected{}
		delete(f.at, id)
	}
}

// All are what is left, to be looked at before anything changes; who reads a list sets in it what stands elsewhere.
func (f *List) All() []Rejected {
	if len(f.list) > len(f.at) {
		f.list = slices.DeleteFunc(f.list, func(j Rejected) bool { return j.ID == action.Nil })
		for i := range f.list {
			f.at[f.list[i].ID] = i
		}
	}
	return f.list
}

// Write writes them.
func (f *List) Write(e *action.Encoder) {
	e.Uint(uint64(f.Len()))
	for _, j := range f.All() {
		e.Rejection(&j.Rejection)
		e.Uint(uint64(j.At))
		e.String(j.Action.Raw)
	}
}

// Read adds what Write has written.
func (f *List) Read(d *action.Decoder, sl *action.Slab) error {
	for range d.Count(36) {
		j := Rejected{Rejection: d.Rejection(), At: int64(d.Uint())}
		if err := d.Action(&j.Action, sl); err != nil {
			return err
		}
		f.Add(j)
	}
	return nil
}

// Append appends it as JSON.
func (j *Rejected) Append(b []byte) []byte {
	b = action.PutJSON(append(b, '{'), "action", j.Action.Raw)
	b = action.PutText(b, "code", j.Code)
	b = action.PutText(b, "message", j.Message)
	b = action.PutID(b, "because", j.Because)
	return append(action.PutInt(b, "at", j.At), '}')
}

// ErrNone says that there is none of that id.
func ErrNone() error {
	return action.Fail(action.CodeNotFound, "", "no refused action has this id, or it has been dealt with")
}
