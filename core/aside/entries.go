package aside

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
)

// ErrChain says that an answer does not lead where it says.
var ErrChain = action.Fail(action.CodeBadAnswer, "/chain", "the entries do not lead to the chain of the answer")

// Entries reads those of an answer, which follow a place of the log, and gives the chain at the last one. One that this version does not
// know ends them: that is an upgrade.
func Entries(a *protocol.SyncAnswer, after uint64, chain action.Chain) (out []action.Entry, at action.Chain, upgrade bool, err error) {
	out = make([]action.Entry, 0, len(a.Entries))
	var sl action.Slab
	for i := range a.Entries {
		w := &a.Entries[i]
		if w.Index != after+1+uint64(i) {
			return nil, 0, false, action.Fail(action.CodeBadAnswer, "/entries", "the entries do not follow the local head without a hole")
		}
		var parsed action.Action
		if err := action.DecodeInto(&parsed, w.Action, &sl); err != nil && action.CodeOf(err) == action.CodeUpgrade {
			return out, chain, true, nil
		} else if err != nil {
			return nil, 0, false, &action.Error{Code: action.CodeBadAnswer, Path: "/entries", Cause: err,
				Message: "an entry is no valid action"}
		}
		out = append(out, action.Entry{Stored: action.ParseStamp(w.Stored), By: w.By, Action: parsed})
		chain = chain.Next(parsed.Raw)
	}
	if a.HasChain && len(out) > 0 && chain != a.Chain {
		return nil, 0, false, ErrChain
	}
	return out, chain, false, nil
}
