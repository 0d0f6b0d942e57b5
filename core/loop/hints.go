package loop

import (
	"slices"

	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
)

// hintState is what is done for push hints.
type hintState uint8

const (
	silent    hintState = iota // there is no connection
	listening                  // there is one, or it is being made
	broken                     // the timer runs until the next try
)

// hints is the leader's connection for push hints, the only one of a profile. A hint only cuts a pause; without any the loop
// goes on by its timers.
type hints struct {
	state hintState
	op    plan.Op
	about protocol.Topics // that it is about
	tries int             // that failed, in a row
}

// listen keeps the connection in step with what is open: after each turn that succeeded, and when that changes.
func (db *DB) listen() {
	h := &db.hints
	if !db.leader.leads || db.ended() || db.alone {
		db.deafen()
		return
	}
	var about protocol.Topics
	for _, m := range db.sorted() {
		names, name := &about.Streams, m.name
		if d, ok := m.kind.(*Data); ok {
			if names, name = &about.Data, d.Name(); !d.fetched {
				continue
			}
		}
		if m.serves() && len(*names) < protocol.MaxTopics {
			*names = append(*names, name)
		}
	}
	switch {
	case h.state == broken:
	case about.Len() == 0:
		db.deafen()
	case h.state == silent || !slices.Equal(h.about.Streams, about.Streams) || !slices.Equal(h.about.Data, about.Data):
		db.own.End(h.op)
		h.state, h.op, h.about = listening, db.own.Begin(plan.Flight{Of: plan.OfHints}), about
		db.own.Listen = &plan.Listen{Op: h.op, About: about}
	}
}

// deafen ends the connection.
func (db *DB) deafen() {
	if db.hints.state == listening {
		db.hints.state = silent
		db.own.End(db.hints.op)
		db.own.Listen = &plan.Listen{}
	}
}

// listenAgain is the next try.
func (db *DB) listenAgain() {
	if db.hints.state == broken {
		db.hints.state = silent
	}
	db.listen()
}

// restart makes the next try due at once.
func (h *hints) restart() {
	h.tries = 0
	if h.state == broken {
		h.state = silent
	}
}

func (db *DB) onHintsEnded(e *plan.HintsEnded) {
	h := &db.hints
	if h.state != listening || e.Op != h.op { // of a former one
		return
	}
	db.own.End(h.op)
	h.state = broken
	if h.tries++; h.tries > 1 { // nothing was heard since the last end: it may be more than the connection that is lost
		db.wake(becauseDeaf, false)
		db.probe()
	}
	db.own.SetTimer(plan.TimerID{Kind: plan.HintsTimer}, db.own.Retry<<min(h.tries-1, 4))
}

// hinted is what push hints have told of a stream.
type hinted struct {
	head  uint64 // the highest one that was told
	taken uint64 // the highest one that has led to a turn
}

// A hint that comes while a turn is under way may be about what that turn brings.
func (db *DB) onHinted(e *plan.Hinted) {
	if db.hints.state != listening || e.Op != db.hints.op {
		return
	}
	db.hints.tries = 0
	h := e.Hint
	if h.Data != "" {
		if m := db.streams[dataMark+h.Data]; m != nil {
			if d := m.kind.(*Data); d.offset != h.Offset && d.fetched {
				d.want(becauseHint)
			}
		}
		return
	}
	if m := db.streams[h.Stream]; m != nil && h.Head > m.hint.head {
		m.hint.head = h.Head
		if db.turn.state == pausing && db.hasNews() {
			m.contact.notBefore = 0
			db.wake(becauseHint, db.line.down && !db.line.hinted) // whoever can say that can be asked
			db.line.hinted = db.line.down
		}
	}
}

// hasNews tells whether a stream has a hint of more than it has. Each hint counts once: a wrong one costs one turn.
func (db *DB) hasNews() (any bool) {
	for _, m := range db.streams {
		st := m.kind.Standing()
		if h := &m.hint; h.head > st.Head && h.head > h.taken && st.Life == Open && !st.Away {
			h.taken = h.head
			any = true
		}
	}
	return any
}
