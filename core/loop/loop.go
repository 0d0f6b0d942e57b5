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
	var items []protocol.SyncItem
	asked := map[string]*Stream{}
	actions, bytes := db.batch, protocol.MaxRequestBytes*3/4
	opening, left, spent := false, false, ""
	for _, s := range db.nextStreams() {
		if s.opened != nil || s.installing != nil {
			opening = true
			continue
		}
		if s.closed || s.status.State == StateStopped {
			continue
		}
		if len(items) == protocol.MaxStreams {
			left = true
			break
		}
		most := actions
		if s.behind {
			most = 0
		}
		if s.unsure > 0 {
			most = min(most, s.unsure)
		}
		it := s.Ask(most, bytes, db.held)
		if actions -= len(it.Actions); spent == "" && (actions == 0 || len(it.Actions) < min(most, s.Queued())) {
			spent = s.Name()
		}
		for _, a := range it.Actions {
			bytes -= len(a)
		}
		// Offline, each try would leave it open whether the locks are still there: new objects are free to write only without.
		if it.Drain = it.Drain && s.status.State == StateLive; it.Drain {
			s.DrainSent()
		}
		items = append(items, it)
		asked[s.Name()] = s
		db.lastAsked = s.Name()
	}
	if !left {
		db.lastAsked = ""
	}
	db.spentBy = spent
	if len(items) == 0 {
		db.nextAt, db.because = 0, ""
		if !opening { // else the one that opens runs the loop
			db.finishSyncs(nil)
		}
		return
	}
	db.running, db.again, db.againHard = true, "", false
	db.current = WakeUp{At: db.host.Now(), Because: db.because}
	if !db.offline {
		db.setStates(asked, func(s *Stream) {
			if s.status.State != StateLive {
				s.status.State = StateSyncing
			}
		})
	}
	if db.because == becauseIdle { // where contexts do not hear of each other, this is when they see what the server will not tell
		for _, s := range db.sorted() {
			if asked[s.Name()] == s {
				s.Refresh()
			}
		}
	}
	body := protocol.AppendSyncRequest(nil, items)
	ctx, abort := context.WithCancel(context.Background())
	db.abort = abort
	deadline := db.host.After(requestLimit, func() {
		abort()
	})
	db.host.Do(func() func() {
		text, retryAfter, err := db.transport.Sync(ctx, body)
		var answers []protocol.SyncAnswer
		if err == nil {
			if answers, err = protocol.DecodeSyncAnswer(action.View(text)); err != nil {
				err = &action.Error{Code: action.CodeBadAnswer, Message: "the answer is not the sync protocol's", Cause: err}
			}
		}
		return func() {
			deadline()
			abort()
			if err != nil {
				db.failed(err, items, asked)
				db.finish(turnResult{asked: asked, left: left, err: err, retryAfter: retryAfter})
				return
			}
			db.landAll(items, turnResult{asked: asked, left: left}, answers)
		}
	})
}

// failed takes note of a request that failed. After a 413 the batch is halved: one action alone always fits, so this
// ends. Where the server may have appended without our hearing of it, the same actions are offered again, and no others.
func (db *DB) failed(err error, items []protocol.SyncItem, asked map[string]*Stream) {
	// Too much for the server, or for a slow line.
	if code := action.CodeOf(err); code == action.CodeTooLarge || code == action.CodeTimeout {
		db.batch = max(1, db.batch/2)
	}
	switch action.CodeOf(err) {
	case action.CodeUnreachable, action.CodeTimeout, action.CodeBadAnswer, action.CodeInternal, action.CodeUnavailable:
		for i := range items {
			asked[items[i].Stream].unsure = len(items[i].Actions)
		}
	default: // the server has not looked at it
		for i := range items {
			if s := asked[items[i].Stream]; s.unsure == 0 {
				s.ForgetDrain()
			}
		}
	}
}

// landAll hands each stream its answer and waits until every one has committed it.
func (db *DB) landAll(items []protocol.SyncItem, result turnResult, answers []protocol.SyncAnswer) {
	left := 1
	done := func(activity bool, err error) {
		result.activity = result.activity || activity
		if err != nil && result.err == nil {
			result.err = err
		}
		if left--; left == 0 {
			db.finish(result)
		}
	}
	for i := range items {
		s := result.asked[items[i].Stream]
		answer := find(answers, items[i].Stream)
		if answer == nil {
			left++
			s.unsure = len(items[i].Actions)
			done(false, action.Fail(action.CodeBadAnswer, "/streams", "the answer lacks a stream that was asked"))
			continue
		}
		if answer.Err != nil {
			left++
			if answer.Err.Code == action.CodeClient {
				s.clientRefused(items[i], answer.Err, done)
				continue
			}
			s.unsure = len(items[i].Actions)
			done(false, s.itemFailed(answer.Err))
			continue
		}
		if s.closed {
			continue
		}
		if s.wants(&items[i], answer) {
			s.status.LastSynced = db.host.Now()
			s.install(*answer.Offer)
			continue
		}
		left++
		db.current.Fetched += len(answer.Entries)
		db.current.Persisted += len(answer.Persisted)
		db.current.Rejected += len(answer.Rejected)
		s.status.LastSynced, s.unsure = db.host.Now(), 0
		s.DrainAnswered(&items[i], answer)
		s.behind = len(answer.Entries) > 0 && answer.Head > items[i].After+uint64(len(answer.Entries))
		s.landings = append(s.landings, &planned{item: items[i], answer: *answer, done: done})
		s.Pump()
	}
	done(false, nil)
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
	case action.CodeForbidden:
		s.stop("forbidden", e)
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
	if t.err == nil {
		db.offline = false
		db.batch = min(protocol.MaxActions, db.batch*2)
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
	db.again, db.againHard = "", false
	db.schedule(ms, because)
	db.traced(t.err)
	db.setStates(t.asked, func(s *Stream) {
		switch {
		case t.err == nil && s.installing != nil:
			s.status.State, s.status.Err = StateSyncing, nil
		case t.err == nil:
			s.status.State, s.status.Err = StateLive, nil
		case action.CodeOf(t.err) == action.CodeUnauthorized:
			s.status.State, s.status.Err = StateHeld, action.AsError(t.err, action.CodeInternal)
		case db.offline:
			s.status.State, s.status.Err = StateOffline, action.AsError(t.err, action.CodeUnreachable)
		default:
			s.status.State, s.status.Err = StateWaiting, action.AsError(t.err, action.CodeUnreachable)
		}
	})
	db.tellTurn(t.asked)
	if t.err == nil {
		db.listen()
	}
	if t.err != nil || !t.activity && !t.left && ms > 0 && !db.installing() {
		db.finishSyncs(t.err)
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
		db.wake(becauseMore, true)
		return
	}
	db.setStates(db.streams, func(o *Stream) {
		if o == s {
			s.status.State, s.status.Err = StateWaiting, action.AsError(err, action.CodeUnreachable)
		}
	})
	db.finishSyncs(err)
	if ms, because := db.pauseAfter(turnResult{err: err}); !db.running && (db.cancel == nil || db.nextAt > db.host.Now()+ms) {
		db.schedule(ms, because)
	}
}

// setStates sets the state of those of the streams that are open and not stopped.
func (db *DB) setStates(of map[string]*Stream, f func(*Stream)) {
	for _, s := range db.sorted() {
		if of[s.Name()] == s && s.opened == nil && s.status.State != StateStopped {
			f(s)
			s.statusChanged()
		}
	}
}
