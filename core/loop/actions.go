package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/journal"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/replica"
)

// Stream is one open action stream: its journal, and its part in the loop. What a host calls of it are asks: they return, and have
// no effect outside. Everything else is an event.
type Stream struct {
	*journal.Journal
	in     *member
	offer  offer
	doubt  doubt
	knocks bool // a write was refused since the server is not in reach: it may be again
}

// Write applies a draft to the visible state at once and gives its ticket; Committed tells when it is durable. The
// host takes the step Wrote before it goes back to its event loop, also after an error.
func (s *Stream) Write(d *queue.Draft) (ticket uint64, err error) {
	ticket, err = s.Journal.Write(d, s.reached())
	s.knocks = s.knocks || action.CodeOf(err) == action.CodeReadOnly
	return ticket, err
}

// Writable tells whether an object may be written now.
func (s *Stream) Writable(id action.UUID) replica.Writable {
	return s.Journal.Writable(id, s.reached())
}

// reached tells whether the server was, not long ago and as far as this context knows.
func (s *Stream) reached() bool { return s.offer.unsure == 0 && s.in.reached() }

// Outdated tells whether the stream has met what a newer version wrote: this one can only read what it knows.
func (s *Stream) Outdated() bool {
	stopped := s.in.stopped
	return stopped != nil && stopped.reason == action.CodeUpgrade
}

// Status is the stream's state now. All of it is derived, and nothing is decided by it.
func (s *Stream) Status() Status { return s.in.status() }

// Standing is how it stands.
func (s *Stream) Standing() Standing {
	st := Standing{Life: Closed, Away: s.Away(), Behind: s.behind() || s.Following(), Doubt: s.doubt.since > 0 || s.Following(),
		Busy: s.Busy(), Unsent: s.Unsent(), Refused: s.Refusals(), Head: s.State().Head, Next: s.NextLSN(), Storage: s.Storage()}
	if st.Unsent > 0 {
		st.Held = s.offer.held
	}
	switch {
	case s.Opening():
		st.Life = Opening
	case s.Open():
		st.Life = Open
	}
	return st
}

// Step takes an event of its own.
func (s *Stream) Step(of plan.Matter, e plan.Event) {
	if _, wrote := e.(*plan.Wrote); wrote && s.knocks {
		s.knocks = false
		s.in.db.wake(becauseWrite, false)
	}
	s.Journal.Step(of, e)
}

// Close takes it out of the loop, and ends it when what it has written is durable.
func (s *Stream) Close(call plan.Call) {
	s.in.db.leave(s.in)
	s.Journal.Close(call)
}

// Heed takes a cue of the loop's.
func (s *Stream) Heed(c Cue) {
	switch c {
	case Pump:
		s.Pump()
	case Look:
		s.Refresh()
	case News:
		s.News()
	case Rivals:
		s.Rivals()
	case Weigh:
		s.Weigh()
	case Show:
		s.StatusChanged()
	}
}

// Ask is what the next request says of it.
func (s *Stream) Ask(left Room) (it protocol.SyncItem, more bool) {
	if s.Following() {
		it = s.AskAside(min(protocol.MaxEntries, left.Entries))
		if it.After == 0 {
			it.Limit = min(it.Limit, firstEntries)
		}
		return it, false
	}
	most := min(left.Actions, s.most())
	if left.Bytes <= 0 {
		most = 0
	}
	it = s.Journal.Ask(most, left.Bytes, s.in.db.holds, left.Empty)
	if len(it.Actions) > 0 {
		it.Schema = s.in.db.schema
	}
	more = len(it.Actions) < min(most, s.Queued()) || most == 0 && s.Queued() > 0
	if it.Limit = min(it.Limit, left.Entries); it.After == 0 {
		it.Limit = min(it.Limit, firstEntries)
	}
	// Offline, each try would leave it open whether the locks are still there: new objects are free to write only without.
	if it.Drain = it.Drain && s.in.contact.good; it.Drain {
		s.DrainSent()
	}
	return it, more
}

// Answered takes this stream's part of an answer.
func (s *Stream) Answered(it *protocol.SyncItem, a *protocol.SyncAnswer) {
	db := s.in.db
	switch {
	case a == nil:
		s.offer.unsure = len(it.Actions)
		db.landed(s.in, false, action.Fail(action.CodeBadAnswer, "/streams", "the answer lacks a stream that was asked"))
		return
	case a.Err != nil:
		s.refused(it, a.Err)
		return
	case s.Closed():
		db.landed(s.in, false, nil)
		return
	}
	s.in.contact.answeredWell(db.own.Now())
	s.doubt = doubt{}
	aside := s.AsksAside(it)
	if aside || s.Following() { // else it is of before
		s.takeAside(it, a, aside)
		return
	}
	if s.wants(it, a) {
		s.Fetch(*a.Offer, idleFor(0))
		db.leftTurn(s.in)
		return
	}
	db.current.Fetched += len(a.Entries)
	db.current.Persisted += len(a.Persisted)
	db.current.Rejected += len(a.Rejected)
	s.offer.unsure = 0
	s.offer.taken(len(it.Actions), len(a.Rejected))
	s.DrainAnswered(it, a)
	if s.offer.reach = min(s.offer.reach, a.Head); a.Left(it) || len(a.Entries) > 0 && a.Head > it.After+uint64(len(a.Entries)) {
		s.offer.reach = a.Head
	}
	s.Land(it, a)
}

// refused goes on with an error that is this stream's.
func (s *Stream) refused(it *protocol.SyncItem, err *action.Error) {
	f := failureOf(err)
	if f.rekey {
		s.clientRefused(it, err)
		return
	}
	if !f.outdated { // else the server has not looked at them
		s.offer.unsure = len(it.Actions)
	}
	if f.resets != "" {
		s.doubts(f.resets, err)
		return
	}
	if f.outdated {
		s.offer.outdated(err, s.in.db)
		s.ForgetDrain()                 // the server has not looked at it
		s.in.db.landed(s.in, true, nil) // reading goes on
		return
	}
	if f.stopping {
		s.AsideFails(err)
		s.in.stop(f.stops, err)
		s.in.db.landed(s.in, false, nil)
		return
	}
	s.in.db.landed(s.in, false, err)
}

// wants tells whether the checkpoint of an answer is worth more than its entries.
func (s *Stream) wants(it *protocol.SyncItem, a *protocol.SyncAnswer) bool {
	o := a.Offer
	reach := it.After + uint64(len(a.Entries))
	return o != nil && !s.Away() && o.Index > reach && (len(a.Entries) == 0 || o.Index != s.offer.declined)
}

// rekeyPause is how long a client id is kept at least, in milliseconds: a server that refuses each one is asked in peace.
const rekeyPause = 10_000

// clientRefused plans what follows when the server refuses this client's id.
func (s *Stream) clientRefused(it *protocol.SyncItem, e *action.Error) {
	db, since := s.in.db, s.offer.rekeyedAt
	if s.Following() { // what is asked is of another place: the log here is as it was
		at := *it
		it, at.After = &at, s.State().Head
	}
	if s.Closed() || s.Broken() != nil || it.Client == s.Client() && since > 0 && db.own.Now() < since+rekeyPause {
		db.landed(s.in, false, e)
		return
	}
	s.Rekey(it)
}

// Missed says that the request failed as a whole.
func (s *Stream) Missed(it *protocol.SyncItem, m Missed) {
	if m.Alone != nil {
		s.offer.holdBack(m.Alone, s.in.db)
	}
	if m.Unsure {
		s.offer.unsure = len(it.Actions)
	} else if s.offer.unsure == 0 { // the server has not looked at it
		s.ForgetDrain()
	}
}

// Told takes note of what the journal tells.
func (s *Stream) Told(g *journal.Signal) {
	switch g.What {
	case journal.Rekeyed:
		s.offer.rekeyedAt, s.offer.unsure = s.in.db.own.Now(), 0
	case journal.Anew: // what was known of the server's log is of another one
		s.offer.reach, s.offer.declined, s.in.hint = 0, 0, hinted{}
	case journal.Installed:
		if g.Known {
			s.offer.unsure = 0
		}
		if f := failureOf(g.Err); g.Err != nil && !f.line && !f.slow {
			s.offer.declined = g.Index
		}
	}
}
