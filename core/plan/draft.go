package plan

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/replica"
)

// Sources are what a core cannot compute. None of them has an effect.
type Sources interface {
	// Now is the wall time in Unix milliseconds. It labels actions and schedules the loop; no rule of the fold reads it.
	Now() int64
	// NewID makes a fresh UUID for an action or object; version 7, so that ids sort by time.
	NewID() action.UUID
	// NewClient makes the random id of a new local log.
	NewClient() action.UUID
	// Random is in [0, 1): the jitter of pauses.
	Random() float64
}

// Matter is what an op is about.
type Matter uint8

const (
	OfTurn       Matter = iota + 1
	OfWork              // a turn of a data stream
	OfJournal           // a stream's local log
	OfInstall           // fetching a checkpoint of the server
	OfCompaction        // a local checkpoint
	OfShown             // what is shown at a record; whatever comes of it
	OfEnding            // of the database
	OfList
	OfHints // the connection for them
)

// Flight is something that a plan has begun: what about, for which stream or call.
type Flight struct {
	Of     Matter
	Stream StreamID
	Call   Call
}

// Draft is the plan of the step under way, and what former ones have begun.
type Draft struct {
	sources Sources
	Plan
	Where StoreName // the store that is accessed

	flights map[Op]Flight
	last    Op
	timers  map[TimerID]bool // that are set
	status  []StreamID       // whose status may be another since the step began

	now   int64 // see Now
	ahead int64 // of the wall time
}

// Now is the time that pauses are measured by, in milliseconds: the wall time, but that it never goes back. A clock that is set back
// would else make everybody wait for as long.
func (d *Draft) Now() int64 {
	now := d.Wall() + d.ahead
	if now < d.now {
		d.ahead += d.now - now
		now = d.now
	}
	d.now = now
	return now
}

// Wall is the wall time, which labels what is shown.
func (d *Draft) Wall() int64 { return d.sources.Now() }

// NewID, NewClient and Random are the sources'.
func (d *Draft) NewID() action.UUID     { return d.sources.NewID() }
func (d *Draft) NewClient() action.UUID { return d.sources.NewClient() }
func (d *Draft) Random() float64        { return d.sources.Random() }

// Shown is the wall time of a time of Now's; 0 stays 0. Ours is the reverse.
func (d *Draft) Shown(now int64) int64 {
	if now == 0 {
		return 0
	}
	return now - d.ahead
}

// Ours is the time of Now's at a wall time; 0 stays 0.
func (d *Draft) Ours(wall int64) int64 {
	if wall == 0 {
		return 0
	}
	return wall + d.ahead
}

// NewDraft makes one.
func NewDraft(s Sources) *Draft {
	return &Draft{sources: s, flights: map[Op]Flight{}, timers: map[TimerID]bool{}}
}

// Take gives the plan of a step that is over.
func (d *Draft) Take() Plan {
	for _, id := range d.status {
		d.Notices = append(d.Notices, &StatusChanged{id})
	}
	d.status = d.status[:0]
	p := d.Plan
	d.Plan = Plan{}
	return p
}

// Begin gives a number to what is begun.
func (d *Draft) Begin(f Flight) Op {
	d.last++
	d.flights[d.last] = f
	return d.last
}

// End takes an op out of what is in flight, and tells what it was; the zero Flight where it is not: it was told before, or nobody
// waits for it any more.
func (d *Draft) End(op Op) Flight {
	f := d.flights[op]
	delete(d.flights, op)
	return f
}

// Access asks the store for something.
func (d *Draft) Access(f Flight, a Access) Op {
	a.Op, a.Store = d.Begin(f), d.Where
	d.Plan.Store = append(d.Plan.Store, a)
	return a.Op
}

// Request asks the server for something.
func (d *Draft) Request(f Flight, r Request) Op {
	r.Op = d.Begin(f)
	d.Requests = append(d.Requests, r)
	return r.Op
}

// Abort ends a request, if it is under way.
func (d *Draft) Abort(op Op) {
	if d.End(op).Of != 0 {
		d.Aborts = append(d.Aborts, op)
	}
}

// SetTimer sets one, in ms milliseconds.
func (d *Draft) SetTimer(id TimerID, ms int64) {
	d.timers[id] = true
	d.timer(Timer{id, d.Wall() + max(0, ms)})
}

// ClearTimer takes one back.
func (d *Draft) ClearTimer(id TimerID) {
	if d.Fired(id) {
		d.timer(Timer{ID: id})
	}
}

// TimerSet tells whether one is.
func (d *Draft) TimerSet(id TimerID) bool { return d.timers[id] }

// Fired takes note that a timer's time has come; false where it is not set.
func (d *Draft) Fired(id TimerID) bool {
	set := d.timers[id]
	delete(d.timers, id)
	return set
}

func (d *Draft) timer(t Timer) {
	for i := range d.Timers {
		if d.Timers[i].ID == t.ID {
			d.Timers[i] = t
			return
		}
	}
	d.Timers = append(d.Timers, t)
}

// Notice notes one.
func (d *Draft) Notice(n Notice) { d.Notices = append(d.Notices, n) }

// Answer notes one to who waits.
func (d *Draft) Answer(call Call, n Notice) {
	if call != 0 {
		d.Notice(n)
	}
}

// Done notes that what somebody waits for is done, or why it is not.
func (d *Draft) Done(call Call, err error) { d.Answer(call, &Done{Call: call, Err: err}) }

// StatusChanged notes that a stream's status may be another, once a step.
func (d *Draft) StatusChanged(id StreamID) {
	for _, noted := range d.status {
		if noted == id {
			return
		}
	}
	d.status = append(d.status, id)
}

// Changed notes what has changed of a stream's rows; all of a step is one change.
func (d *Draft) Changed(id StreamID, remote bool, by replica.Difference) {
	for i := range d.Changes {
		if c := &d.Changes[i]; c.Stream == id {
			c.Remote, c.All = c.Remote || remote, c.All || by.All
			c.Shown, c.Logged = append(c.Shown, by.Shown...), append(c.Logged, by.Logged...)
			return
		}
	}
	d.Changes = append(d.Changes, Change{id, remote, by})
}

// Closed notes that a stream is; nothing more is told of it.
func (d *Draft) Closed(id StreamID, err error) {
	for i, noted := range d.status {
		if noted == id {
			d.status = append(d.status[:i:i], d.status[i+1:]...)
			break
		}
	}
	d.Notice(&Closed{id, err})
}
