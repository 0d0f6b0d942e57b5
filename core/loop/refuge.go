package loop

import (
	"context"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/replica"
)

// A browser may take an open database away: it evicts, somebody clears the site's data, a damaged one is made anew.
// What is pending was promised to be kept, and is still in memory: the streams go on in a store in memory, from where
// it is sent, and the app is told.

// takeRefuge goes on in memory where the local log was taken away, and then runs then; false where it was not, or nothing goes on.
func (s *Stream) takeRefuge(err error, then func()) bool {
	db := s.db
	if action.CodeOf(err) != action.CodeClosed || s.closed || db.closed || s.broken != nil || s.opened != nil ||
		db.refuge == nil && !db.inRefuge {
		return false
	}
	db.enterRefuge()
	s.busy = true
	s.endSlot()
	snap := replica.TakeSnapshot(s.State(), s.Undos(), s.LogID())
	snap.Place(1, s.Replica)
	for !snap.Step() { // at once: it happens hardly ever
	}
	c := snap.Seal(&locallog.Manifest{})
	c.Record = locallog.Finish(locallog.NewRecord(locallog.KindInstall, 0))
	first, store, name := s.Founding(), db.store, s.Name()
	db.host.Do(func() func() {
		err := store.Append(context.Background(), name, 0, first)
		if err == nil {
			err = store.Checkpoint(context.Background(), name, c)
		}
		return func() {
			s.busy = false
			if s.ended {
				return
			}
			if err != nil {
				s.breakOff(err)
				return
			}
			s.MovedTo(&snap.Next)
			s.stale, s.failures = false, 0
			s.storageRecovered()
			then()
			s.Pump()
		}
	})
	return true
}

// enterRefuge puts the store in memory in the place of the one that is gone. What other contexts do is none of its concern any more.
func (db *DB) enterRefuge() {
	if db.inRefuge {
		return
	}
	unsent := 0
	for _, s := range db.sorted() {
		unsent += s.Unsent()
	}
	db.inRefuge, db.store, db.tellFunc, db.slots = true, db.refuge(), nil, nil
	if db.lost != nil {
		db.lost(unsent)
	}
	db.leading = true
	db.wake(becauseLeads, true)
}
