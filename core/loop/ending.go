package loop

import (
	"errors"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/journal"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/replica"
)

// endState is how far the end of a database is.
type endState uint8

const (
	running  endState = iota
	draining          // to be destroyed: what is written becomes durable, and nothing more is written
	listing           // which streams have a local log
	counting          // reading those that are not open
	wiping            // the database is deleted, if it is as it was counted
	leaving           // to be closed: the streams end
	letting           // the store is let go of
	over
)

// endings are the transitions: to which, as bits.
var endings = [...]uint16{
	running:  1<<draining | 1<<leaving | 1<<wiping,
	draining: 1<<listing | 1<<leaving | 1<<wiping,
	listing:  1<<running | 1<<counting | 1<<leaving | 1<<wiping,
	counting: 1<<running | 1<<draining | 1<<leaving | 1<<wiping,
	wiping:   1<<draining | 1<<over,
	leaving:  1<<letting | 1<<wiping,
	letting:  1 << over,
	over:     0,
}

// ending is the end of a database.
type ending struct {
	state   endState
	op      plan.Op
	force   bool
	call    plan.Call   // of who wants it destroyed
	closers []plan.Call // of those who want it closed
	names   []string    // of the streams that are still to be counted
	next    map[string]locallog.LSN
	unsent  int
}

var errClosed = action.Fail(action.CodeClosed, "", "the database is closed")

func (db *DB) become(next endState) {
	if endings[db.ending.state]>>next&1 == 0 {
		panic("loop: the end of a database took a turn that does not exist")
	}
	db.ending.state = next
	db.own.Ending, db.own.Wiping = next != running, next == wiping
}

// ended tells whether the loop has.
func (db *DB) ended() bool {
	end := &db.ending
	return end.state >= leaving || end.state == wiping && end.force
}

func (db *DB) onClose(e *plan.Close) {
	end := &db.ending
	if end.state == over {
		db.own.Done(e.Call, nil)
		return
	}
	end.closers = append(end.closers, e.Call)
	if end.state >= wiping {
		return
	}
	db.own.End(end.op)
	db.own.Done(end.call, errClosed) // what was to be destroyed is not
	end.call = 0
	db.become(leaving)
	db.stopLoop()
	for _, m := range db.sorted() {
		m.kind.Close(0)
	}
}

func (db *DB) onDestroy(e *plan.Destroy) {
	end := &db.ending
	switch {
	case end.state == over || end.state == wiping || end.state == letting || end.state != running && !e.Force:
		db.own.Done(e.Call, errClosed)
	case e.Force:
		db.own.End(end.op)
		db.own.Done(end.call, errClosed)
		end.call, end.force = e.Call, true
		db.become(wiping)
		db.stopLoop()
		for _, m := range db.all() { // nothing is waited for: what is in flight goes down with the rest
			m.kind.End(journal.ErrClosed)
		}
		db.ending.op = db.own.Access(plan.Flight{Of: plan.OfEnding}, plan.Access{Kind: plan.Wipe})
	default:
		end.call = e.Call
		db.become(draining) // first of all: what is written from here on would be lost
	}
}

// stopLoop ends turns and hints.
func (db *DB) stopLoop() {
	db.deafen()
	for _, kind := range [...]plan.TimerKind{plan.TurnTimer, plan.HintsTimer, plan.WorkTimer} {
		db.own.ClearTimer(plan.TimerID{Kind: kind})
	}
	db.own.Abort(db.turn.op)
	db.own.Abort(db.work.op)
	db.turn, db.work = turn{}, work{streams: db.work.streams}
	for _, d := range db.datas() {
		d.due, d.waited = 0, false
	}
	for _, m := range db.known {
		m.contact.landing = false
	}
	p := &db.pause
	p.syncers, p.joined = append(p.syncers, p.joined...), nil
	db.finishSyncs(errClosed)
}

// advance goes on with what waits for streams, not for one event.
func (db *DB) advance() {
	db.heed()
	db.finishLanded()
	db.serve()
	switch db.ending.state {
	case draining:
		if !db.busy() {
			db.become(listing)
			db.ending.op = db.own.Access(plan.Flight{Of: plan.OfEnding}, plan.Access{Kind: plan.ListStreams})
		}
	case leaving:
		if len(db.known) == 0 {
			db.become(letting)
			db.ending.op = db.own.Access(plan.Flight{Of: plan.OfEnding}, plan.Access{Kind: plan.Release})
		}
	}
	db.heed()
}

// busy tells whether a stream has something to bring to an end first, and starts it.
func (db *DB) busy() bool {
	for _, m := range db.all() {
		if m.kind.Standing().Busy {
			m.kind.Heed(Pump)
			return true
		}
	}
	return false
}

func (db *DB) endingStep(e plan.Event) {
	switch e := e.(type) {
	case *plan.Listed:
		db.listed(e.Names, e.Err)
	case *plan.Loaded:
		db.counted(&e.Log, e.Err)
	case *plan.Stored:
		db.wiped(e.Err)
	}
}

// listed begins to count what the server does not have.
func (db *DB) listed(names []string, err error) {
	end := &db.ending
	if err != nil {
		db.stays(0, err)
		return
	}
	end.names, end.next, end.unsent = nil, map[string]locallog.LSN{}, 0
	for _, name := range names {
		if m := db.streams[name]; m != nil && m.life() == Open {
			st := m.kind.Standing()
			end.unsent += st.Unsent + st.Refused
			end.next[name] = st.Next
		} else {
			end.names = append(end.names, name)
		}
	}
	db.become(counting)
	db.count()
}

// count reads the next local log, and deletes the database when none is left.
func (db *DB) count() {
	end := &db.ending
	switch {
	case len(end.names) > 0:
		end.op = db.own.Access(plan.Flight{Of: plan.OfEnding}, plan.Access{Kind: plan.Load, Stream: end.names[0]})
	case end.unsent > 0:
		db.stays(end.unsent, action.Fail(action.CodeUnsent, "", "actions are there that the server does not have"))
	case db.busy():
		db.become(draining)
	default:
		db.become(wiping)
		end.op = db.own.Access(plan.Flight{Of: plan.OfEnding}, plan.Access{Kind: plan.Wipe, Next: end.next})
	}
}

// counted goes on with one. A log that cannot be read is an error: it is never taken for an empty one.
func (db *DB) counted(log *locallog.Log, err error) {
	end := &db.ending
	name := end.names[0]
	end.names = end.names[1:]
	var r *replica.Replica
	if err == nil {
		r, err = replica.Read(name, 0, log, db.own.Pace)
	}
	if err != nil {
		db.stays(0, err)
		return
	}
	end.unsent += r.Unsent() + r.Refusals()
	end.next[name] = r.NextLSN()
	db.count()
}

// stays ends the try to destroy the database: it is as it was.
func (db *DB) stays(unsent int, err error) {
	call := db.ending.call
	db.become(running)
	db.ending = ending{}
	db.own.Answer(call, &plan.Done{Call: call, Err: err, Unsent: unsent})
	for _, m := range db.sorted() {
		m.kind.Heed(Pump)
	}
}

// wiped goes on when the database was deleted, or let go of.
func (db *DB) wiped(err error) {
	end := &db.ending
	wiped := end.state == wiping
	switch {
	case wiped && !end.force && errors.Is(err, locallog.ErrLost): // somebody has written meanwhile: it is counted again
		db.become(draining)
		for _, m := range db.sorted() {
			m.kind.Heed(Look)
		}
		return
	case wiped && !end.force:
		db.stopLoop()
		for _, m := range db.all() {
			m.kind.End(nil)
		}
	}
	db.become(over)
	if wiped {
		db.own.Done(end.call, err)
		err = nil
	}
	for _, call := range end.closers {
		db.own.Done(call, err)
	}
	end.closers = nil
}
