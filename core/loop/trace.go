package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
)

// WakeUp is one turn of the loop as people see it.
type WakeUp struct {
	At, Took                     int64 // Unix milliseconds; milliseconds
	Because                      string
	Data                         string // the data stream whose turn it was; empty for that of the action streams
	Streams                      string // the action streams that were asked for, separated by spaces; "…" for those beyond the first few
	Cost                         plan.Cost
	Fetched, Persisted, Rejected int
	Code                         string // of the error that ended it, or empty
}

// maxNamed is how many streams a turn names.
const maxNamed = 5

// named lists the streams of a turn for people.
func named(asked []*member) string {
	text := ""
	for i, m := range asked {
		if i == maxNamed {
			return text + " …"
		}
		if i > 0 {
			text += " "
		}
		text += m.name
	}
	return text
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
