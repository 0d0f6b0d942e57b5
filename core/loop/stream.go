package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/journal"
	"github.com/strandline-sync/strandline/core/plan"
)

func (db *DB) onOpen(e *plan.Open) {
	if m := db.streams[e.Name]; m != nil && m.attended {
		m.kind.Close(0)
	}
	db.open(e.Name, e.Options, false, e.Call)
}

func (db *DB) open(name string, o plan.Options, attended bool, call plan.Call) {
	var err error
	if bad := action.CheckStreamName(name); bad != "" {
		err = action.Fail(action.CodeInvalid, "/name", bad)
	} else if db.ending.state != running {
		err = journal.ErrClosed
	}
	if err != nil {
		db.own.Answer(call, &plan.Opened{Call: call, Err: err})
		return
	}
	db.lastID++
	m := &member{db: db, id: db.lastID, name: name, attended: attended}
	m.kind = &Stream{Journal: journal.New(&db.own, m.id, name, o, attended, call), in: m}
	db.streams[name], db.known[m.id] = m, m
}

func (db *DB) leave(m *member) {
	if db.streams[m.name] != m {
		return
	}
	delete(db.streams, m.name)
	if !m.attended {
		db.own.Message('c', m.name)
	}
}

// heed goes on with what the streams tell.
func (db *DB) heed() {
	for len(db.own.Signals) > 0 {
		g := db.own.Signals[0]
		db.own.Signals = db.own.Signals[1:]
		if m := db.known[g.Stream]; m != nil {
			m.remote().Told(&g)
			m.heed(&g)
		}
	}
}

func (m *member) heed(g *journal.Signal) {
	db := m.db
	switch g.What {
	case journal.Opened:
		m.opened(g)
	case journal.Moved:
		if m.outdated() == nil { // else what is written waits for newer code
			db.wake(becauseWrite, false)
		}
	case journal.Landed:
		db.landed(m, g.Activity, g.Err)
	case journal.Aside:
		if db.alone {
			m.kind.(*Stream).AsideEnds()
		}
		db.wake(becauseMore, true)
	case journal.Mending:
		m.stopped, m.contact.failures, m.contact.notBefore = nil, 0, 0
	case journal.Mended:
		m.stopped = nil
		db.wake(becauseMore, true)
	case journal.Installed:
		m.installed(g)
	case journal.Stopped:
		m.stop(g.Reason, g.Err)
	case journal.Taken:
		db.taken()
	case journal.Ended:
		db.leave(m)
		delete(db.known, m.id)
		db.leftTurn(m)
	}
}

func (m *member) opened(g *journal.Signal) {
	db := m.db
	db.own.Answer(g.Call, &plan.Opened{Call: g.Call, Stream: m.id, Err: g.Err})
	if g.Err != nil {
		db.leave(m)
		if db.syncing() { // they waited for this stream
			db.wake(becauseStart, true)
		}
		return
	}
	db.wake(becauseStart, true)
	if !m.attended {
		db.own.Message('o', m.name)
	}
}

// installed goes on with a checkpoint of the server, or without: then the entries will do, if the server still has them.
func (m *member) installed(g *journal.Signal) {
	db := m.db
	if g.Err == nil || m.life() == Closed { // a turn may have found nothing but this one
		m.contact.failures = 0
		db.wake(becauseMore, true)
		return
	}
	m.contact.asked = g.RetryAfter
	db.refused(m, g.Err)
	db.finishSyncs(g.Err)
	db.retrySoon()
}

// taken goes on in memory with all streams.
func (db *DB) taken() {
	unsent := 0
	for _, m := range db.sorted() {
		if m.remote() != nil {
			unsent += m.unsent()
		}
	}
	db.own.Notice(&plan.Lost{Unsent: unsent})
	db.leads(true)
	db.wake(becauseLeads, true)
	db.stir(becauseLeads)
}
