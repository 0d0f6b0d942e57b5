package journal

import (
	"errors"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
)

// What follows from an error is decided here, by its code; nowhere else in this room.

// outcome is what a store's error means.
type outcome uint8

const (
	kept       outcome = iota // it was done
	outrun                    // nothing was done: another context was first
	full                      // nothing was done: there is no room
	taken                     // the database was taken away, or destroyed
	unreadable                // what is there is damaged, or a newer version's
	unknown                   // whether it was done has to be learned by reading
)

func storeOutcome(err error) outcome {
	switch {
	case err == nil:
		return kept
	case errors.Is(err, locallog.ErrLost):
		return outrun
	}
	switch action.CodeOf(err) {
	case action.CodeQuota:
		return full
	case action.CodeClosed:
		return taken
	case action.CodeCorrupt, action.CodeUpgrade:
		return unreadable
	}
	return unknown
}

// lineBroke tells whether a request failed on its way: what has come of its answer is good.
func lineBroke(err error) bool {
	code := action.CodeOf(err)
	return err != nil && (code == action.CodeUnreachable || code == action.CodeTimeout)
}
