package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/own"
)

// What follows from an error of the server, or of the way to it, is decided here, by its code; nowhere else.

// failure is what an error of a request, or of one stream in its answer, means.
type failure struct {
	stops    string // the stream, for good: the reason
	stopping bool
	rekey    bool   // the server has another client of that id
	outdated bool   // newer code may append
	resets   string // the log is another one: why, of those of own.Reset
	// Of a whole request:
	size    bool   // it may be too large
	line    bool   // the line was not there: its size says nothing for later
	slow    bool   // nothing came for too long
	unsure  bool   // the server may have done what it was asked
	token   bool   // there is no valid one
	lasting bool   // it will be so for a while
	halts   string // a stream meanwhile: the reason
	ours    bool   // of what was fetched here, not of the server
}

func failureOf(err error) (f failure) {
	switch code := action.CodeOf(err); code {
	case action.CodeUpgrade:
		f.stopping, f.stops, f.size = true, "upgrade", true
	case action.CodeEpoch:
		f.resets, f.size = own.ResetRestored, true
	case action.CodeDeleted:
		f.resets, f.size = own.ResetDeleted, true
	case action.CodeSchema:
		f.outdated = true
	case action.CodeMalformed:
		f.stopping, f.size = true, true
	case action.CodeClient:
		f.rekey, f.size = true, true
	case action.CodeUnauthorized:
		f.token = true
	case action.CodeForbidden:
		f.lasting, f.halts = true, "forbidden"
	case action.CodeGone:
		f.lasting, f.halts = true, "gone"
	case action.CodeExists, action.CodeContentType: // it is another stream than the one here
		f.lasting, f.halts = true, "exists"
	case action.CodeRateLimited:
	case action.CodeUnreachable:
		f.size, f.line, f.unsure = true, true, true
	case action.CodeTimeout:
		f.size, f.slow, f.unsure = true, true, true
	case action.CodeBadAnswer, action.CodeInternal, action.CodeUnavailable:
		f.size, f.unsure = true, true
	case action.CodeQuota, action.CodeStorage:
		f.size, f.ours = true, true
	default:
		f.size = true
	}
	return f
}
