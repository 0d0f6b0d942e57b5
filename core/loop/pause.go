package loop

import (
	"github.com/strandline-sync/strandline/core/action"
)

// The pauses of the seed, in milliseconds.
const (
	DefaultRetry = 5_000  // after a network failure, ±10 % jitter
	DefaultIdle  = 60_000 // when nothing was fetched or persisted
	idleLimit    = 30_000 // a request of which nothing is heard for so long has failed
)

// Why a turn runs, or why the loop waits; for people.
const (
	becauseStart   = "start"
	becauseWrite   = "a new local action"
	becauseMore    = "activity in the last turn"
	becauseRetry   = "a failure; trying again"
	becauseIdle    = "nothing to do; looking for news"
	becauseAsked   = "the server asked to wait"
	becauseToken   = "no valid token; asking again"
	becauseReady   = "what an action waited for is there"
	becauseHint    = "the server says that there is news"
	becauseDeaf    = "no connection for hints; looking whether the server is there"
	becauseLeads   = "this context leads from now on"
	becauseFollows = "another context runs the loop; looking whether it does"
	becauseResumed = "the page goes on after a freeze"
	becauseSync    = "sync()"
	becauseOffline = "the browser says it is offline; looking whether it is"
)

// jitter is about ms, so that not all clients come at once.
func (db *DB) jitter(ms int64) int64 { return int64(float64(ms) * (0.9 + 0.2*db.host.Random())) }

// pauseAfter is how long the loop waits after a turn, and why.
func (db *DB) pauseAfter(t turnResult) (ms int64, because string) {
	switch {
	case t.err != nil:
		ms = db.jitter(db.retry)
		because = becauseRetry
		if action.CodeOf(t.err) == action.CodeUnauthorized {
			because = becauseToken
		}
		if t.retryAfter > 0 {
			ms, because = t.retryAfter, becauseAsked
		}
		return ms, because
	case t.activity || t.left:
		return 0, becauseMore
	default:
		return db.idle, becauseIdle
	}
}
