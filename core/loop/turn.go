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
	asked []*member // of each item
	size  int       // of the request, in bytes
	land  int       // how many streams have not landed yet
	word  int       // see DB.word

	left       bool // streams were left out for the next one
	activity   bool
	err        error
	retryAfter int64

	spentBy string // the stream whose actions left no room for the others': the next request begins after it
	last    string // with more streams than one request may name, the next one begins after it
}

// nextStreams lists the streams whose turn it is: those after the last one asked, in the order of their names.
func (db *DB) nextStreams() []*member {
	all := db.sorted()
	for i, m := range all {
		if m.name > db.turn.last {
			all = all[i:]
			break
		}
	}
	if by := db.turn.spentBy; by != "" && db.turn.last == "" && len(all) <= protocol.MaxStreams {
		for i, m := range all {
			if m.name > by {
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
	p.syncers, p.joined, p.waits = append(p.syncers, p.joined...), nil, false
	passing := !db.leader.leads && p.because == becauseFollows
	if passing {
		db.stir(becauseFollows)
	}
	opening := db.ask()
	if len(t.items) == 0 {
		p.at, p.because = 0, ""
		if at := db.retryAt(); at > 0 {
			db.schedule(at-db.own.Now(), becauseRetry)
		}
		if passing && db.work.streams > 0 { // nobody else looks after the data streams
			db.passedBy()
			db.schedule(db.idle*silence/2, becauseFollows)
		}
		if !opening && !db.fetching() { // else the one that opens runs the loop
			db.finishSyncs(db.firstErr())
		}
		return
	}
	t.state, t.word = sent, db.word
	p.again, p.againHard = "", false
	db.current = plan.WakeUp{At: db.own.Now(), Because: p.because, Streams: plan.Named(names(t.asked))}
	for _, m := range t.asked {
		m.contact.asking, m.told = true, nil
		m.kind.Heed(Show)
		if p.because == becauseIdle { // where contexts do not hear of each other, this is when they see what the server will not tell
			m.kind.Heed(Look)
		}
	}
	body := protocol.AppendSyncRequest(nil, t.items, db.line.asked())
	t.size = len(body)
	t.op = db.own.Request(plan.Flight{Of: plan.OfTurn}, plan.Request{Body: body, Idle: idleFor(len(body))})
}

func names(asked []*member) (out []string) {
	for _, m := range asked {
		out = append(out, m.name)
	}
	return out
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
	for i, m := range t.asked {
		m.contact.asking, m.contact.landing = false, true
		m.remote().Answered(&t.items[i], find(answers, t.items[i].Stream))
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

// landed takes note of what became of a stream's answer. An error is this stream's alone.
func (db *DB) landed(m *member, activity bool, err error) {
	if !m.contact.landing {
		return
	}
	db.turn.activity = db.turn.activity || activity
	switch {
	case err == nil:
		m.contact.failures = 0
	case m.life() != Closed:
		db.refused(m, err)
	}
	db.leftTurn(m)
}

// leftTurn counts a stream off.
func (db *DB) leftTurn(m *member) {
	if m.contact.landing {
		m.contact.landing = false
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
		db.answers(t.word)
	} else {
		for _, m := range t.asked {
			m.contact.missed(t.err)
		}
		if !wasDown && failureOf(t.err).shuts() {
			db.probe()
		}
	}
	switch {
	case db.leader.leads:
	case db.elect && db.leader.outdone > 0 && db.current.Persisted > 0:
		db.own.Steal = true
	case db.current.Because == becauseFollows:
		db.passedBy()
	}
	ms, because := db.pauseAfter()
	if t.err == nil && p.again == "" && db.hasNews() {
		p.again = becauseHint
	}
	if t.err == nil && db.offline && ms > db.own.Retry { // browsers are wrong at times
		ms, because = db.own.Retry, becauseOffline
	}
	if p.again != "" && (t.err == nil || p.againHard) {
		ms, because = 0, p.again
	} else if !db.leader.leads {
		if ms = db.followerPause(ms); ms > 0 && t.err == nil {
			because = becauseFollows
		}
	}
	if at := db.retryAt(); at > 0 && t.err == nil && at-db.own.Now() < ms {
		ms, because = max(0, at-db.own.Now()), becauseRetry
	}
	p.again, p.againHard = "", false
	db.schedule(ms, because)
	err := t.err
	if err == nil {
		err = db.firstErr()
	}
	db.traced(err)
	for _, m := range t.asked {
		m.kind.Heed(Show)
	}
	db.tellTurn(t.asked)
	if t.err == nil {
		if wasDown { // what is back for one is back for the others
			db.hints.restart()
			db.work.notBefore, db.work.failures = 0, 0
		}
		db.listen()
	}
	if t.err != nil || !t.activity && !t.left && ms > 0 && !db.fetching() {
		db.finishSyncs(err)
	}
	t.items, t.asked = nil, nil
}

// fetching tells whether a stream is away for something large, or will be soon.
func (db *DB) fetching() bool {
	for _, m := range db.streams {
		st, err := m.kind.Standing(), m.contact.err
		if st.Away || st.Doubt && m.serves() && (err == nil || failureOf(err).resets != "") {
			return true
		}
	}
	return false
}
