package queue

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
)

// Refusal says which part of an atomic action does not stand here and now, so that all of it was discarded.
func Refusal(s *state.State, a *action.Action) error {
	for i := range a.Guards {
		if !s.Holds(&a.Guards[i], a) {
			return action.Fail(action.CodeConflict, "/if/"+action.Itoa(i), "the guard does not hold")
		}
	}
	loose := *a
	loose.Atomic = false
	var u state.Undo
	var e state.Effect
	s.ApplyPending(&loose, &u, &e)
	s.Unapply(&u)
	for i := range e.Ops {
		at := "/" + action.Itoa(i)
		for _, k := range e.Ops[i].Keys {
			return RefusedKey(at+"/"+action.EscapePointer(k.Key), k.Reason)
		}
		switch e.Ops[i].Reason {
		case state.ReasonExists:
			return errExists(at)
		case state.ReasonMissing:
			return errMissing(at)
		case state.ReasonLocked:
			return errLocked(s, at, a.Ops[i].Object)
		case state.ReasonSize:
			return action.Fail(action.CodeTooLarge, at, "an object has at most 1 MiB of fields")
		}
	}
	return action.Fail(action.CodeConflict, "", "it would be discarded")
}

func errExists(at string) error {
	return action.Fail(action.CodeExists, at+"/id", "an object with this id exists")
}

func errMissing(at string) error {
	return action.Fail(action.CodeNotFound, at+"/id", "no object has this id")
}

func errLocked(s *state.State, at string, object action.UUID) error {
	e := action.Fail(action.CodeLocked, at+"/id", "another client holds this object's lock")
	e.Holder, _ = s.Lock(object)
	return e
}

// Check refuses what can be seen to be wrong: it is told at the call, and nothing changes.
func Check(s *state.State, a *action.Action) error {
	if len(a.Ops) > 1 {
		return nil // ops build on one another
	}
	op := &a.Ops[0]
	o := s.Object(op.Object)
	switch {
	case op.Kind == action.Create && o.Exists():
		return errExists("")
	case op.Kind != action.Create && !o.Exists():
		return errMissing("")
	case op.Kind != action.Create && o.HeldFrom(a.Client):
		return errLocked(s, "", op.Object)
	case op.Kind == action.Update:
		for i := range op.Changes {
			old, _ := o.Value(op.Changes[i].Key)
			if _, reason := state.Merge(&op.Changes[i], old); reason != state.ReasonNone {
				return RefusedKey("/"+action.EscapePointer(op.Changes[i].Key), reason)
			}
		}
	}
	return nil
}

// What becomes of what is to be taken over.
var (
	ErrKnown = action.Fail(action.CodeExists, "", "the log has this, or another context of this profile has taken it over")
	ErrLeft  = action.Fail(action.CodeUnknown, "", "the log may have this, or it stands by what its maker has locked or seen")
)
