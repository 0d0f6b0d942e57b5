package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/replica"
)

// Of the contexts (tabs, workers) that have a database open one leads: it runs the loop for the streams of all, and takes the
// checkpoints. The others follow: they write to the local logs and tell. What the contexts tell one another are hints; a
// leader that is frozen, or does not hear, is passed by.
//
// A message is a letter and what it is about:
//
//	m stream   its local log has moved
//	o stream   this context has it open
//	c stream   it has not any more
//	w          a new leader asks who has what open
//	k because  a turn is wanted now
//	t          the leader has made a turn: what came of it
//	f          a follower has

const (
	// patience is how long a follower waits for the leader to take what is unsent, in milliseconds.
	patience = 10_000
	// silence is how many idle pauses without a word of the leader a follower bears, in halves.
	silence = 3
	// deadAfter is how long a leader may say nothing, in milliseconds, before a follower that has to run a turn takes the lead.
	deadAfter = 2 * patience
)

// Lead makes this context the leader.
func (db *DB) Lead() {
	if db.leading || db.closed {
		return
	}
	db.leading = true
	db.tell('w', "")
	db.wake(becauseLeads, true)
	for _, s := range db.sorted() {
		s.weigh()
		s.statusChanged()
	}
}

// Follow makes it a follower: its lock was taken from it. What it has in flight is safe all the same.
func (db *DB) Follow() {
	if !db.leading || db.inRefuge { // nobody else sees what is here
		return
	}
	db.leading, db.heardAt = false, db.host.Now()
	db.deafen()
	for _, s := range db.sorted() {
		s.statusChanged()
	}
	db.dropAttended("")
}

// Leading tells whether this context leads.
func (db *DB) Leading() bool { return db.leading }

func (db *DB) tell(kind byte, about string) {
	if db.tellFunc != nil {
		db.tellFunc(append([]byte{kind}, about...))
	}
}

// Hear takes a message of another context. One that it does not know is a newer version's.
func (db *DB) Hear(message []byte) {
	if len(message) == 0 || db.closed || db.inRefuge {
		return
	}
	about := string(message[1:])
	switch message[0] {
	case 'm':
		if s := db.streams[about]; s != nil {
			s.news()
		} else {
			db.attend(about)
		}
	case 'r': // somebody has lost a race: who wins them takes turns too
		if s := db.streams[about]; s != nil && db.slots != nil {
			s.slot.until = db.host.Now() + rivalry
		}
	case 'o':
		db.attend(about)
		if db.leading && db.transport != nil && !db.running {
			db.tellTurn(db.streams) // so that it need not wait for the next one
		}
	case 'c':
		if db.leading {
			db.dropAttended(about)
			db.tell('w', "") // who else has it says so
		}
	case 'w':
		db.heardAt = db.host.Now()
		for _, s := range db.sorted() {
			if !s.attended {
				db.tell('o', s.Name())
			}
		}
	case 'k':
		if db.leading {
			db.wake(about, true)
		}
	case 't':
		db.heardAt = db.host.Now()
		db.heardTurn(about)
	case 'f':
		db.heardTurn(about)
	}
}

// attend opens a stream that only other contexts use, so that the loop serves it.
func (db *DB) attend(name string) {
	if !db.leading || db.transport == nil || db.streams[name] != nil || action.CheckStreamName(name) != "" {
		return
	}
	db.open(name, StreamOptions{Conflicts: replica.MaxConflicts}, attendant{}, true, func(*Stream, error) {})
}

// dropAttended closes the stream of that name, or every one, that is open for others only.
func (db *DB) dropAttended(name string) {
	for _, s := range db.sorted() {
		if s.attended && (name == "" || s.Name() == name) {
			s.Close(func() {})
		}
	}
}

// attendant observes a stream that this context does not use.
type attendant struct{}

func (attendant) Committed(uint64)                            {}
func (attendant) Failed([]uint64, error)                      {}
func (attendant) Resolved(uint64, action.UUID, uint64, error) {}
func (attendant) Refused(uint64, replica.Rejected)            {}
func (attendant) Conflict(*replica.Conflict)                  {}
func (attendant) Changed(bool)                                {}
func (attendant) StatusChanged()                              {}
func (attendant) Closed(error)                                {}

// tellTurn passes on what came of a turn, so that followers show the same.
func (db *DB) tellTurn(asked map[string]*Stream) {
	if db.tellFunc == nil {
		return
	}
	e := action.NewEncoder(nil)
	e.String(db.because)
	e.Uint(uint64(db.nextAt))
	for _, s := range db.sorted() {
		if asked[s.Name()] != s {
			continue
		}
		e.String(s.Name())
		state, reason, err := s.state()
		e.String(string(state))
		e.String(reason)
		e.Uint(uint64(s.contact.answered))
		if e.Bool(err != nil); err != nil {
			e.String(err.Code)
			e.String(err.Message)
		}
		e.Uint(uint64(s.NextLSN()))
	}
	kind := byte('t')
	if !db.leading {
		kind = 'f'
	}
	db.tell(kind, action.View(e.Whole()))
}

// heardTurn shows what the leader tells, and trusts it for a while.
func (db *DB) heardTurn(text string) {
	if db.leading || db.transport == nil {
		return
	}
	d := action.NewDecoder(text)
	because, next := d.String(), int64(d.Uint())
	told, ends := map[string]Status{}, map[string]locallog.LSN{}
	for d.More() {
		name := d.String()
		st := Status{State: StreamState(d.String()), Reason: d.String(), LastSynced: int64(d.Uint())}
		if d.Bool() {
			st.Err = action.Fail(d.String(), "", d.String())
		}
		told[name], ends[name] = st, locallog.LSN(d.Uint())
	}
	if d.Broken() {
		return
	}
	db.heard.next, db.heard.because = next, because
	trusted := true // the leader serves every stream that has something to send
	for _, s := range db.sorted() {
		st, ok := told[s.Name()]
		if !ok {
			trusted = trusted && s.Unsent() == 0
			continue
		}
		if s.opened == nil {
			s.told = &st
			s.contact.good, s.contact.answered = st.State == StateLive, max(s.contact.answered, st.LastSynced)
			s.statusChanged()
			if ends[s.Name()] > s.NextLSN() { // who has committed that was ended before it could tell
				s.news()
			}
		}
	}
	if trusted && !db.running && !db.syncing() {
		db.schedule(db.idle*silence/2, becauseFollows)
	}
}

// waitForLeader gives the leader time to run the turn that is wanted here.
func (db *DB) waitForLeader() {
	at := db.host.Now() + patience
	if db.running || db.cancel != nil && db.nextAt <= at {
		return
	}
	db.schedule(patience, becauseFollows)
}

// passedBy takes the lead from a leader that this follower had to run a turn for, and that has said nothing for so long.
func (db *DB) passedBy() {
	if now := db.host.Now(); db.steal != nil && now >= db.heardAt+deadAfter {
		db.heardAt = now
		db.steal()
	}
}

// unsentHere tells whether an open stream has something to send.
func (db *DB) unsentHere() bool {
	for _, s := range db.streams {
		if s.opened == nil && s.stopped == nil && s.Unsent() > 0 {
			return true
		}
	}
	return false
}

// followerPause is how long a follower that had to run a turn itself waits before it does so again.
func (db *DB) followerPause(ms int64) int64 {
	switch {
	case ms == 0: // more is to be fetched or sent
		return 0
	case ms == db.idle && db.unsentHere(): // written while the turn was under way
		return patience
	case ms == db.idle:
		return db.idle * silence / 2
	}
	return max(ms, patience) // never sooner than the server asked for
}
