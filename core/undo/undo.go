// Package undo makes what takes back what a client has done. Undo and redo are ordinary new actions, made of what the application of
// another one has replaced. Each names its target in meta; a redo is the undo of an undo. So an own action, the one that undoes it, the one
// that undoes that, … are a chain: it is in effect where the last of them is an even one.
package undo

import (
	"iter"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/state"
)

// Part is an own action that stands, as undo looks at it.
type Part struct {
	ID, Undoes, Group action.UUID
	Local             *queue.Local      // where the log does not have it yet
	Inverse           []state.InverseOp // where it has: what takes it back
	Untold            bool              // what it replaced is not known: a checkpoint told of it
}

// History is what a client has done, and what it is looked at upon.
type History struct {
	State        *state.State // as it is shown
	Queue        *queue.Queue
	Client       action.UUID
	ConflictFree bool
	// Parts are the own actions that stand, the newest first; Find is that of an id, also one that was discarded.
	Parts iter.Seq[Part]
	Find  func(id action.UUID) (p Part, found bool)
	// Wrote tells whether this client has made a write, under whatever id.
	Wrote func(t *state.Touch) bool

	steps map[action.UUID]*step // of several parts, that were met
}

// Skipped is a place that an undo did not put back: somebody has written since.
type Skipped struct {
	Object action.UUID
	Key    string // empty for the whole object
}

// step is what one undo takes back: an action, or those of a group that follow one another. It goes by the id of the last one.
type step struct {
	Part
	parts []Part               // the newest first
	ids   map[action.UUID]bool // of several parts
}

// has tells whether an action is part of it.
func (s *step) has(id action.UUID) bool { return s.ID == id || s.ids[id] }

// all gives the steps, the newest first.
func (h *History) all() iter.Seq[*step] {
	return func(yield func(*step) bool) {
		var s *step
		for p := range h.Parts {
			if s != nil && p.Group != action.Nil && p.Group == s.Group {
				s.parts = append(s.parts, p)
				continue
			}
			if s != nil && !yield(h.whole(s)) {
				return
			}
			s = &step{Part: p, parts: []Part{p}}
		}
		if s != nil {
			yield(h.whole(s))
		}
	}
}

func (h *History) whole(s *step) *step {
	if len(s.parts) > 1 {
		s.ids = make(map[action.UUID]bool, len(s.parts))
		for i := range s.parts {
			s.ids[s.parts[i].ID] = true
		}
		h.steps[s.ID] = s
	}
	return s
}

// links is how many undos stand between an action and what it is about in the end.
func (h *History) links(p *Part) (n int) {
	for at := p.Undoes; at != action.Nil; n++ {
		target, _ := h.Find(at)
		at = target.Undoes
	}
	return n
}

// Step is the ops that take back the last step that is in effect, or, for a redo, the last undo as long as nothing was written after it;
// the id that it goes by; and what cannot be put back. A step with nothing left to take back is passed over. Where there is nothing to do,
// it is a nothing-to-undo *Error.
func (h *History) Step(redo bool) (ops string, target action.UUID, skipped []Skipped, err error) {
	h.steps = map[action.UUID]*step{}
	undone := map[action.UUID]bool{}
	for s := range h.all() {
		if redo && s.Undoes == action.Nil {
			break // what was undone before this was written is given up
		}
		if s.Undoes != action.Nil {
			undone[s.Undoes] = true
		}
		if undone[s.ID] || (h.links(&s.Part)%2 == 0) == redo {
			continue
		}
		if ops, skipped, err = h.takeBack(s); err != nil || ops != "" {
			return ops, s.ID, skipped, err // and not the step before it: that would be another one than people mean
		}
	}
	if redo {
		return "", action.Nil, nil, errNothingToRedo
	}
	return "", action.Nil, nil, ErrNothing
}

// ErrNothing says that there is nothing to undo.
var ErrNothing = action.Fail(action.CodeNothingToUndo, "", "there is nothing to undo")

var (
	errNothingToRedo = action.Fail(action.CodeNothingToUndo, "", "there is nothing to redo")
	errTooLarge      = action.Fail(action.CodeTooLarge, "", "what takes the last action back is more than one action can hold")
	errUntold        = action.Fail(action.CodeUnknown, "", "what the last action replaced is not known: a checkpoint stood for it")
)

// overhead is room for what an action has beside its ops.
const overhead = 16 << 10
