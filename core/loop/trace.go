package loop

import (
	"github.com/strandline-sync/strandline/core/action"
)

// WakeUp is one turn of the loop as people see it.
type WakeUp struct {
	At, Took                     int64 // Unix milliseconds; milliseconds
	Because                      string
	Data                         string // the data stream whose turn it was; empty for that of the action streams
	Fetched, Persisted, Rejected int
	Code                         string // of the error that ended it, or empty
}

// maxTrace is how many turns are remembered.
const maxTrace = 100

// Trace is the last turns that this context ran, oldest first.
func (db *DB) Trace() []WakeUp { return db.trace }

func (db *DB) traced(err error) { db.traceOf(db.current, err) }

func (db *DB) traceOf(w WakeUp, err error) {
	w.Took = db.own.Now() - w.At
	w.At = db.own.Shown(w.At)
	if err != nil {
		w.Code = action.CodeOf(err)
	}
	if len(db.trace) == maxTrace {
		db.trace = append(db.trace[:0:0], db.trace[maxTrace/10:]...)
	}
	db.trace = append(db.trace, w)
}

// next tells when the loop runs next and why: here, or where it is run.
func (db *DB) next() (at int64, because string) {
	if l := &db.leader; !l.leads && l.next > db.own.Now() {
		return l.next, l.because
	}
	return db.pause.at, db.pause.because
}
