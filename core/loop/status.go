package loop

import (
	"github.com/strandline-sync/strandline/core/action"
)

// StreamState is what the loop does for a stream.
type StreamState string

// The states of a stream.
const (
	StateStarting StreamState = "starting" // the local log is being read
	StateSyncing  StreamState = "syncing"  // a turn is under way
	StateLive     StreamState = "live"     // the last round trip succeeded
	StateOffline  StreamState = "offline"  // no network, or no server was named
	StateWaiting  StreamState = "waiting"  // the last one failed; the next comes at Status.NextAt
	StateHeld     StreamState = "held"     // no valid token; pending actions are kept
	StateStopped  StreamState = "stopped"  // cannot go on; Reason and Err say why; reading still works
)

// Status is a stream's state as apps see it.
type Status struct {
	State      StreamState
	Reason     string // "upgrade", "forbidden", "corrupt", or empty
	Head       uint64
	Pending    int
	Rejected   int
	NextAt     int64 // Unix milliseconds; 0 when nothing is scheduled
	Because    string
	LastSynced int64 // Unix milliseconds; 0 for never
	Err        *action.Error
}

// Status is the stream's state now. All of it is derived, and nothing is decided by it.
func (s *Stream) Status() Status {
	st := Status{Head: s.State().Head, Pending: s.Unsent(), Rejected: s.Refusals(), LastSynced: s.db.Shown(s.contact.answered)}
	st.State, st.Reason, st.Err = s.state()
	if told := s.told; told != nil {
		st.LastSynced = max(st.LastSynced, s.db.Shown(told.LastSynced))
	}
	if st.State == StateLive && s.offer.tooLarge != nil {
		st.Err = s.offer.tooLarge
	}
	if err := s.Storage(); err != nil && st.State != StateStopped {
		st.Err = err
	}
	if st.State != StateStopped || s.stopped == nil {
		st.NextAt, st.Because = s.db.next()
		if s.contact.notBefore > s.db.Now() {
			st.NextAt, st.Because = s.contact.notBefore, becauseRetry
		}
		st.NextAt = s.db.Shown(st.NextAt)
	}
	return st
}

func (s *Stream) state() (state StreamState, reason string, err *action.Error) {
	c := &s.contact
	switch {
	case s.stopped != nil:
		return StateStopped, s.stopped.reason, s.stopped.err
	case s.Opening():
		return StateStarting, "", nil
	case s.told != nil:
		return s.told.State, s.told.Reason, s.told.Err
	case c.err != nil && c.err.Code == action.CodeForbidden && c.alone:
		return StateStopped, "forbidden", c.err
	case c.err != nil && c.err.Code == action.CodeUnauthorized && !c.asking:
		return StateHeld, "", c.err
	case s.db.offline || s.db.alone:
		return StateOffline, "", c.err
	case c.asking && !c.good || s.Installing():
		return StateSyncing, "", nil
	case c.err != nil:
		return StateWaiting, "", c.err
	case c.good:
		return StateLive, "", nil
	}
	return StateStarting, "", nil
}
