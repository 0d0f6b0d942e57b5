package loop

import (
	"github.com/strandline-sync/strandline/core/plan"
)

// work is the turns of data streams. One has its turn at a time, beside the turn of the action streams, and each in the order of
// their names: a large entry, which goes in parts, keeps nobody waiting for more than one of them.
type work struct {
	streams int   // how many there are
	of      *Data // whose turn it is
	op      plan.Op
	wakeUp  plan.WakeUp // the turn under way
	last    string      // whose turn was the last one
	word    int         // see DB.word
	old     bool        // somebody wants to know what is true later than when the turn under way began
	timer   int64       // when the next one is due; 0 where nobody waits for it

	// Nothing gets through, or there is no token: then nobody is asked for a while.
	notBefore int64
	failures  int
}

// serve gives the next data stream that is due its turn, or sees to it that it has one later.
func (db *DB) serve() {
	w := &db.work
	if w.streams == 0 || w.of != nil || db.alone || db.ended() {
		return
	}
	var next *Data
	now, soonest := db.own.Now(), int64(0)
	for _, d := range db.datas() {
		if d.due == 0 || !d.in.serves() {
			continue
		}
		switch at := max(d.due, d.in.contact.notBefore, w.notBefore); {
		case at > now:
			if soonest == 0 || at < soonest {
				soonest = at
			}
		case next == nil || next.in.name <= w.last && d.in.name > w.last:
			next = d
		}
	}
	if next != nil {
		db.beginWork(next, now)
		return
	}
	if soonest != w.timer {
		w.timer = soonest
		if soonest > 0 {
			db.own.SetTimer(plan.TimerID{Kind: plan.WorkTimer}, soonest-now)
		} else {
			db.own.ClearTimer(plan.TimerID{Kind: plan.WorkTimer})
		}
	}
}

func (db *DB) beginWork(d *Data, now int64) {
	w, m := &db.work, d.in
	w.old, w.word = false, db.word
	w.of, w.last, w.wakeUp = d, m.name, plan.WakeUp{At: now, Because: d.because, Data: d.Name()}
	w.op = db.own.Begin(plan.Flight{Of: plan.OfWork, Stream: m.id})
	d.due = 0
	m.contact.asking, m.told = true, nil
	d.Heed(Show)
	db.own.Plan.Turns = append(db.own.Plan.Turns, plan.Turn{Op: w.op, Name: d.Name(), Hold: d.held, Fetch: d.fetched})
}

// worked goes on when a data stream has had its turn.
func (db *DB) worked(e *plan.Worked) {
	w := &db.work
	d := w.of
	if w.of = nil; d == nil || db.ended() {
		return
	}
	c, err := &d.in.contact, e.Err
	shuts := failureOf(err).shuts() && !e.Alone
	c.asking, d.behind, d.waited = false, false, d.waited && (e.More || w.old)
	d.unsent, d.offset = e.Pending, e.Offset
	if err == nil || !shuts && (e.More || e.Alone) { // a request got through
		if w.failures > 0 {
			db.hints.restart()
		}
		c.answeredWell(db.own.Now())
		w.failures, w.notBefore = 0, 0
		db.answers(w.word)
	}
	if err == nil {
		c.failures = 0
	}
	switch {
	case d.ended:
	case err != nil && w.old && (shuts || !e.More): // that does not count for who wants to know now
		d.call(becauseSync)
	case shuts:
		db.shut(err, e.RetryAfter)
		d.call(becauseRetry)
	case e.More: // with an error what is new is fetched all the same, and may be the remedy
		if d.behind = true; err != nil {
			d.held = true
		}
		d.call(becauseMore)
	case err != nil && failureOf(err).stops != "":
		d.in.stop(failureOf(err).stops, err)
	case err != nil: // its own alone
		d.held, c.asked = false, e.RetryAfter
		db.refused(d.in, err)
		d.call(becauseRetry)
	case d.unsent > 0:
		d.held = false
		d.call(becauseEntry) // queued meanwhile
	default:
		if d.held = false; d.served() && d.fetched && d.due == 0 {
			d.due, d.because = db.own.Now()+db.idle, becauseIdle
			if db.offline { // browsers are wrong at times
				d.due, d.because = db.own.Now()+db.own.Retry, becauseOffline
			}
		}
	}
	w.wakeUp.Fetched, w.wakeUp.Persisted, w.wakeUp.Rejected, w.wakeUp.Cost = e.Fetched, e.Sent, e.Refused, e.Cost
	db.traceOf(w.wakeUp, err)
	d.letGo()
	d.Heed(Show)
	db.tellTurn([]*member{d.in})
	db.listen()
	if db.pause.waits {
		db.finishSyncs(db.pause.err)
	}
}

// shut has no data stream asked for a while, since nothing gets through, or there is no token: all of them show that.
func (db *DB) shut(err error, retryAfter int64) {
	w := &db.work
	w.notBefore = db.own.Now() + max(retryAfter, db.jitter(db.own.Retry<<min(w.failures, 3)))
	if w.failures++; w.failures == 1 {
		db.wake(becauseDeaf, false) // and the action streams
	}
	for _, d := range db.datas() {
		d.in.contact.missed(err)
		d.waited = false
		if d.due == 0 && (d.fetched || d.unsent > 0) && d.served() {
			d.call(becauseRetry)
		}
		d.Heed(Show)
	}
}

// probe has a data stream asked, since a request of the others says that nothing gets through: what is shown as live may not be.
func (db *DB) probe() {
	for _, d := range db.datas() {
		if d.fetched && d.served() && d.in.contact.good {
			d.call(becauseDeaf)
			return
		}
	}
}

// stir has the data streams have their turns now: all that this context serves, or that people wait for here, or else what it has queued.
func (db *DB) stir(because string) {
	db.work.notBefore = 0
	for _, d := range db.datas() {
		d.in.contact.notBefore = 0
		here := !d.in.attended && (db.syncing() || because == becauseFollows && db.silent())
		if d.unsent > 0 || d.fetched && (d.served() || here) {
			d.call(because)
			d.waited = db.syncing()
		}
	}
}

// silent tells whether the leader has said nothing for so long that it is passed by.
func (db *DB) silent() bool { return db.own.Now() >= db.leader.heardAt+deadAfter }

// serving tells whether people wait for a data stream that has not had its turns.
func (db *DB) serving() bool {
	for _, d := range db.datas() {
		if d.waited && d.in.serves() {
			return true
		}
	}
	return false
}

// restWork takes the turns back that are due: another context leads.
func (db *DB) restWork() {
	for _, d := range db.datas() {
		if d.waited = false; !d.own {
			d.due = 0
		}
	}
}

// shuts tells whether an error is of the way to the server, not of what was asked.
func (f failure) shuts() bool { return f.line || f.slow || f.token }
