package conflict

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
)

// Restored is the ops that write the value that has lost again; empty where that stands already.
func (c *Conflict) Restored(s *state.State) (ops string, err error) {
	value, part := c.Mine, c.Part
	switch c.Kind {
	case Gap:
		return "", action.Fail(action.CodeInvalid, "", "a gap has nothing to restore")
	case Overwrote:
		value, part = c.Theirs, action.PartSet
	case Overwritten:
		part = action.PartSet
	}
	if !s.Exists(c.Object) {
		return "", action.Fail(action.CodeNotFound, "", "the object does not exist")
	}
	if c.Key == "" {
		return "", action.Fail(action.CodeInvalid, "", "this is about the whole object, which is there")
	}
	ch := action.Change{Part: part, Key: c.Key, Value: value}
	if value == "" {
		ch.Part = action.PartUnset
	}
	if now, _ := s.Object(c.Object).Value(c.Key); ch.Part <= action.PartUnset && now == value {
		return "", nil
	}
	op := action.Op{Kind: action.Update, Object: c.Object, Changes: []action.Change{ch}}
	return action.View(append(action.AppendOp([]byte{'['}, &op), ']')), nil
}
