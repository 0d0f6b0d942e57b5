package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/state"
)

// Stream is one open action stream: its replica, the commits of its local log, and its part in the loop.
//
// At most one commit is in flight. Writes that come meanwhile are applied in memory and share the next record.
type Stream struct {
	*replica.Replica
	db       *DB
	observer Observer

	read         bool  // the log was read since the last try to commit
	wrote        bool  // the last record was of local writes: a turn that waits is next
	busy         bool  // a commit or a read of the local log is under way
	compacting   bool  // a checkpoint is being taken
	compactAt    int64 // and none before that
	compactPause int64
	attended     bool // open for other contexts only
	stale        bool // another context may have committed: read the log before anything else
	closed       bool
	ended        bool // Closed was told
	closing      []func()
	idle         []func() // wait until nothing is left to commit
	broken       error    // why the local log cannot be followed any more: nothing can be committed
	opened       func(*Stream, error)
	landings     []*planned // answers that wait for the commit slot
	contact      contact
	stopped      *action.Error // why the stream cannot go on, for good
	reason       string        // of that, in a word
	storage      *action.Error // why the local log cannot be read or written now
	told         *Status       // by the leader, of a round trip that this context has not made
	failures     int           // of the store, in a row
	behind       bool          // the last answer left entries to fetch: what is pending is not offered before they are here
	installing   *install
	slot         slot
	lookedAt     int64  // when a hint last led to a read of the log
	lookSoon     bool   // one will
	hint         uint64 // the highest head that a push hint told of
	hintTaken    uint64 // the highest one that has led to a turn
	declined     uint64 // the index of a checkpoint that could not be installed
	options      StreamOptions
	rekeyedAt    int64         // when the client id was given up last
	offer        int           // how many actions are offered at once; 0 for all that fit
	tooLarge     *action.Error // the first action did not get through by itself
	offerAt      int64         // when it is tried again
	offerPause   int64
	unsure       int // how many actions a request offered whose outcome is unknown; nothing else is offered meanwhile

	ticket  uint64
	waiters []settledWaiter
	asked   map[action.UUID][]Persisted
	discard []discardWaiter
	lives   state.Lives
}

// planned is an answer on its way into the local log.
type planned struct {
	item   protocol.SyncItem
	answer protocol.SyncAnswer
	done   func(activity bool, err error)
	// install, where not nil, or rekey is what is planned instead.
	install *install
	rekey   bool
}

type settledWaiter struct {
	left map[action.UUID]bool
	done func()
}

// Observer hears what becomes of a stream's writes. It is called on the core's thread, at the end of each step, and
// must not call back into the stream.
type Observer interface {
	// Committed says that every write up to this ticket is durable in the local log.
	Committed(upTo uint64)
	// Failed says that these writes were not kept, and are taken back.
	Failed(tickets []uint64, err error)
	// Resolved says that an own action has its index, and whether it was discarded whole there.
	Resolved(ticket uint64, id action.UUID, index uint64, err error)
	// Refused says that the server refused an own action for good, or that it depends on such a one.
	Refused(ticket uint64, r replica.Rejected)
	// Conflict says that a write of this client lost, or replaced an unseen one.
	Conflict(c *replica.Conflict)
	// Changed says that rows may have changed; Flush tells which live queries.
	Changed(remote bool)
	// StatusChanged says that Status may give something new.
	StatusChanged()
	// Closed says that the stream cannot be used any more, and why; nil after Close.
	Closed(err error)
}

// Write applies a draft to the visible state at once and gives its ticket; the observer tells when it is durable. The
// host calls Pump before it goes back to its event loop: what is written until then shares one commit.
func (s *Stream) Write(d *queue.Draft) (ticket uint64, err error) {
	if s.closed || s.db.leaving {
		return 0, errClosed
	}
	if s.broken != nil {
		return 0, s.broken
	}
	if err := s.Replica.Write(d, s.ticket+1, s.reached()); err != nil {
		if action.CodeOf(err) == action.CodeReadOnly {
			s.db.wake(becauseWrite, false) // the server may be in reach again
		}
		return 0, err
	}
	s.ticket++
	s.observer.Changed(false)
	return s.ticket, nil
}

var errClosed = action.Fail(action.CodeClosed, "", "the stream is closed")

// Writable tells whether an object may be written now.
func (s *Stream) Writable(id action.UUID) replica.Writable {
	return s.Replica.Writable(id, s.reached())
}

// Pump starts what can be started: a read of the log, a commit of waiting writes, or of a turn.
func (s *Stream) Pump() {
	if s.busy || s.opened != nil {
		return
	}
	if !s.waiting() {
		s.endSlot()
		idle := s.idle
		s.idle = nil
		for _, f := range idle {
			f()
		}
	}
	switch {
	case s.waiting() && s.waitsForSlot(): // and reads the log when it has it
	case s.stale && !(s.read && s.waiting()): // one read between two tries
		s.load()
	case s.Uncommits() && !(s.wrote && len(s.landings) > 0):
		s.commit()
	case len(s.landings) > 0:
		s.land()
	case s.closed:
		s.end(nil)
	}
}

// waiting tells whether something waits for the commit slot.
func (s *Stream) waiting() bool { return s.Uncommits() || len(s.landings) > 0 }

// end tells, once, that the stream is closed, and lets go of all that waits.
func (s *Stream) end(err error) {
	s.endSlot()
	if !s.ended {
		s.ended = true
		s.observer.Closed(err)
	}
	closing := s.closing
	s.closing, s.waiters = nil, nil
	if err == nil {
		err = errClosed
	}
	for id := range s.asked {
		s.answer(id, 0, nil, err)
	}
	for _, f := range closing {
		f()
	}
	delete(s.db.closing, s)
	idle := s.idle
	s.idle = nil
	for _, f := range idle {
		f()
	}
}

func (s *Stream) finishOpen(err error) {
	opened := s.opened
	s.opened = nil
	if err == nil && s.User() != s.db.user {
		err = action.Fail(action.CodeInvalid, "/user", "this local log belongs to another user")
	}
	if free := s.options.ConflictFree; err == nil && free != nil && *free != s.ConflictFree() {
		err = action.Fail(action.CodeInvalid, "/conflictFree", "the stream was first opened with the other value in this browser")
	}
	if err == nil && s.closed {
		err = errClosed
	}
	if err != nil {
		s.closed, s.ended = true, true
		s.leave()
		s.end(nil)
		opened(nil, err)
		if s.db.syncing() { // they waited for this stream
			s.db.wake(becauseStart, true)
		}
		return
	}
	s.statusChanged()
	opened(s, nil)
	s.db.wake(becauseStart, true)
	if !s.attended {
		s.db.tell('o', s.Name())
	}
	s.weigh()
	s.Pump() // a hint may have come meanwhile
}

// leave takes the stream out of the loop.
func (s *Stream) leave() {
	if s.installing != nil {
		s.installing.abort()
	}
	if s.db.streams[s.Name()] == s {
		delete(s.db.streams, s.Name())
		if !s.attended {
			s.db.tell('c', s.Name())
		}
	}
}

// Refresh reads what other contexts have committed; a hint calls for it.
func (s *Stream) Refresh() {
	s.stale = true
	s.Pump()
}

// tell passes on what a landing did to own actions.
func (s *Stream) tell(land *replica.Landing, remote bool) {
	if land.Committed > 0 {
		s.observer.Committed(land.Committed)
	}
	for _, o := range land.Resolved {
		err := o.Err()
		s.observer.Resolved(o.Ticket, o.ID, o.Index, err)
		s.settle(o.ID)
		s.answer(o.ID, o.Index, nil, err)
	}
	for _, r := range land.Rejected {
		s.observer.Refused(r.Ticket, r)
		s.settle(r.ID)
		s.answer(r.ID, 0, &r, r.Err())
	}
	s.answerDiscards(nil)
	for _, d := range land.Dropped {
		s.observer.Failed([]uint64{d.Ticket}, d.Err)
		s.settle(d.ID)
		s.answer(d.ID, 0, nil, d.Err)
	}
	for i := range land.Conflicts {
		s.observer.Conflict(&land.Conflicts[i])
	}
	s.observer.Changed(remote)
	s.statusChanged()
}

// OnSettled calls done once all that is pending or uncommitted now is in the log or refused.
func (s *Stream) OnSettled(done func()) {
	w := settledWaiter{left: s.Unsettled(), done: done}
	if len(w.left) == 0 {
		done()
		return
	}
	s.waiters = append(s.waiters, w)
}

func (s *Stream) settle(id action.UUID) {
	var kept, settled []settledWaiter
	for _, w := range s.waiters {
		if delete(w.left, id); len(w.left) == 0 {
			settled = append(settled, w)
		} else {
			kept = append(kept, w)
		}
	}
	s.waiters = kept
	for _, w := range settled {
		w.done()
	}
}

// Close lets what is written become durable, then ends the stream. Pending actions stay in the local log.
func (s *Stream) Close(done func()) {
	if s.ended {
		done()
		return
	}
	s.closed = true
	s.leave()
	s.db.closing[s] = true
	s.closing = append(s.closing, done)
	s.Pump()
}

// gone ends a stream whose local log was destroyed under it, or cannot be reached to the last.
func (s *Stream) gone(err error) {
	s.closed = true
	s.leave()
	s.failWrites(err)
	landings := s.landings
	s.landings = nil
	for _, l := range landings {
		l.done(false, nil)
	}
	s.end(err)
}

// stop takes the stream out of the loop for good; reading goes on.
func (s *Stream) stop(reason string, err error) {
	s.stopped, s.reason = action.AsError(err, action.CodeInternal), reason
	s.statusChanged()
}

func (s *Stream) statusChanged() { s.observer.StatusChanged() }

// Outdated tells whether the stream has met what a newer version wrote: this one can only read what it knows.
func (s *Stream) Outdated() bool { return s.stopped != nil && s.reason == action.CodeUpgrade }

// Subscribe keeps a query live until Unsubscribe.
func (s *Stream) Subscribe(q *state.Query) *state.Live { return s.lives.Subscribe(s.State(), q) }

// Unsubscribe ends a live query.
func (s *Stream) Unsubscribe(l *state.Live) { s.lives.Unsubscribe(s.State(), l) }

// Flush gives the live queries that may have another result since the last one.
func (s *Stream) Flush() []*state.Live { return s.lives.Flush(s.State()) }

// Rows is the live result, as of the last Flush.
func (s *Stream) Rows(l *state.Live) []state.Row { return l.Rows(s.State()) }
