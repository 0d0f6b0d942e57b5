package journal

import (
	"github.com/strandline-sync/strandline/core/checkpoint"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/plan"
)

// A browser may take an open database away: it evicts, somebody clears the site's data, a damaged one is made anew.
// What is pending was promised to be kept, and is still in memory: the streams go on in a store in memory, from where
// it is sent, and the app is told.

// taken goes on where the local log is not there any more: in memory, or not at all.
func (s *Journal) taken(err error) {
	p := s.p
	if s.life == open && !p.Ending && s.broken == nil && (p.Refuge || p.Where == plan.Refuge) {
		if p.Where == plan.Database { // what other contexts do is none of the streams' concern any more
			p.Where = plan.Refuge
			s.signal(Signal{What: Taken})
		}
		s.endSlot()
		s.begin(refounding, plan.Access{Kind: plan.Append, Record: s.Founding()})
		return
	}
	asked, c, in := s.access == asking, s.commit, s.place
	s.commit, s.place = commit{}, nil
	if asked && c.land == nil { // the record may have been kept, and sent, before the log went
		s.failWrites(errUntold(err))
	}
	s.End(err)
	if c.land != nil {
		s.landingEnds(c.land, false, err)
	}
	if in != nil {
		s.installed(in, err)
	}
}

// moved goes on after a step of the move into memory.
func (s *Journal) moved(err error) {
	if err == nil && s.access == refounding {
		snap := checkpoint.Whole(s.State(), s.Undos(), s.LogID())
		snap.Place(1, s.Replica)
		for !snap.Step() { // at once: it happens hardly ever
		}
		c := snap.Seal(&locallog.Manifest{})
		c.Record = locallog.Finish(locallog.NewRecord(locallog.KindInstall, 0))
		s.moving = snap
		s.begin(moving, plan.Access{Kind: plan.Replace, Checkpoint: c})
		return
	}
	s.turn(resting)
	in, snap := s.place, s.moving
	s.place, s.moving = nil, nil
	if err != nil {
		s.notKept(nil)
		s.breakOff(err)
	} else {
		s.MovedTo(&snap.Next)
		s.stale, s.read, s.failures = false, true, 0
		s.storageRecovered()
		s.notKept(nil)
	}
	if in != nil {
		s.installed(in, locallog.ErrGone)
	}
	s.Pump()
}
