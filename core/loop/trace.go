package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
)

// Trace is the last turns that this context ran, oldest first.
func (db *DB) Trace() []plan.WakeUp { return db.trace.All() }

func (db *DB) traced(err error) { db.traceOf(db.current, err) }

func (db *DB) traceOf(w plan.WakeUp, err error) {
	w.Took = db.own.Now() - w.At
	w.At = db.own.Shown(w.At)
	if err != nil {
		w.Code = action.CodeOf(err)
	}
	db.trace.Add(w)
}

// next tells when the loop runs next and why: here, or where it is run.
func (db *DB) next() (at int64, because string) {
	if l := &db.leader; !l.leads && l.next > db.own.Now() {
		return l.next, l.because
	}
	return db.pause.at, db.pause.because
}
