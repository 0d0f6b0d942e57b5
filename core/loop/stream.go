package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/journal"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/replica"
)

// Stream is one open action stream: its journal, and its part in the loop. What a host calls of it are asks: they return, and have
// no effect outside. Everything else is an event.
type Stream struct {
	*journal.Journal
	db *DB

	contact contact
	offer   offer
	stopped *stopped
	told    *Status // by the leader, of a round trip that this context has not made
	hint    hinted
	knocks  bool // a write was refused since the server is not in reach: it may be again
}

// stopped is why a stream is out of the loop for good; reading goes on.
type stopped struct {
	err    *action.Error
	reason string // in a word
}

func (s *Stream) stop(reason string, err error) {
	s.stopped = &stopped{action.AsError(err, action.CodeInternal), reason}
	s.StatusChanged()
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

// Outdated tells whether the stream has met what a newer version wrote: this one can only read what it knows.
func (s *Stream) Outdated() bool { return s.stopped != nil && s.stopped.reason == action.CodeUpgrade }

func (db *DB) onOpen(e *plan.Open) {
	if s := db.streams[e.Name]; s != nil && s.Attended {
		db.close(s, 0)
	}
	db.open(e.Name, e.Options, false, e.Call)
}

func (db *DB) open(name string, o plan.Options, attended bool, call plan.Call) {
	var err error
	if bad := action.CheckStreamName(name); bad != "" {
		err = action.Fail(action.CodeInvalid, "/name", bad)
	} else if db.ending.state != running {
		err = journal.ErrClosed
	}
	if err != nil {
		db.Answer(call, &plan.Opened{Call: call, Err: err})
		return
	}
	db.lastID++
	s := &Stream{db: db, Journal: journal.New(&db.Profile, db.lastID, name, o, attended, call)}
	db.streams[name], db.known[s.ID] = s, s
}

// close takes a stream out of the loop, and ends it when what it has written is durable.
func (db *DB) close(s *Stream, call plan.Call) {
	db.leave(s)
	s.Close(call)
}

func (db *DB) leave(s *Stream) {
	if db.streams[s.Name()] != s {
		return
	}
	delete(db.streams, s.Name())
	if !s.Attended {
		db.Message('c', s.Name())
	}
}

// heed goes on with what the journals tell.
func (db *DB) heed() {
	for len(db.Signals) > 0 {
		g := db.Signals[0]
		db.Signals = db.Signals[1:]
		if s := db.known[g.Stream]; s != nil {
			s.heed(&g)
		}
	}
}

func (s *Stream) heed(g *journal.Signal) {
	db := s.db
	switch g.What {
	case journal.Opened:
		s.opened(g)
	case journal.Moved:
		db.wake(becauseWrite, false)
	case journal.Landed:
		db.landed(s, g.Activity, g.Err)
	case journal.Installed:
		s.installed(g)
	case journal.Rekeyed:
		s.offer.rekeyedAt, s.offer.unsure = db.Now(), 0
	case journal.Stopped:
		s.stop(g.Reason, g.Err)
	case journal.Taken:
		db.taken()
	case journal.Ended:
		db.leave(s)
		delete(db.known, s.ID)
		db.leftTurn(s)
	}
}

func (s *Stream) opened(g *journal.Signal) {
	db := s.db
	db.Answer(g.Call, &plan.Opened{Call: g.Call, Stream: s.ID, Err: g.Err})
	if g.Err != nil {
		db.leave(s)
		if db.syncing() { // they waited for this stream
			db.wake(becauseStart, true)
		}
		return
	}
	db.wake(becauseStart, true)
	if !s.Attended {
		db.Message('o', s.Name())
	}
}

// installed goes on with a checkpoint of the server, or without: then the entries will do, if the server still has them.
func (s *Stream) installed(g *journal.Signal) {
	db := s.db
	if g.Known {
		s.offer.unsure = 0
	}
	if f := failureOf(g.Err); g.Err != nil && !f.line && !f.slow {
		s.offer.declined = g.Index
	}
	if g.Err == nil || s.Closed() { // a turn may have found nothing but this one
		s.contact.failures = 0
		db.wake(becauseMore, true)
		return
	}
	s.contact.asked = g.RetryAfter
	db.refused(s, g.Err)
	db.finishSyncs(g.Err)
	db.retrySoon()
}

// taken goes on in memory with all streams.
func (db *DB) taken() {
	unsent := 0
	for _, s := range db.sorted() {
		unsent += s.Unsent()
	}
	db.Notice(&plan.Lost{Unsent: unsent})
	db.leads(true)
	db.wake(becauseLeads, true)
}
