//go:build js && wasm

package main

import (
	"syscall/js"

	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/plan"
)

// step takes an event and carries out what follows.
func (db *database) step(e plan.Event) {
	if dead {
		return
	}
	for len(db.owed) > 0 {
		p := db.owed[0]
		db.owed = db.owed[1:]
		db.carry(&p)
	}
	p := db.Step(e)
	db.changes(&p)
	db.carry(&p)
}

// whole brings the step under way to its end, before an export asks for something. Its rows are told at once; an export calls nobody,
// so that the rest of its plan is carried out before the next step.
func (db *database) whole() {
	if db.Working() {
		p := db.Step(&plan.Whole{})
		db.changes(&p)
		db.owed = append(db.owed, p)
	}
}

func (db *database) changes(p *plan.Plan) {
	for i := range p.Changes {
		c := &p.Changes[i]
		if s := db.streams[c.Stream]; s != nil {
			s.news.Differs(&c.Difference)
			s.observer.Call("changed", c.Remote)
		}
	}
}

// carry carries out what is left of a plan.
func (db *database) carry(p *plan.Plan) {
	for i := range p.Store {
		a := &p.Store[i]
		store := db.store(a.Store)
		background("a step of the store", func() func() {
			e := a.Run(store)
			return func() { db.step(e) }
		})
	}
	for _, op := range p.Aborts {
		db.hooks.Call("abort", uint32(op))
	}
	for i := range p.Requests {
		db.request(&p.Requests[i])
	}
	for _, t := range p.Turns {
		db.hooks.Call("turn", uint32(t.Op), t.Name, t.Hold, t.Fetch)
	}
	if p.Listen != nil {
		db.listen(p.Listen)
	}
	for _, t := range p.Timers {
		db.timer(t)
	}
	for _, c := range p.Slots {
		db.slot(c)
	}
	for _, e := range p.Awaits {
		db.hooks.Call("await", e.Stream, e.ID)
	}
	for _, m := range p.Tells {
		db.hooks.Call("tell", toJS(m))
	}
	if p.Steal {
		db.hooks.Call("steal")
	}
	if p.More && !db.more {
		db.more = true
		yield(func() { db.more = false; db.step(&plan.More{}) })
	}
	for _, n := range p.Notices {
		db.notice(n)
	}
}

func (db *database) store(name plan.StoreName) locallog.Store {
	if db.stores[name] == nil {
		db.stores[name] = memstore.New().Open()
	}
	return db.stores[name]
}

func (db *database) timer(t plan.Timer) {
	if cancel := db.timers[t.ID]; cancel != nil {
		cancel()
		delete(db.timers, t.ID)
	}
	if t.At > 0 {
		db.timers[t.ID] = after(t.At-browser{}.Now(), func() {
			delete(db.timers, t.ID)
			db.step(&plan.Fired{Timer: t.ID})
		})
	}
}

func (db *database) slot(c plan.SlotChange) {
	if !c.Want {
		if release, held := db.slots[c.Stream]; held {
			delete(db.slots, c.Stream)
			release.Invoke()
		}
		return
	}
	var got js.Func
	got = js.FuncOf(func(_ js.Value, args []js.Value) any {
		defer report("a turn to write")
		got.Release()
		db.slots[c.Stream] = args[0]
		db.step(&plan.Granted{Stream: c.Stream})
		return nil
	})
	db.hooks.Call("slot", c.Name, got)
}

// call names somebody who waits for a notice.
func (db *database) call(f func(n plan.Notice)) plan.Call {
	db.last++
	db.calls[db.last] = f
	return db.last
}

// done names a function of the script that takes an error.
func (db *database) done(f js.Value) plan.Call {
	return db.call(func(n plan.Notice) { f.Invoke(jsError(n.(*plan.Done).Err)) })
}

func (db *database) answer(call plan.Call, n plan.Notice) {
	if f := db.calls[call]; f != nil {
		delete(db.calls, call)
		f(n)
	}
}

// notice tells the script. It never calls back into an app: the script only takes notes.
func (db *database) notice(n plan.Notice) {
	switch n := n.(type) {
	case *plan.Opened:
		db.answer(n.Call, n)
	case *plan.Done:
		db.answer(n.Call, n)
	case *plan.Fate:
		db.answer(n.Call, n)
	case *plan.Names:
		db.answer(n.Call, n)
	case *plan.Lost:
		db.hooks.Call("lost", n.Unsent)
	case *plan.Committed:
		db.tell(n.Stream, "committed", n.UpTo)
	case *plan.Failed:
		list := make([]any, len(n.Tickets))
		for i, t := range n.Tickets {
			list[i] = t
		}
		db.tell(n.Stream, "failed", list, jsError(n.Err))
	case *plan.Resolved:
		if n.Ticket != 0 {
			db.tell(n.Stream, "resolved", n.Ticket, n.Index, jsError(n.Err))
		}
	case *plan.Refused:
		db.tell(n.Stream, "refused", n.Ticket, string(n.Rejected.Append(nil)))
	case *plan.Conflicted:
		db.tell(n.Stream, "conflict", string(n.Conflict.Append(nil)))
	case *plan.Reset:
		db.tell(n.Stream, "reset", string(n.Reset.Append(nil)))
	case *plan.StatusChanged:
		db.stands(n.Stream)
		db.tell(n.Stream, "statusChanged")
		if s := db.streams[n.Stream]; s != nil && !s.outdated && s.Outdated() {
			s.outdated = true
			db.tell(n.Stream, "outdated")
		}
	case *plan.Closed:
		db.tell(n.Stream, "closed", jsError(n.Err))
		delete(streams, db.streams[n.Stream].handle) // and with it the whole replica
		delete(db.streams, n.Stream)
	}
}

// tell calls a function of a stream's observer.
func (db *database) tell(s plan.StreamID, what string, args ...any) {
	if open := db.streams[s]; open != nil {
		open.observer.Call(what, args...)
	}
}
