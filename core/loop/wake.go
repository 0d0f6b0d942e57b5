package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
)

func (db *DB) woken(because string) {
	if !db.leader.leads && !db.alone {
		db.own.Message('k', because)
	}
	if db.leader.leads {
		db.stir(because)
	}
	db.wanted()
	db.wake(because, true)
}

func (db *DB) onResumed() {
	for _, m := range db.sorted() { // what other contexts have committed meanwhile
		m.kind.Heed(Look)
	}
	db.woken(becauseResumed)
}

// answers takes note that the server has answered what was asked when the browser had said so often that there is no
// network. What was asked before it did says nothing of the time since: no answer need ever follow that would.
func (db *DB) answers(word int) {
	if word == db.word {
		db.offline = false
	}
}

// The streams show it at once; the loop goes on all the same, since the browser may be wrong.
func (db *DB) onOffline() {
	db.offline = true
	db.word++
	for _, m := range db.sorted() {
		m.told = nil
		m.kind.Heed(Show)
	}
	p := &db.pause
	if db.leader.leads {
		for _, d := range db.datas() {
			if at := db.own.Now() + db.own.Retry; d.due > at {
				d.due, d.because = at, becauseOffline
			}
		}
	}
	waits := db.own.TimerSet(plan.TimerID{Kind: plan.TurnTimer}) && p.cutIdle
	if db.leader.leads && waits && p.at > db.own.Now()+db.own.Retry { // browsers are wrong at times
		db.schedule(db.own.Retry, becauseOffline)
	}
}

func (db *DB) onSync(e *plan.Sync) {
	switch p := &db.pause; {
	case db.ended():
		db.own.Done(e.Call, errClosed)
		return
	case db.alone:
		db.own.Done(e.Call, action.Fail(action.CodeUnreachable, "", "no server was named"))
		return
	case db.turn.state != pausing: // the request under way may be older than what it is that the caller knows of
		p.joined = append(p.joined, e.Call)
	default:
		p.syncers = append(p.syncers, e.Call)
	}
	db.wanted()
	db.work.old = true
	db.stir(becauseSync)
	db.wake(becauseSync, true)
}

// syncing tells whether somebody waits for Sync.
func (db *DB) syncing() bool { return len(db.pause.syncers)+len(db.pause.joined) > 0 }

// finishSyncs tells them, unless data streams have their turns still: then it is told when they have had them.
func (db *DB) finishSyncs(err error) {
	p := &db.pause
	if p.waits, p.err = db.serving(), err; p.waits {
		return
	}
	if err == nil {
		err = db.workErr()
	}
	for _, call := range p.syncers {
		db.own.Done(call, err)
	}
	p.syncers = nil
}

// wake runs a turn soon. A new local action (hard is false) cuts the idle pause only, not the one after a failure.
func (db *DB) wake(because string, hard bool) {
	p := &db.pause
	switch {
	case db.alone || db.ended():
	case !db.leader.leads && !db.syncing() && because != becauseMore: // what this context has begun, it goes on with
		db.waitForLeader()
	case db.turn.state != pausing:
		if p.again == "" || hard && !p.againHard {
			p.again, p.againHard = because, hard
		}
	case hard || !db.own.TimerSet(plan.TimerID{Kind: plan.TurnTimer}) || p.cutIdle:
		db.schedule(0, because)
	}
}
