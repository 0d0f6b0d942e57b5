package journal

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/rows"
)

// readLog reads the records that other contexts have committed, and at the opening all of them.
func (s *Journal) readLog() {
	s.stale = false
	s.begin(reading, plan.Access{Kind: plan.Load, LSN: s.NextLSN()})
}

// Refresh reads what other contexts have committed; a hint calls for it.
func (s *Journal) Refresh() {
	s.stale = true
	s.Pump()
}

// loaded goes on after a read of the log.
func (s *Journal) loaded(log *locallog.Log, err error) {
	switch {
	case s.access == asking:
		s.learned(log, err)
	case !s.usable():
		s.loadedFirst(log, err)
	case err == nil && log.Manifest != nil: // a checkpoint has taken the place of the records that come next here
		anew, err := replica.Read(s.Name(), s.options.Conflicts, log, s.p.Pace)
		if err == nil && anew.LogID() != s.LogID() && !anew.Mended(s.Replica) {
			err = locallog.ErrGone
		}
		if err != nil {
			s.caughtUp(nil, err)
			return
		}
		s.turn(resting)
		s.read = true
		s.adopt(anew)
		s.storageRecovered()
		s.signal(Signal{What: Moved})
		s.Pump()
	case s.broken != nil: // what lies behind a damaged place cannot be followed
		s.turn(resting)
		s.Pump()
	default:
		var records []*record.Record
		if err == nil {
			records, err = record.DecodeAll(log.Records, s.p.Pace)
		}
		s.caughtUp(records, err)
	}
}

// loadedFirst goes on with a log that was read from the beginning. An empty one is made.
func (s *Journal) loadedFirst(log *locallog.Log, err error) {
	if err == nil && len(log.Records) == 0 && log.Manifest == nil {
		id, client, free := s.p.NewID(), s.p.NewClient(), s.options.ConflictFree != nil && *s.options.ConflictFree
		s.begin(founding, plan.Access{Kind: plan.Append, Record: replica.NewLog(id, client, s.p.User, free),
			Shown: []locallog.Shown{{Text: rows.AtFounding(client, free)}}})
		return
	}
	var r *replica.Replica
	if err == nil {
		r, err = replica.Read(s.Name(), s.options.Conflicts, log, s.p.Pace)
	}
	if err == nil && r.NextLSN() == 0 {
		err = action.Fail(action.CodeCorrupt, "", "a local log does not begin with record 0")
	}
	if code := action.CodeOf(err); code == action.CodeCorrupt || code == action.CodeStorage && s.life == opening {
		s.broken = err
		s.begin(salvaging, plan.Access{Kind: plan.ReadRemains})
		return
	}
	if err == nil {
		s.Replica = r
	}
	s.turn(resting)
	s.opened(err)
}

// foundTries is how often making a log may fail.
const foundTries = 3

// founded goes on after record 0 was written. Another context may have been first: what is there is read back, ours or its.
func (s *Journal) founded(err error) {
	switch o := storeOutcome(err); {
	case o == kept, o == outrun, o == unknown && s.failures < foundTries:
		if err != nil {
			s.failures++
		}
		s.readLog()
	default:
		s.turn(resting)
		s.opened(err)
	}
}

// caughtUp goes on with the records that follow this replica's last one.
func (s *Journal) caughtUp(records []*record.Record, err error) {
	o := storeOutcome(err)
	if len(records) > 0 && (o == kept || o == unreadable) { // what comes before an unreadable record counts
		land, ferr := s.Follow(records)
		if ferr != nil {
			err, o = ferr, unreadable
		}
		s.landed(&land, true)
		s.signal(Signal{What: Moved})
	}
	switch o {
	case kept:
		s.turn(resting)
		s.read = true
		s.storageRecovered()
		s.Weigh()
	case taken:
		s.taken(err)
		return
	case unreadable:
		s.turn(resting)
		s.breakOff(err)
	default: // a failed read says nothing: ask again
		if s.gaveUp(err) {
			return
		}
		s.endSlot()
		s.turn(waiting)
		s.stale = true
		s.storageFailed(err)
		return
	}
	s.Pump()
}

// adopt goes on with a replica that was read anew in the place of the stream's.
func (s *Journal) adopt(next *replica.Replica) {
	land, committed := next.TakeOver(s.Replica)
	s.Replica = next
	s.whole()
	s.overtaken(next.Resets())
	if committed > 0 {
		s.tell(&plan.Committed{Stream: s.ID, UpTo: committed})
	}
	s.landed(&land, true)
}
