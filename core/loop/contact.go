package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
)

// contact is what a stream knows of the server: whether its last round trip was good, and when it is asked again. Each
// stream has its own, so that one which is damaged, forbidden, too large or slow costs the others nothing.
type contact struct {
	asking    bool          // a request under way is about it
	landing   bool          // it has not made a record of its answer yet
	good      bool          // the last answer was
	answered  int64         // when there was a good one last, Unix milliseconds; 0 for never
	err       *action.Error // why the last try has failed, nil where it has not
	failures  int           // answers in a row that were errors of this stream alone
	notBefore int64         // until then it is not asked, unless somebody wants it
	asked     int64         // milliseconds that the server has asked this stream to wait; 0 where it has not
}

// answeredWell takes note of a good answer.
func (c *contact) answeredWell(now int64) { // until what it says is stored
	*c = contact{landing: c.landing, good: true, answered: now, failures: c.failures}
}

// missed takes note of a request that failed as a whole: the loop pauses for all.
func (c *contact) missed(err error) {
	c.asking, c.good, c.err = false, false, action.AsError(err, action.CodeUnreachable)
}

// refused takes note of an error that is a stream's alone: it pauses alone, longer each time.
func (db *DB) refused(m *member, err error) {
	c := &m.contact
	c.missed(err)
	pause := db.own.Retry << min(c.failures, 4)
	switch f := failureOf(c.err); {
	case f.lasting:
		pause = db.idle // and rights change
	case f.ours: // it is fetched again
		pause = db.own.Retry << min(c.failures, 7)
	}
	c.failures++
	c.notBefore = db.own.Now() + max(c.asked, db.jitter(pause))
	c.asked = 0
	m.kind.Heed(Show)
}

// due tells whether it is the stream's turn.
func (m *member) due() bool { return m.asks() && m.contact.notBefore <= m.db.own.Now() }

// asks tells whether the stream takes part in turns.
func (m *member) asks() bool { return m.serves() && !m.away() }

// reached tells whether the server was, not long ago and as far as this context knows.
func (m *member) reached() bool {
	if !m.contact.good || m.db.offline { // each write asks: the clock is a call out of a browser's program
		return false
	}
	since := m.db.own.Now() - m.contact.answered
	return since >= 0 && since <= 2*m.db.idle
}

// wanted ends the pauses of single streams.
func (db *DB) wanted() {
	for _, m := range db.streams {
		m.contact.notBefore = 0
	}
}

// retryAt is when a stream that pauses alone is asked again, the first of them; 0 where none does.
func (db *DB) retryAt() (at int64) {
	for _, m := range db.streams {
		if t := m.contact.notBefore; m.remote() != nil && m.asks() && t > 0 && (at == 0 || t < at) {
			at = t
		}
	}
	return at
}

// retrySoon sees to it that a stream that pauses alone is asked again.
func (db *DB) retrySoon() {
	at := db.retryAt()
	if db.turn.state == pausing && at > 0 && (!db.own.TimerSet(plan.TimerID{Kind: plan.TurnTimer}) || db.pause.at > at) {
		db.schedule(at-db.own.Now(), becauseRetry)
	}
}

// firstErr is the error of an action stream that was asked last, nil where none has one: what people who wait are told.
func (db *DB) firstErr() error {
	asked := map[*member]bool{}
	for _, m := range db.turn.asked {
		asked[m] = true
	}
	for _, m := range db.sorted() {
		if err := m.err(asked[m]); err != nil && m.remote() != nil {
			return err
		}
	}
	return nil
}

// workErr is that of the data streams that are open here.
func (db *DB) workErr() error {
	for _, d := range db.datas() {
		if err := d.in.err(true); err != nil && !d.in.attended {
			return err
		}
	}
	return nil
}

// err is why the stream is stopped, or, where it was asked, why that has failed.
func (m *member) err(asked bool) error {
	switch {
	case m.stopped != nil:
		return m.stopped.err
	case asked && m.contact.err != nil:
		return m.contact.err
	}
	if old := m.outdated(); old != nil {
		return old
	}
	return nil
}
