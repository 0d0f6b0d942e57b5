package loop

import (
	"context"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
)

// turnResult is what came of a turn.
type turnResult struct {
	asked      map[string]*Stream
	left       bool // streams were left out for the next one
	activity   bool
	err        error
	retryAfter int64
}

// nextStreams lists the streams whose turn it is: those after the last one asked, in the order of their names.
func (db *DB) nextStreams() []*Stream {
	all := db.sorted()
	for i, s := range all {
		if s.Name() > db.lastAsked {
			all = all[i:]
			break
		}
	}
	if db.spentBy != "" && db.lastAsked == "" && len(all) <= protocol.MaxStreams {
		for i, s := range all {
			if s.Name() > db.spentBy {
				return append(all[i:len(all):len(all)], all[:i]...)
			}
		}
	}
	return all
}

// turn makes one request for all streams and lands its answer.
func (db *DB) turn() {
	if db.closed || db.running {
		return
	}
	db.syncers, db.joined = append(db.syncers, db.joined...), nil
	items, asked, opening, left := db.ask()
	if len(items) == 0 {
		db.nextAt, db.because = 0, ""
		if at := db.retryAt(); at > 0 {
			db.schedule(max(0, at-db.host.Now()), becauseRetry)
		}
		if !opening { // else the one that opens runs the loop
			db.finishSyncs(db.firstErr(nil))
		}
		return
	}
	db.running, db.again, db.againHard = true, "", false
	db.current = WakeUp{At: db.host.Now(), Because: db.because}
	for _, it := range items {
		s := asked[it.Stream]
		s.contact.asking, s.told = true, nil
		s.statusChanged()
		if db.because == becauseIdle { // where contexts do not hear of each other, this is when they see what the server will not tell
			s.Refresh()
		}
	}
	body := protocol.AppendSyncRequest(nil, items)
	ctx, abort := context.WithCancel(context.Background())
	db.abort = abort
	db.host.Do(func() func() {
		text, retryAfter, err := db.transport.Sync(ctx, body, idleFor(len(body)))
		var answers []protocol.SyncAnswer
		if err == nil {
			if answers, err = protocol.DecodeSyncAnswer(action.View(text)); err != nil {
				err = &action.Error{Code: action.CodeBadAnswer, Message: "the answer is not the sync protocol's", Cause: err}
			}
		}
		return func() {
			abort()
			if err != nil {
				db.failed(err, len(body), items, asked)
				db.finish(turnResult{asked: asked, left: left, err: err, retryAfter: retryAfter})
				return
			}
			db.went(len(body))
			db.landAll(items, turnResult{asked: asked, left: left}, answers)
		}
	})
}

// landAll hands each stream its answer and waits until every one has committed it.
func (db *DB) landAll(items []protocol.SyncItem, result turnResult, answers []protocol.SyncAnswer) {
	left := 1
	over := func(activity bool) {
		result.activity = result.activity || activity
		if left--; left == 0 {
			db.finish(result)
		}
	}
	for i := range items {
		s := result.asked[items[i].Stream]
		left++
		s.contact.asking = false
		done := func(activity bool, err error) { // an error is this stream's alone
			switch {
			case err == nil:
				s.contact.failures = 0
			case !s.closed:
				s.refused(err)
			}
			over(activity)
		}
		answer := find(answers, items[i].Stream)
		switch {
		case answer == nil:
			s.unsure = len(items[i].Actions)
			done(false, action.Fail(action.CodeBadAnswer, "/streams", "the answer lacks a stream that was asked"))
			continue
		case answer.Err != nil && answer.Err.Code == action.CodeClient:
			s.clientRefused(items[i], answer.Err, done)
			continue
		case answer.Err != nil:
			s.unsure = len(items[i].Actions)
			done(false, s.itemFailed(answer.Err))
			continue
		case s.closed:
			done(false, nil)
			continue
		}
		s.contact.answeredWell(db.host.Now())
		if s.wants(&items[i], answer) {
			s.install(*answer.Offer)
			over(false)
			continue
		}
		db.current.Fetched += len(answer.Entries)
		db.current.Persisted += len(answer.Persisted)
		db.current.Rejected += len(answer.Rejected)
		s.unsure = 0
		s.offered(len(items[i].Actions), len(answer.Rejected))
		s.DrainAnswered(&items[i], answer)
		s.behind = len(answer.Entries) > 0 && answer.Head > items[i].After+uint64(len(answer.Entries))
		s.landings = append(s.landings, &planned{item: items[i], answer: *answer, done: done})
		s.Pump()
	}
	over(false)
}

func find(answers []protocol.SyncAnswer, stream string) *protocol.SyncAnswer {
	for i := range answers {
		if answers[i].Stream == stream {
			return &answers[i]
		}
	}
	return nil
}

// itemFailed sorts the errors that the server gives one stream: those that end it, and those that pass.
func (s *Stream) itemFailed(e *action.Error) error {
	switch e.Code {
	case action.CodeUpgrade:
		s.stop("upgrade", e)
	case action.CodeEpoch, action.CodeMalformed:
		s.stop("", e)
	default:
		return e
	}
	return nil
}

// finish ends a turn: states, and the pause.
func (db *DB) finish(t turnResult) {
	db.running, db.abort = false, nil
	if db.closed {
		return
	}
	wasDown := db.down
	db.down = t.err != nil
	if t.err == nil {
		db.offline = false
	} else {
		for _, s := range t.asked {
			s.contact.missed(t.err)
		}
	}
	if !db.leading && db.current.Because == becauseFollows {
		db.passedBy()
	}
	ms, because := db.pauseAfter(t)
	if t.err == nil && db.again == "" && db.news() {
		db.again = becauseHint
	}
	if db.again != "" && (t.err == nil || db.againHard) {
		ms, because = 0, db.again
	} else if !db.leading {
		if ms = db.followerPause(ms); ms > 0 && t.err == nil {
			because = becauseFollows
		}
	}
	if at := db.retryAt(); at > 0 && t.err == nil && at-db.host.Now() < ms {
		ms, because = max(0, at-db.host.Now()), becauseRetry
	}
	db.again, db.againHard = "", false
	db.schedule(ms, because)
	err := t.err
	if err == nil {
		err = db.firstErr(t.asked)
	}
	db.traced(err)
	for _, s := range db.sorted() {
		if t.asked[s.Name()] == s {
			s.statusChanged()
		}
	}
	db.tellTurn(t.asked)
	if t.err == nil {
		if wasDown { // what is back for one is back for the other
			db.hints.tries, db.hints.waiting = 0, false
		}
		db.listen()
	}
	if t.err != nil || !t.activity && !t.left && ms > 0 && !db.installing() {
		db.finishSyncs(err)
	}
}

func (db *DB) installing() bool {
	for _, s := range db.sorted() {
		if s.installing != nil {
			return true
		}
	}
	return false
}

// installed goes on with a stream that has a checkpoint of the server now, or could not have it.
func (db *DB) installed(s *Stream, err error) {
	if err == nil {
		s.contact.failures = 0
		db.wake(becauseMore, true)
		return
	}
	s.refused(err)
	db.finishSyncs(err)
	if at := db.retryAt(); !db.running && at > 0 && (db.cancel == nil || db.nextAt > at) {
		db.schedule(max(0, at-db.host.Now()), becauseRetry)
	}
}
