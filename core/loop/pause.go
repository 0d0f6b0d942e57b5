package loop

import "github.com/strandline-sync/strandline/core/plan"

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
	becauseOpened  = "a data stream was opened"
	becauseEntry   = "a new entry of a data stream"
	becauseOffline = "the browser says it is offline; looking whether it is"
)

// pause is the loop's wait for its next turn, and who waits with it.
type pause struct {
	at        int64 // when the next turn is, Unix milliseconds; 0 for none
	because   string
	cutIdle   bool   // a new local action cuts it
	again     string // why the next turn follows the one under way at once, or empty
	againHard bool   // it does so after a failure too
	syncers   []plan.Call
	joined    []plan.Call // those that came while a turn was under way: the next one is theirs
	waits     bool        // they are told when the data streams have had their turns, too
	err       error       // and what
}

// jitter is about ms, so that not all clients come at once.
func (db *DB) jitter(ms int64) int64 { return int64(float64(ms) * (0.9 + 0.2*db.own.Random())) }

// pauseAfter is how long the loop waits after a turn, and why.
func (db *DB) pauseAfter() (ms int64, because string) {
	t := &db.turn
	switch {
	case t.err != nil:
		ms, because = db.jitter(db.own.Retry), becauseRetry
		if failureOf(t.err).token {
			because = becauseToken
		}
		if failureOf(t.err).lasting {
			ms = db.idle // and rights change
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

// schedule sets the pause.
func (db *DB) schedule(ms int64, because string) {
	p := &db.pause
	ms = max(0, ms)
	p.at, p.because = db.own.Now()+ms, because
	p.cutIdle = ms == 0 || because == becauseIdle || because == becauseRetry && !db.line.down // one stream alone is tried again
	db.own.SetTimer(plan.TimerID{Kind: plan.TurnTimer}, ms)
}
