package loop

import "github.com/strandline-sync/strandline/core/action"

// Wake cuts any pause; because tells people why.
func (db *DB) Wake(because string) {
	if !db.leading && db.transport != nil {
		db.tell('k', because)
	}
	db.wanted()
	db.wake(because, true)
}

// Ready runs a turn soon: what an action waited for may be there.
func (db *DB) Ready() { db.wake(becauseReady, false) }

// Resume reads what other contexts have committed while this one was frozen, and cuts any pause.
func (db *DB) Resume() {
	for _, s := range db.sorted() {
		s.Refresh()
	}
	db.Wake(becauseResumed)
}

// Offline notes that the browser says it has no network. The streams show it at once; the loop goes on all the same,
// since the browser may be wrong.
func (db *DB) Offline() {
	db.offline = true
	for _, s := range db.sorted() {
		s.told = nil
		s.statusChanged()
	}
	if db.leading && db.cancel != nil && db.cutIdle && db.nextAt > db.host.Now()+db.retry { // browsers are wrong at times
		db.schedule(db.retry, becauseOffline)
	}
}

// Sync runs the loop now until nothing is left to fetch or persist, or it fails.
func (db *DB) Sync(done func(error)) {
	if db.closed {
		done(errClosed)
		return
	}
	if db.transport == nil {
		done(action.Fail(action.CodeUnreachable, "", "no server was named"))
		return
	}
	if db.running { // the request under way may be older than what it is that the caller knows of
		db.joined = append(db.joined, done)
	} else {
		db.syncers = append(db.syncers, done)
	}
	db.wanted()
	db.wake(becauseSync, true)
}

// syncing tells whether somebody waits for Sync.
func (db *DB) syncing() bool { return len(db.syncers)+len(db.joined) > 0 }

// wake runs a turn soon. A new local action (hard is false) cuts the idle pause only, not the one after a failure.
func (db *DB) wake(because string, hard bool) {
	if db.transport == nil || db.closed {
		return
	}
	if !db.leading && !db.syncing() {
		db.waitForLeader()
		return
	}
	if db.running {
		if db.again == "" || hard && !db.againHard {
			db.again, db.againHard = because, hard
		}
		return
	}
	if !hard && db.cancel != nil && !db.cutIdle {
		return
	}
	db.schedule(0, because)
}

// schedule sets the pause.
func (db *DB) schedule(ms int64, because string) {
	if db.cancel != nil {
		db.cancel()
	}
	db.nextAt, db.because = db.host.Now()+ms, because
	db.cutIdle = ms == 0 || because == becauseIdle || because == becauseRetry && !db.down // one stream alone is tried again
	db.cancel = db.host.After(ms, func() {
		db.cancel = nil
		db.turn()
	})
}

func (db *DB) finishSyncs(err error) {
	waiting := db.syncers
	db.syncers = nil
	for _, done := range waiting {
		done(err)
	}
}
