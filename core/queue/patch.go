package queue

import (
	"strings"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
)

// Patched is an op with the parts of a patch laid over it.
func Patched(op action.Op, patch string) (action.Op, error) {
	text := append([]byte(`{"object":"`), op.Object.String()...)
	text = append(text, `","op":"update"`...)
	if len(patch) > 2 {
		text = append(append(text, ','), patch[1:len(patch)-1]...)
	}
	canon, err := action.Canonical(action.View(append(text, '}')), action.MaxDepth-2)
	if err != nil {
		return op, err
	}
	over, err := action.DecodeOp(canon)
	if err != nil {
		e := *action.AsError(err, action.CodeMalformed)
		if _, rest, ok := strings.Cut(strings.TrimPrefix(e.Path, "/"), "/"); ok { // the place in the patch, not in its parts
			e.Path = "/" + rest
		}
		return op, &e
	}
	var changes []action.Change
	for _, ch := range op.Changes {
		if !over.Touches(ch.Key) {
			changes = append(changes, ch)
		}
	}
	for _, ch := range over.Changes {
		if op.Kind == action.Create { // which has values only
			old := ""
			for i := range op.Changes {
				if op.Changes[i].Key == ch.Key {
					old = op.Changes[i].Value
				}
			}
			value, reason := state.Merge(&ch, old)
			if reason != state.ReasonNone {
				return op, RefusedKey("/"+action.EscapePointer(ch.Key), reason)
			}
			if value == "" {
				continue
			}
			ch = action.Change{Part: action.PartSet, Key: ch.Key, Value: value}
		}
		changes = append(changes, ch)
	}
	op.Changes = changes
	return op, nil
}

// RefusedKey is the error of a key that an operation does not work on.
func RefusedKey(at string, reason state.Reason) error {
	if reason == state.ReasonSize {
		return action.Fail(action.CodeTooLarge, at, "an array has at most 10,000 elements")
	}
	return action.Fail(action.CodeInvalid, at, "the value there is not one that this operation works on")
}

// PatchedOps is the ops of an action with a patch laid over its one create or update.
func PatchedOps(ops []action.Op, patch string) ([]action.Op, error) {
	at := -1
	for i := range ops {
		if ops[i].Kind == action.Create || ops[i].Kind == action.Update {
			if at >= 0 {
				return nil, action.Fail(action.CodeInvalid, "", "a patch is for an action with one create or update")
			}
			at = i
		}
	}
	if at < 0 {
		return nil, action.Fail(action.CodeInvalid, "", "a patch is for an action with a create or update")
	}
	patched, err := Patched(ops[at], patch)
	if err != nil {
		return nil, err
	}
	out := append([]action.Op(nil), ops...)
	out[at] = patched
	return out, nil
}
