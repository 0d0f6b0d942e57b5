package loop

import (
	"github.com/strandline-sync/strandline/core/action"
)

// StreamState is what the loop does for a stream.
type StreamState string

// The states of a stream.
const (
	StateStarting StreamState = "starting" // the local log is being read
	StateSyncing  StreamState = "syncing"  // the first turn is under way, or more is to come
	StateLive     StreamState = "live"     // the last round trip succeeded, and brought all that there is
	StateOffline  StreamState = "offline"  // no network, or no server was named
	StateWaiting  StreamState = "waiting"  // the last one failed; the next comes at Status.NextAt
	StateHeld     StreamState = "held"     // no valid token, or (Err says so) newer code alone may append; pending actions are kept
	StateStopped  StreamState = "stopped"  // cannot go on; Reason and Err say why; reading still works
)

// Status is a stream's state as apps see it.
type Status struct {
	State      StreamState
	Reason     string // "upgrade", "forbidden", "corrupt", "gone", "exists", or empty
	Head       uint64
	Pending    int
	Rejected   int
	NextAt     int64 // Unix milliseconds; 0 when nothing is scheduled
	Because    string
	LastSynced int64 // Unix milliseconds; 0 for never
	Err        *action.Error
}

func (m *member) status() Status {
	db, s := m.db, m.kind.Standing()
	st := Status{Head: s.Head, Pending: s.Unsent, Rejected: s.Refused, LastSynced: db.own.Shown(m.contact.answered)}
	st.State, st.Reason, st.Err = m.state(&s)
	if told := m.told; told != nil {
		st.LastSynced = max(st.LastSynced, db.own.Shown(told.LastSynced))
	}
	if st.State == StateLive && s.Held != nil {
		st.Err = s.Held
	}
	if s.Storage != nil && st.State != StateStopped {
		st.Err = s.Storage
	}
	if st.State != StateStopped || m.stopped == nil {
		if st.NextAt, st.Because = db.next(); s.NextAt > 0 {
			st.NextAt, st.Because = s.NextAt, s.Because
		}
		if m.contact.notBefore > db.own.Now() {
			st.NextAt, st.Because = m.contact.notBefore, becauseRetry
		}
		st.NextAt = db.own.Shown(st.NextAt)
	}
	return st
}

func (m *member) state(s *Standing) (state StreamState, reason string, err *action.Error) {
	c := &m.contact
	switch {
	case m.stopped != nil:
		return StateStopped, m.stopped.reason, m.stopped.err
	case s.Life == Opening:
		return StateStarting, "", nil
	case m.told != nil:
		return m.told.State, m.told.Reason, m.told.Err
	case c.err != nil && failureOf(c.err).halts != "":
		return StateStopped, failureOf(c.err).halts, c.err
	case c.err != nil && c.err.Code == action.CodeUnauthorized && !c.asking:
		return StateHeld, "", c.err
	case s.Held != nil && failureOf(s.Held).outdated && !m.db.offline:
		return StateHeld, "", s.Held
	case m.db.offline || m.db.alone:
		return StateOffline, "", c.err
	case c.asking && !c.good || c.good && s.Behind || s.Away:
		return StateSyncing, "", nil
	case c.err != nil:
		return StateWaiting, "", c.err
	case c.good:
		return StateLive, "", nil
	}
	return StateStarting, "", nil
}
