package loop

import (
	"strings"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/conflict"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/plan"
)

// Of the contexts (tabs, workers) that have a database open one leads: it runs the loop for the streams of all, and takes the
// checkpoints. The others follow: they write to the local logs and tell. What the contexts tell one another are hints; a
// leader that is frozen, or does not hear, is passed by.
//
// A message is a letter and what it is about:
//
//	m stream   its local log has moved
//	o stream   this context has it open
//	c stream   it has not any more
//	w          a new leader asks who has what open
//	k because  a turn is wanted now
//	t          the leader has made a turn: what came of it
//	f          a follower has

const (
	// patience is how long a follower waits for the leader to take what is unsent, in milliseconds.
	patience = 10_000
	// silence is how many idle pauses without a word of the leader a follower bears, in halves.
	silence = 3
	// deadAfter is how long a leader may say nothing, in milliseconds, before a follower that has to run a turn takes the lead.
	deadAfter = 2 * patience
)

// leader is who leads, as far as is known here.
type leader struct {
	leads   bool  // this context
	outdone int64 // when a turn was made here for one whose code is too old, Unix milliseconds
	outdoes int   // how often that was so
	heardAt int64 // when the leader said something, Unix milliseconds
	next    int64 // when its next turn is
	because string
}

func (db *DB) onLed(e *plan.Led) {
	l := &db.leader
	switch {
	case e.Leads && !l.leads && !db.ended():
		db.leads(true)
		db.own.Message('w', "")
		db.wake(becauseLeads, true)
		db.stir(becauseLeads)
		for _, m := range db.sorted() {
			m.kind.Heed(Weigh)
			m.kind.Heed(Show)
		}
	case !e.Leads && l.leads && db.own.Where == plan.Database: // its lock was taken from it. In memory nobody else sees what is here
		db.leads(false)
		l.heardAt = db.own.Now()
		db.deafen()
		db.restWork()
		for _, m := range db.sorted() {
			m.kind.Heed(Show)
		}
		db.dropAttended("")
	}
}

// Leading tells whether this context leads.
func (db *DB) Leading() bool { return db.leader.leads }

// leads sets who leads. The leader takes the checkpoints for all, but of a local-only database nobody opens others' streams.
func (db *DB) leads(yes bool) {
	db.leader.outdone, db.leader.outdoes = 0, 0
	db.leader.leads = yes
	db.own.Keeps = yes || db.alone
}

// A message that is not known is a newer version's.
func (db *DB) onHeard(e *plan.Heard) {
	if len(e.Message) == 0 || db.ended() || db.own.Where == plan.Refuge {
		return
	}
	about := string(e.Message[1:])
	switch e.Message[0] {
	case 'm':
		if m := db.streams[about]; m != nil {
			m.kind.Heed(News)
		} else if !isData(about) {
			db.attend(about)
		} else if db.attends(about) {
			db.data(about).Heed(News)
		}
	case 'r': // somebody has lost a race: who wins them takes turns too
		if m := db.streams[about]; m != nil {
			m.kind.Heed(Rivals)
		}
	case 'o':
		db.attend(about)
		if db.leader.leads && !db.alone && db.turn.state == pausing {
			db.tellTurn(db.sorted()) // so that it need not wait for the next one
		}
	case 'c':
		if db.leader.leads {
			db.dropAttended(about)
			db.own.Message('w', "") // who else has it says so
		} else if m := db.streams[about]; m != nil && !m.attended {
			db.own.Message('o', about) // it was the leader's, who goes on for others
		}
	case 'w':
		db.leader.heardAt = db.own.Now()
		for _, m := range db.sorted() {
			if !m.attended {
				db.own.Message('o', m.name)
			}
		}
	case 'k':
		if db.leader.leads {
			db.stir(about)
			db.wake(about, true)
		}
	case 't':
		db.leader.heardAt = db.own.Now()
		db.heardTurn(about)
	case 'f':
		db.heardTurn(about)
	}
}

// attend opens a stream that only other contexts use, so that the loop serves it.
func (db *DB) attend(name string) {
	switch {
	case !db.attends(name):
	case isData(name):
		if d := db.data(name); !d.fetched {
			d.want(becauseOpened)
		}
	case db.streams[name] == nil:
		db.open(name, plan.Options{Conflicts: conflict.Most}, true, 0)
	}
}

// attends tells whether this context serves a stream of that name for others.
func (db *DB) attends(name string) bool {
	return db.leader.leads && !db.alone && action.CheckStreamName(strings.TrimPrefix(name, dataMark)) == ""
}

// dropAttended closes the stream of that name, or every one, that is open for others only.
func (db *DB) dropAttended(name string) {
	for _, m := range db.sorted() {
		if m.attended && (name == "" || m.name == name) {
			m.kind.Close(0)
		}
	}
}

// tellTurn passes on what came of a turn, so that followers show the same.
func (db *DB) tellTurn(asked []*member) {
	if !db.own.Shared || db.own.Where == plan.Refuge {
		return
	}
	e := action.NewEncoder(nil)
	e.String(db.pause.because)
	e.Uint(uint64(db.own.Shown(db.pause.at)))
	for _, m := range asked {
		if db.streams[m.name] != m {
			continue
		}
		e.String(m.name)
		st := m.kind.Standing()
		state, reason, err := m.state(&st)
		e.String(string(state))
		e.String(reason)
		e.Uint(uint64(db.own.Shown(m.contact.answered)))
		if e.Bool(err != nil); err != nil {
			e.String(err.Code)
			e.String(err.Message)
		}
		e.Uint(uint64(st.Next))
	}
	kind := byte('t')
	if !db.leader.leads {
		kind = 'f'
	}
	db.own.Message(kind, action.View(e.Whole()))
}

// heardTurn shows what the leader tells, and trusts it for a while.
func (db *DB) heardTurn(text string) {
	if db.leader.leads || db.alone {
		return
	}
	d := action.NewDecoder(text)
	because, next := d.String(), db.own.Ours(int64(d.Uint()))
	told, ends := map[string]Status{}, map[string]locallog.LSN{}
	for d.More() {
		name := d.String()
		st := Status{State: StreamState(d.String()), Reason: d.String(), LastSynced: db.own.Ours(int64(d.Uint()))}
		if d.Bool() {
			st.Err = action.Fail(d.String(), "", d.String())
		}
		told[name], ends[name] = st, locallog.LSN(d.Uint())
	}
	if d.Broken() {
		return
	}
	db.leader.next, db.leader.because = next, because
	outdated := false
	trusted := true // the leader serves every stream that has something to send
	for _, m := range db.sorted() {
		status, ok := told[m.name]
		st := m.kind.Standing()
		trusted = trusted && !st.Doubt // what this context has begun, it goes on with
		if !ok {
			trusted = trusted && (st.Unsent == 0 || m.told != nil)
			continue
		}
		if st.Life == Open {
			m.told = &status
			m.contact.good, m.contact.answered = status.State == StateLive, max(m.contact.answered, status.LastSynced)
			m.kind.Heed(Show)
			outdated = outdated || status.State == StateHeld && failureOf(status.Err).outdated
			if ends[m.name] > st.Next { // who has committed that was ended before it could tell
				m.kind.Heed(News)
			}
		}
	}
	mine := db.pause.because == becauseMore // a turn of this context's is due
	if trusted && !(outdated && db.outdo()) && !mine && db.turn.state == pausing && !db.syncing() {
		db.schedule(db.idle*silence/2, becauseFollows)
	}
}

// onGone asks who has what open, where this context does it for all.
func (db *DB) onGone() {
	if !db.leader.leads {
		return
	}
	for _, d := range db.datas() {
		if d.in.attended {
			d.Close(0)
		}
	}
	db.own.Message('w', "")
}

// waitForLeader gives the leader time to run the turn that is wanted here.
func (db *DB) waitForLeader() {
	at := db.own.Now() + patience
	if db.turn.state != pausing || db.own.TimerSet(plan.TimerID{Kind: plan.TurnTimer}) && db.pause.at <= at {
		return
	}
	db.schedule(patience, becauseFollows)
}

// passedBy takes the lead from a leader that this follower had to run a turn for, and that has said nothing for so long.
func (db *DB) passedBy() {
	if db.elect && db.silent() {
		db.leader.heardAt = db.own.Now()
		db.own.Steal = true
	}
}

// outdo runs a turn here, since the leader's code is too old for the server: that of this context may be newer. Who gets something through
// leads from then on.
func (db *DB) outdo() bool {
	l, now := &db.leader, db.own.Now()
	if db.schema > 0 && db.turn.state == pausing && (l.outdone == 0 || now >= l.outdone+db.idle<<min(l.outdoes, 5)) {
		l.outdone = now
		l.outdoes++
		db.schedule(0, becauseMore)
		return true
	}
	return false
}

// unsentHere tells whether an open stream has something to send.
func (db *DB) unsentHere() bool {
	for _, m := range db.streams {
		if m.serves() && m.unsent() > 0 && m.outdated() == nil {
			return true
		}
	}
	return false
}

// followerPause is how long a follower that had to run a turn itself waits before it does so again.
func (db *DB) followerPause(ms int64) int64 {
	switch {
	case ms == 0: // more is to be fetched or sent
		return 0
	case ms == db.idle && db.unsentHere(): // written while the turn was under way
		return patience
	case ms == db.idle:
		return db.idle * silence / 2
	}
	return max(ms, patience) // never sooner than the server asked for
}
