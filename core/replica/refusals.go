package replica

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
)

// refusals are the refused actions that are not dealt with, oldest first, found by their id.
type refusals struct {
	list []Rejected // one that was taken off has no id
	at   map[action.UUID]int
}

func (f *refusals) add(j Rejected) {
	if f.at == nil {
		f.at = map[action.UUID]int{}
	}
	f.at[j.ID] = len(f.list)
	f.list = append(f.list, j)
}

func (f *refusals) len() int { return len(f.at) }

func (f *refusals) get(id action.UUID) *Rejected {
	if i, ok := f.at[id]; ok {
		return &f.list[i]
	}
	return nil
}

func (f *refusals) remove(id action.UUID) {
	if i, ok := f.at[id]; ok {
		f.list[i] = Rejected{}
		delete(f.at, id)
	}
}

// all are what is left, to be looked at before anything changes.
func (f *refusals) all() []Rejected {
	if len(f.list) > len(f.at) {
		f.list = slices.DeleteFunc(f.list, func(j Rejected) bool { return j.ID == action.Nil })
		for i := range f.list {
			f.at[f.list[i].ID] = i
		}
	}
	return f.list
}
