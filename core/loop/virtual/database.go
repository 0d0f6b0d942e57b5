package virtual

import (
	"context"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/replica"
)

// Transport carries a database's requests. Sync and Checkpoint are called in the middle of a request's latency; ctx ends with the
// request. Listen calls heard and ended on the host, until stop is called.
type Transport interface {
	Sync(ctx context.Context, body []byte, idle plan.Idle) (answer []byte, retryAfter int64, err error)
	Checkpoint(ctx context.Context, stream string, offer *protocol.CheckpointOffer, idle plan.Idle) (text []byte, err error)
	Listen(about protocol.Topics, heard func(protocol.Hint), ended func(err error)) (stop func())
}

// Config is what a database is made of, and who carries its plans on to others; what is nil is not there.
type Config struct {
	loop.Config
	Store     locallog.Store
	Refuge    func() locallog.Store
	Transport Transport
	Tell      func(message []byte)
	Slot      func(change plan.SlotChange)
	Steal     func()
	Await     func(entry plan.Entry)
	Work      func(turn plan.Turn, done func(plan.Worked)) // makes requests of data streams
	Told      func(n plan.Notice)
	// Fault decides what becomes of an event on its way: how often it comes, and how many milliseconds later. The first one of what
	// ends an op always comes.
	Fault func(e plan.Event) (times int, late int64)
	// Line, where not nil, is what requests go over, in the place of the world's latency.
	Line *Line
	// Trace hears of every step.
	Trace func(e plan.Event, p *plan.Plan)
}

// Database carries out the plans of a loop on virtual time.
type Database struct {
	*loop.DB
	host   *Host
	config Config
	refuge locallog.Store
	timers map[plan.TimerID]func()
	aborts map[plan.Op]context.CancelFunc
	deaf   func()
	calls  map[plan.Call]func(plan.Notice)
	last   plan.Call
	more   bool
}

// Open makes a database on a host.
func (h *Host) Open(c Config) *Database {
	c.Sources = h
	c.Alone = c.Transport == nil
	c.Slots, c.Shared, c.Config.Refuge = c.Slot != nil, c.Tell != nil, c.Refuge != nil
	return &Database{DB: loop.New(c.Config), host: h, config: c, timers: map[plan.TimerID]func(){}, aborts: map[plan.Op]context.CancelFunc{},
		calls: map[plan.Call]func(plan.Notice){}}
}

// Step takes an event and carries its plan out.
func (d *Database) Step(e plan.Event) {
	p := d.DB.Step(e)
	if d.config.Trace != nil {
		d.config.Trace(e, &p)
	}
	d.carry(&p)
}

// deliver brings an event that the world makes: some come late, twice or never.
func (d *Database) deliver(e plan.Event, must bool) {
	times, late := 1, int64(0)
	if d.config.Fault != nil {
		times, late = d.config.Fault(e)
	}
	if times == 0 && must {
		times = 1
	}
	for i := range times {
		if late == 0 && i == 0 {
			d.Step(e)
			continue
		}
		d.host.After(late, func() { d.Step(e) })
	}
}

func (d *Database) store(name plan.StoreName) locallog.Store {
	if name == plan.Database {
		return d.config.Store
	}
	if d.refuge == nil {
		d.refuge = d.config.Refuge()
	}
	return d.refuge
}

func (d *Database) carry(p *plan.Plan) {
	for i := range p.Store {
		a := &p.Store[i]
		store := d.store(a.Store)
		d.host.Do(func() func() {
			e := a.Run(store)
			return func() { d.deliver(e, true) }
		})
	}
	for _, op := range p.Aborts {
		if abort := d.aborts[op]; abort != nil {
			abort()
		}
	}
	for i := range p.Requests {
		d.request(&p.Requests[i])
	}
	for _, t := range p.Turns {
		d.config.Work(t, func(e plan.Worked) {
			e.Op = t.Op
			d.deliver(&e, true)
		})
	}
	if p.Listen != nil {
		d.listen(p.Listen)
	}
	for _, t := range p.Timers {
		d.timer(t)
	}
	for _, c := range p.Slots {
		d.config.Slot(c)
	}
	for _, e := range p.Awaits {
		if d.config.Await != nil {
			d.config.Await(e)
		}
	}
	for _, m := range p.Tells {
		d.config.Tell(m)
	}
	if p.Steal {
		d.config.Steal()
	}
	if p.More && !d.more {
		d.more = true
		d.host.After(0, func() { d.more = false; d.Step(&plan.More{}) })
	}
	for _, n := range p.Notices {
		d.told(n)
	}
}

func (d *Database) request(r *plan.Request) {
	ctx, abort := context.WithCancel(context.Background())
	d.aborts[r.Op] = abort
	ask := func() *plan.Answered {
		e := &plan.Answered{Op: r.Op}
		if r.Offer != nil {
			e.Body, e.Err = d.config.Transport.Checkpoint(ctx, r.Stream, r.Offer, r.Idle)
			e.Body = e.Body[min(len(r.Have), len(e.Body)):]
		} else {
			e.Body, e.RetryAfter, e.Err = d.config.Transport.Sync(ctx, r.Body, r.Idle)
		}
		return e
	}
	told := func(e *plan.Answered) {
		e.Body = append(r.Have[:len(r.Have):len(r.Have)], e.Body...)
		abort()
		delete(d.aborts, r.Op)
		d.deliver(e, true)
	}
	if d.config.Line != nil {
		d.config.Line.carry(d.host, r, ask, told)
		return
	}
	d.host.Do(func() func() {
		e := ask()
		return func() { told(e) }
	})
}

func (d *Database) listen(l *plan.Listen) {
	if d.deaf != nil {
		d.deaf()
		d.deaf = nil
	}
	if l.About.Len() == 0 {
		return
	}
	d.deaf = d.config.Transport.Listen(l.About,
		func(h protocol.Hint) { d.deliver(&plan.Hinted{Op: l.Op, Hint: h}, false) },
		func(err error) { d.deliver(&plan.HintsEnded{Op: l.Op, Err: err}, true) })
}

func (d *Database) timer(t plan.Timer) {
	if cancel := d.timers[t.ID]; cancel != nil {
		cancel()
		delete(d.timers, t.ID)
	}
	if t.At > 0 {
		d.timers[t.ID] = d.host.After(t.At-d.host.Now(), func() {
			delete(d.timers, t.ID)
			d.deliver(&plan.Fired{Timer: t.ID}, true)
		})
	}
}

func (d *Database) told(n plan.Notice) {
	var call plan.Call
	switch n := n.(type) {
	case *plan.Opened:
		call = n.Call
	case *plan.Done:
		call = n.Call
	case *plan.Fate:
		call = n.Call
	case *plan.Names:
		call = n.Call
	default:
		if d.config.Told != nil {
			d.config.Told(n)
		}
		return
	}
	if f := d.calls[call]; f != nil {
		delete(d.calls, call)
		f(n)
	}
}

// call names somebody who waits.
func (d *Database) call(f func(n plan.Notice)) plan.Call {
	d.last++
	d.calls[d.last] = f
	return d.last
}

func (d *Database) done(f func(error)) plan.Call {
	return d.call(func(n plan.Notice) { f(n.(*plan.Done).Err) })
}

// Open opens a stream.
func (d *Database) Open(name string, o plan.Options, opened func(*Stream, error)) {
	d.Step(&plan.Open{Name: name, Options: o, Call: d.call(func(n plan.Notice) {
		if o := n.(*plan.Opened); o.Err != nil {
			opened(nil, o.Err)
		} else {
			opened(d.Stream(name), nil)
		}
	})})
}

// Close closes the database.
func (d *Database) Close(done func(error)) { d.Step(&plan.Close{Call: d.done(done)}) }

// Destroy destroys it.
func (d *Database) Destroy(force bool, done func(unsent int, err error)) {
	d.Step(&plan.Destroy{Force: force, Call: d.call(func(n plan.Notice) { done(n.(*plan.Done).Unsent, n.(*plan.Done).Err) })})
}

// Sync runs the loop.
func (d *Database) Sync(done func(error)) { d.Step(&plan.Sync{Call: d.done(done)}) }

// Wake cuts a pause.
func (d *Database) Wake(because string) { d.deliver(&plan.Woken{Because: because}, false) }

// Lead makes this context the leader.
func (d *Database) Lead() { d.Step(&plan.Led{Leads: true}) }

// Follow makes it a follower.
func (d *Database) Follow() { d.Step(&plan.Led{}) }

// Hear brings a message of another context.
func (d *Database) Hear(message []byte) { d.deliver(&plan.Heard{Message: message}, false) }

// Offline says that there is no network.
func (d *Database) Offline() { d.deliver(&plan.Offline{}, false) }

// OpenData opens a data stream.
func (d *Database) OpenData(name string, opened func(id plan.StreamID, err error)) {
	d.Step(&plan.OpenData{Name: name, Call: d.call(func(n plan.Notice) { opened(n.(*plan.Opened).Stream, n.(*plan.Opened).Err) })})
}

// CloseData closes it.
func (d *Database) CloseData(id plan.StreamID) { d.Step(&plan.CloseStream{Stream: id}) }

// Queued says how many entries of one wait for the server.
func (d *Database) Queued(name string, pending int, wrote bool) {
	d.Step(&plan.Queued{Name: name, Pending: pending, Wrote: wrote})
}

// Pump ends a task that wrote.
func (d *Database) Pump() { d.Step(&plan.Wrote{}) }

// Stream is one that is open.
type Stream struct {
	*loop.Stream
	db *Database
}

// Stream is the open one of that name, or nil.
func (d *Database) Stream(name string) *Stream {
	d.Whole()
	if s := d.DB.Stream(name); s != nil {
		return &Stream{s, d}
	}
	return nil
}

// Pump ends a task that wrote.
func (s *Stream) Pump() { s.db.Pump() }

// Refresh is a hint of another context that it has committed.
func (s *Stream) Refresh() { s.db.Hear(append([]byte{'m'}, s.Name()...)) }

// Close closes it.
func (s *Stream) Close(done func()) {
	s.db.Step(&plan.CloseStream{Stream: s.ID, Call: s.db.call(func(plan.Notice) { done() })})
}

// OnSettled waits until all is in the log.
func (s *Stream) OnSettled(done func()) {
	s.db.Step(&plan.Settled{Stream: s.ID, Call: s.db.call(func(n plan.Notice) {
		if n.(*plan.Done).Err == nil {
			done()
		}
	})})
}

// OnPersisted asks for an action.
func (s *Stream) OnPersisted(id action.UUID, done func(index uint64, rejected *replica.Rejected, err error)) {
	s.db.Step(&plan.Persisted{Stream: s.ID, ID: id, Call: s.db.call(func(n plan.Notice) {
		f := n.(*plan.Fate)
		done(f.Index, f.Rejected, f.Err)
	})})
}

// Discard takes a refused action off the list.
func (s *Stream) Discard(id action.UUID, done func(error)) {
	s.db.Step(&plan.Discard{Stream: s.ID, ID: id, Call: s.db.done(done)})
}

// Repair reads a stream whose local log is damaged anew.
func (s *Stream) Repair(done func(error)) {
	s.db.Step(&plan.Repair{Stream: s.ID, Call: s.db.done(done)})
}
