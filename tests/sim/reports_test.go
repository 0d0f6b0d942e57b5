package sim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/strandline-sync/strandline/core/conflict"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
)

// reported holds what a profile tells of conflicts and refusals to the log, and its tabs to one another.
func (h *history) reported(p *profile) {
	t := h.t
	var first *tab
	for _, tb := range p.tabs {
		if tb.Stream == nil {
			continue
		}
		got, gap := reports(tb, h.dealt)
		if !gap && len(tb.Conflicts()) < conflict.Default {
			if want := causes(h.engine.actions[stream], h.ids[p.local], h.dealt); !slices.Equal(got, want) {
				t.Errorf("client %s tells of conflicts\n%s\nand the log of\n%s", tb.Client(), strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
		if first == nil {
			first = tb
			continue
		}
		if a, b := fmt.Sprint(got), fmt.Sprint(h.reports(first)); a != b {
			t.Errorf("two tabs tell of different conflicts: %s / %s", a, b)
		}
		if a, b := fmt.Sprint(refusals(tb)), fmt.Sprint(refusals(first)); a != b {
			t.Errorf("two tabs list different refused actions: %s / %s", a, b)
		}
	}
}

func (h *history) reports(tb *tab) []string { list, _ := reports(tb, h.dealt); return list }

func refusals(tb *tab) (ids []action.UUID) {
	for _, j := range tb.RejectedList() {
		ids = append(ids, j.ID)
	}
	return ids
}

func reports(tb *tab, dealt map[action.UUID]bool) (list []string, gap bool) {
	for _, c := range tb.Conflicts() {
		gap = gap || c.Kind == conflict.Gap
		if !dealt[c.Action] {
			list = append(list, cause(c.Kind, c.Action, c.Object, c.Key, c.Index))
		}
	}
	slices.Sort(list)
	return slices.Compact(list), gap
}

func cause(kind conflict.Kind, by, object action.UUID, key string, index uint64) string {
	return fmt.Sprintf("%s %s by %d of %s %q", kind, by, index, object, key)
}

// causes folds a log from nothing and lists what must be told to a client, whatever ids it had: each of its writes that does not stand, or that replaced one it
// had not seen, or that was replaced by one which had not seen it.
func causes(log []*action.Action, me, dealt map[action.UUID]bool) []string {
	s := state.NewState()
	var out []string
	for i, a := range log {
		var e state.Effect
		s.ApplyEntry(a, nil, &e)
		index, keyed := uint64(i+1), map[[2]action.UUID]bool{} // the object itself is told of where no key of it is
		for j := range a.Ops {
			op := &a.Ops[j]
			told := func(kind conflict.Kind, by action.UUID, key string) {
				if !dealt[by] { // refused, dealt with, and taken all the same: it may look like another copy's
					out = append(out, cause(kind, by, op.Object, key, index))
				}
			}
			if e.Reason != "" || e.Ops[j].Discarded {
				if !me[a.Client] {
					continue
				}
				if op.Kind != action.Update || len(op.Changes) == 0 {
					told(conflict.Discarded, a.ID, "")
				} else {
					for _, ch := range op.Changes {
						told(conflict.Discarded, a.ID, ch.Key)
					}
				}
				continue
			}
			for _, ow := range e.Ops[j].Overwrote {
				switch {
				case me[a.Client] && (ow.Key != "" || len(e.Ops[j].Overwrote) == 1):
					told(conflict.Overwrote, a.ID, ow.Key)
				case !me[a.Client] && me[ow.Write.Client] && (ow.Key != "" || !keyed[[2]action.UUID{op.Object, ow.Write.Action}]):
					told(conflict.Overwritten, ow.Write.Action, ow.Key)
				}
				keyed[[2]action.UUID{op.Object, ow.Write.Action}] = true
			}
			if me[a.Client] {
				for _, k := range e.Ops[j].Keys {
					told(conflict.Discarded, a.ID, k.Key)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// listed tells whether a tab of the same profile, that is open at the end, has an action on its list.
func (h *history) listed(tb *tab, id action.UUID) bool {
	for _, p := range h.profiles {
		for _, other := range p.tabs {
			if p.local == tb.local && other.Stream != nil && other.IsRejected(id) {
				return true
			}
		}
	}
	return false
}

// refusedOf tells whether a tab of the same profile has an action on its rejected list.
func (h *history) refusedOf(tb *tab, id action.UUID) bool {
	for _, p := range h.profiles {
		if p.local == tb.local && p.tabs[0].Stream != nil {
			return p.tabs[0].persistedOf(id).of == id
		}
	}
	return false
}
