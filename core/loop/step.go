package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
)

// Step takes what has happened and gives what follows. The host calls it on one thread, and carries each plan out before the next
// step. What a plan holds is the host's.
//
// What takes long is done in slices: the plan asks for More alone, what happens meanwhile waits for its turn, and nobody may ask
// for anything before the event Whole.
func (db *DB) Step(e plan.Event) plan.Plan {
	switch e.(type) {
	case *plan.Whole:
		if db.Working() {
			db.own.Pace.Finish()
		}
	case *plan.More:
		if db.Working() {
			db.own.Pace.GoOn()
		} else if len(db.late) > 0 {
			e, db.late = db.late[0], db.late[1:]
			db.begin(e)
		} else {
			db.begin(e)
		}
	default:
		if db.Working() || len(db.late) > 0 {
			db.late = append(db.late, e)
		} else {
			db.begin(e)
		}
	}
	if db.Working() {
		return plan.Plan{More: true}
	}
	db.own.More = len(db.late) > 0 || db.unfinished()
	return db.own.Take()
}

// Working tells whether a step is under way, of which something is left to do.
func (db *DB) Working() bool { return db.own.Pace.Working() }

func (db *DB) begin(e plan.Event) {
	db.own.Pace.Begin(func() {
		db.step(e)
		db.advance()
	})
}

func (db *DB) step(e plan.Event) {
	switch e := e.(type) {
	case *plan.Stored:
		db.ends(e.Op, e)
	case *plan.Loaded:
		db.ends(e.Op, e)
	case *plan.ManifestRead:
		db.ends(e.Op, e)
	case *plan.PagesRead:
		db.ends(e.Op, e)
	case *plan.RemainsRead:
		db.ends(e.Op, e)
	case *plan.Listed:
		db.ends(e.Op, e)
	case *plan.Answered:
		db.ends(e.Op, e)
	case *plan.Worked:
		db.ends(e.Op, e)
	case *plan.Fired:
		db.onFired(e)
	case *plan.Wrote, *plan.More:
		for _, m := range db.sorted() {
			m.kind.Step(plan.OfJournal, e)
		}
	case *plan.Hinted:
		db.onHinted(e)
	case *plan.HintsEnded:
		db.onHintsEnded(e)
	case *plan.Heard:
		db.onHeard(e)
	case *plan.Granted:
		if m := db.known[e.Stream]; m != nil {
			m.kind.Step(plan.OfJournal, e)
		} else { // it has ended
			db.own.Plan.Slots = append(db.own.Plan.Slots, plan.SlotChange{Stream: e.Stream})
		}
	case *plan.Led:
		db.onLed(e)
	case *plan.Woken:
		db.woken(e.Because)
	case *plan.Resumed:
		db.onResumed()
	case *plan.Offline:
		db.onOffline()
	case *plan.EntryDurable:
		db.onEntryDurable(e)
	case *plan.Gone:
		db.onGone()
	default:
		db.wish(e)
	}
}

// wish takes what an app wants.
func (db *DB) wish(e plan.Event) {
	switch e := e.(type) {
	case *plan.Open:
		db.onOpen(e)
	case *plan.OpenData:
		db.onOpenData(e)
	case *plan.Queued:
		db.onQueued(e)
	case *plan.CloseStream:
		if m := db.known[e.Stream]; m != nil {
			m.kind.Close(e.Call)
		} else {
			db.own.Done(e.Call, nil)
		}
	case *plan.Close:
		db.onClose(e)
	case *plan.Destroy:
		db.onDestroy(e)
	case *plan.Sync:
		db.onSync(e)
	case *plan.Settled:
		if m := db.usable(e.Stream, e.Call); m != nil {
			m.kind.Step(plan.OfJournal, e)
		}
	case *plan.Lacking:
		if m := db.known[e.Stream]; m != nil {
			m.kind.Step(plan.OfJournal, e)
		}
	case *plan.Persisted:
		if m := db.known[e.Stream]; m != nil {
			m.kind.Step(plan.OfJournal, e)
		} else {
			db.own.Answer(e.Call, &plan.Fate{Call: e.Call, Err: errClosed})
		}
	case *plan.Discard:
		if m := db.usable(e.Stream, e.Call); m != nil {
			m.kind.Step(plan.OfJournal, e)
		}
	case *plan.Repair:
		if m := db.usable(e.Stream, e.Call); m != nil {
			m.kind.Step(plan.OfJournal, e)
		}
	case *plan.List:
		db.own.Access(plan.Flight{Of: plan.OfList, Call: e.Call}, plan.Access{Kind: plan.ListStreams})
	}
}

// usable is a stream that has not ended; of others, who waits is told so.
func (db *DB) usable(id plan.StreamID, call plan.Call) *member {
	m := db.known[id]
	if m == nil {
		db.own.Done(call, errClosed)
	}
	return m
}

// ends goes on with what comes of something that was begun. One that is not in flight was told before, or nobody waits for it.
func (db *DB) ends(op plan.Op, e plan.Event) {
	switch f := db.own.End(op); f.Of {
	case plan.OfTurn:
		e := e.(*plan.Answered)
		db.current.Cost = e.Cost
		db.answered(action.View(e.Body), e.RetryAfter, e.Err)
	case plan.OfWork:
		db.worked(e.(*plan.Worked))
	case plan.OfJournal, plan.OfInstall, plan.OfCompaction:
		if m := db.known[f.Stream]; m != nil {
			m.kind.Step(f.Of, e)
		}
	case plan.OfList:
		e := e.(*plan.Listed)
		db.own.Answer(f.Call, &plan.Names{Call: f.Call, Names: e.Names, Err: e.Err})
	case plan.OfEnding:
		db.endingStep(e)
	}
}

func (db *DB) onFired(e *plan.Fired) {
	if !db.own.Fired(e.Timer) {
		return
	}
	switch e.Timer.Kind {
	case plan.TurnTimer:
		db.makeTurn()
	case plan.HintsTimer:
		db.listenAgain()
	case plan.WorkTimer:
		db.work.timer = 0
	default:
		if m := db.known[e.Timer.Stream]; m != nil {
			m.kind.Step(plan.OfJournal, e)
		}
	}
}

// unfinished tells whether something is left for the next task.
func (db *DB) unfinished() bool {
	for _, m := range db.streams {
		if m.kind.Unfinished() {
			return true
		}
	}
	return false
}
