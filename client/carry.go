package client

import (
	"context"
	"time"

	"github.com/strandline-sync/strandline/core/plan"
)

// step takes an event and carries out what follows. The caller holds mu.
func (db *DB) step(e plan.Event) {
	p := db.core.Step(e)
	for i := range p.Changes {
		if s := db.streams[p.Changes[i].Stream]; s != nil {
			s.announce()
		}
	}
	for i := range p.Store {
		a := &p.Store[i]
		db.beside(func() plan.Event { return a.Run(db.store) })
	}
	for _, op := range p.Aborts {
		if cancel := db.under[op]; cancel != nil {
			cancel()
			delete(db.under, op)
		}
	}
	for i := range p.Requests {
		db.request(&p.Requests[i])
	}
	if p.Listen != nil {
		db.listen(p.Listen)
	}
	for _, t := range p.Timers {
		db.timer(t)
	}
	if p.More && !db.more {
		db.more = true
		db.beside(func() plan.Event { return &plan.More{} })
	}
	for _, n := range p.Notices {
		db.notice(n)
	}
}

// happened steps an event of something that ran beside.
func (db *DB) happened(e plan.Event) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return
	}
	if _, is := e.(*plan.More); is {
		db.more = false
	}
	db.step(e)
}

// beside runs what may block, and steps what came of it.
func (db *DB) beside(f func() plan.Event) {
	db.works.Add(1)
	go func() {
		defer db.works.Done()
		db.happened(f())
	}()
}

func (db *DB) timer(t plan.Timer) {
	if old := db.timers[t.ID]; old != nil {
		old.Stop()
		delete(db.timers, t.ID)
	}
	if t.At == 0 {
		return
	}
	var set *time.Timer
	set = time.AfterFunc(time.Until(time.UnixMilli(t.At)), func() {
		db.mu.Lock()
		defer db.mu.Unlock()
		if db.closed || db.timers[t.ID] != set { // it was set anew meanwhile
			return
		}
		delete(db.timers, t.ID)
		db.step(&plan.Fired{Timer: t.ID})
	})
	db.timers[t.ID] = set
}

// notice tells who waits, and the streams.
func (db *DB) notice(n plan.Notice) {
	answer := func(call plan.Call) {
		if f := db.calls[call]; f != nil {
			delete(db.calls, call)
			f(n)
		}
	}
	switch n := n.(type) {
	case *plan.Opened:
		answer(n.Call)
	case *plan.Done:
		answer(n.Call)
	case *plan.Fate:
		answer(n.Call)
	case *plan.Names:
		answer(n.Call)
	case *plan.Committed:
		db.of(n.Stream, func(s *Stream) { s.committed(n) })
	case *plan.Failed:
		db.of(n.Stream, func(s *Stream) { s.failed(n) })
	case *plan.Resolved:
		db.of(n.Stream, func(s *Stream) { s.resolved(n.Ticket, n.Index, n.Err) })
	case *plan.Refused:
		db.of(n.Stream, func(s *Stream) { s.resolved(n.Ticket, 0, refusal(&n.Rejected)) })
	case *plan.StatusChanged:
		db.of(n.Stream, func(s *Stream) { s.announce() })
	case *plan.Closed:
		db.of(n.Stream, func(s *Stream) { s.ends(n.Err) })
		delete(db.streams, n.Stream)
	}
}

func (db *DB) of(id plan.StreamID, f func(*Stream)) {
	if s := db.streams[id]; s != nil {
		f(s)
	}
}

// cancelled makes a context for a request that can be aborted.
func (db *DB) cancelled(op plan.Op) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	db.under[op] = cancel
	return ctx
}
