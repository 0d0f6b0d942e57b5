package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
)

// turnState is what the loop does.
type turnState uint8

const (
	pausing    turnState = iota // the timer runs, or nothing is open
	sent                        // the request is under way
	delivering                  // the streams make records of what came
)

// turn is one request for all streams and what becomes of its answer.
type turn struct {
	state turnState
	op    plan.Op
	items []protocol.SyncItem
	asked []*Stream // of each item
	size  int       // of the request, in bytes
	land  int       // how many streams have not landed yet

	left       bool // streams were left out for the next one
	activity   bool
	err        error
	retryAfter int64

	spentBy string // the stream whose actions left no room for the others': the next request begins after it
	last    string // with more streams than one request may name, the next one begins after it
}

// nextStreams lists the streams whose turn it is: those after the last one asked, in the order of their names.
func (db *DB) nextStreams() []*Stream {
	all := db.sorted()
	for i, s := range all {
		if s.Name() > db.turn.last {
			all = all[i:]
			break
		}
	}
	if by := db.turn.spentBy; by != "" && db.turn.last == "" && len(all) <= protocol.MaxStreams {
		for i, s := range all {
			if s.Name() > by {
				return append(all[i:len(all):len(all)], all[:i]...)
			}
		}
	}
	return all
}

// makeTurn asks the server about every stream.
func (db *DB) makeTurn() {
	t := &db.turn
	if db.ended() || t.state != pausing {
		return
	}
	p := &db.pause
	p.syncers, p.joined = append(p.syncers, p.joined...), nil
	opening := db.ask()
	if len(t.items) == 0 {
		p.at, p.because = 0, ""
		if at := db.retryAt(); at > 0 {
			db.schedule(at-db.Now(), becauseRetry)
		}
		if !opening { // else the one that opens runs the loop
			db.finishSyncs(db.firstErr())
		}
		return
	}
	t.state = sent
	p.again, p.againHard = "", false
	db.current = WakeUp{At: db.Now(), Because: p.because}
	for _, s := range t.asked {
		s.contact.asking, s.told = true, nil
		s.StatusChanged()
		if p.because == becauseIdle { // where contexts do not hear of each other, this is when they see what the server will not tell
			s.Refresh()
		}
	}
	body := protocol.AppendSyncRequest(nil, t.items, db.line.asked())
	t.size = len(body)
	t.op = db.Request(plan.Flight{Of: plan.OfTurn}, plan.Request{Body: body, Idle: idleFor(len(body))})
}

// answered hands each stream its answer.
func (db *DB) answered(text string, retryAfter int64, err error) {
	t := &db.turn
	var answers []protocol.SyncAnswer
	if err == nil {
		if answers, err = protocol.DecodeSyncAnswer(text); err != nil {
			err = &action.Error{Code: action.CodeBadAnswer, Message: "the answer is not the sync protocol's", Cause: err}
		}
	}
	t.state, t.err, t.retryAfter = delivering, err, retryAfter
	if err != nil {
		db.failed(err)
		db.finish()
		return
	}
	db.line.went(t.size)
	t.land = len(t.items)
	for i, s := range t.asked {
		s.contact.landing = true
		s.answered(&t.items[i], find(answers, t.items[i].Stream))
	}
	db.finishLanded()
}

func find(answers []protocol.SyncAnswer, stream string) *protocol.SyncAnswer {
	for i := range answers {
		if answers[i].Stream == stream {
			return &answers[i]
		}
	}
	return nil
}

// answered takes this stream's part of an answer.
func (s *Stream) answered(it *protocol.SyncItem, a *protocol.SyncAnswer) {
	db := s.db
	s.contact.asking = false
	switch {
	case a == nil:
		s.offer.unsure = len(it.Actions)
		db.landed(s, false, action.Fail(action.CodeBadAnswer, "/streams", "the answer lacks a stream that was asked"))
		return
	case a.Err != nil:
		f := failureOf(a.Err)
		if f.rekey {
			s.clientRefused(it, a.Err)
			return
		}
		s.offer.unsure = len(it.Actions)
		if f.stopping {
			s.stop(f.stops, a.Err)
			db.landed(s, false, nil)
			return
		}
		db.landed(s, false, a.Err)
		return
	case s.Closed():
		db.landed(s, false, nil)
		return
	}
	s.contact.answeredWell(db.Now())
	if s.wants(it, a) {
		s.Fetch(*a.Offer, idleFor(0))
		db.leftTurn(s)
		return
	}
	db.current.Fetched += len(a.Entries)
	db.current.Persisted += len(a.Persisted)
	db.current.Rejected += len(a.Rejected)
	s.offer.unsure = 0
	s.offer.taken(len(it.Actions), len(a.Rejected))
	s.DrainAnswered(it, a)
	s.offer.behind = len(a.Entries) > 0 && a.Head > it.After+uint64(len(a.Entries))
	s.Land(it, a)
}

// wants tells whether the checkpoint of an answer is worth more than its entries.
func (s *Stream) wants(it *protocol.SyncItem, a *protocol.SyncAnswer) bool {
	o := a.Offer
	reach := it.After + uint64(len(a.Entries))
	return o != nil && !s.Installing() && o.Index > reach && (len(a.Entries) == 0 || o.Index != s.offer.declined)
}

// rekeyPause is how long a client id is kept at least, in milliseconds: a server that refuses each one is asked in peace.
const rekeyPause = 10_000

// clientRefused plans what follows when the server refuses this client's id.
func (s *Stream) clientRefused(it *protocol.SyncItem, e *action.Error) {
	at := s.offer.rekeyedAt
	if s.Closed() || s.Broken() != nil || it.Client == s.Client() && at > 0 && s.db.Now() < at+rekeyPause {
		s.db.landed(s, false, e)
		return
	}
	s.Rekey(it)
}

// landed takes note of what became of a stream's answer. An error is this stream's alone.
func (db *DB) landed(s *Stream, activity bool, err error) {
	if !s.contact.landing {
		return
	}
	db.turn.activity = db.turn.activity || activity
	switch {
	case err == nil:
		s.contact.failures = 0
	case !s.Closed():
		db.refused(s, err)
	}
	db.leftTurn(s)
}

// leftTurn counts a stream off.
func (db *DB) leftTurn(s *Stream) {
	if s.contact.landing {
		s.contact.landing = false
		db.turn.land--
	}
}

// finishLanded ends the turn when every stream has landed.
func (db *DB) finishLanded() {
	if db.turn.state == delivering && db.turn.land == 0 && !db.ended() {
		db.finish()
	}
}

// finish ends a turn: states, and the pause.
func (db *DB) finish() {
	t, p := &db.turn, &db.pause
	t.state = pausing
	wasDown := db.line.down
	db.line.down = t.err != nil
	if t.err == nil {
		db.offline = false
	} else {
		for _, s := range t.asked {
			s.contact.missed(t.err)
		}
	}
	if !db.leader.leads && db.current.Because == becauseFollows {
		db.passedBy()
	}
	ms, because := db.pauseAfter()
	if t.err == nil && p.again == "" && db.hasNews() {
		p.again = becauseHint
	}
	if p.again != "" && (t.err == nil || p.againHard) {
		ms, because = 0, p.again
	} else if !db.leader.leads {
		if ms = db.followerPause(ms); ms > 0 && t.err == nil {
			because = becauseFollows
		}
	}
	if at := db.retryAt(); at > 0 && t.err == nil && at-db.Now() < ms {
		ms, because = max(0, at-db.Now()), becauseRetry
	}
	p.again, p.againHard = "", false
	db.schedule(ms, because)
	err := t.err
	if err == nil {
		err = db.firstErr()
	}
	db.traced(err)
	for _, s := range t.asked {
		s.StatusChanged()
	}
	db.tellTurn(t.asked)
	if t.err == nil {
		if wasDown { // what is back for one is back for the other
			db.hints.restart()
		}
		db.listen()
	}
	if t.err != nil || !t.activity && !t.left && ms > 0 && !db.installing() {
		db.finishSyncs(err)
	}
	t.items, t.asked = nil, nil
}

func (db *DB) installing() bool {
	for _, s := range db.streams {
		if s.Installing() {
			return true
		}
	}
	return false
}
