package journal

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/replica"
)

// closeTries is how often a closing stream asks a failing store what became of its last commit.
const closeTries = 3

// errUntold is for those whose stream has closed before the outcome of their writes was known.
func errUntold(cause error) error {
	return &action.Error{Code: action.CodeStorage, Message: "whether the last writes were kept cannot be told", Cause: cause}
}

// unsure goes on with a commit whose outcome is not known: what the log holds in its place tells.
func (s *Journal) unsure(cause error) {
	if s.gaveUp(cause) {
		return
	}
	s.turn(unsure)
	s.storageFailed(cause)
}

// gaveUp ends a closing stream whose store fails again and again.
func (s *Journal) gaveUp(cause error) bool {
	if s.life != closing || s.failures < closeTries {
		return false
	}
	land := s.commit.land
	s.commit = commit{}
	s.End(errUntold(cause))
	if land != nil {
		s.landingEnds(land, false, cause)
	}
	return true
}

// storageFailed sets the time of the next try.
func (s *Journal) storageFailed(err error) {
	s.storage = action.AsError(err, action.CodeStorage)
	s.StatusChanged()
	s.failures++
	s.setTimer(plan.StoreTimer, min(100<<min(s.failures, 6), s.p.Retry))
}

func (s *Journal) storageRecovered() {
	if s.storage != nil {
		s.storage = nil
		s.StatusChanged()
	}
}

// askStore is the next try.
func (s *Journal) askStore() {
	switch s.access {
	case unsure:
		s.begin(asking, plan.Access{Kind: plan.Load, LSN: s.commit.lsn})
	case waiting:
		s.readLog()
	}
}

// learned goes on with what the log holds in the place of a commit whose outcome was not known.
func (s *Journal) learned(log *locallog.Log, err error) {
	var anew *replica.Replica
	switch {
	case err != nil:
	case log.Manifest != nil:
		anew, err = replica.Read(s.Name(), s.options.Conflicts, log, s.p.Pace)
	case len(log.Records) > 0: // one that cannot be read is not another one
		_, err = record.DecodeAll(log.Records[:1], s.p.Pace)
	}
	switch o := storeOutcome(err); {
	case o == kept:
	case o == taken:
		s.taken(err)
		return
	case o == unreadable && s.failures >= closeTries:
		s.turn(resting)
		land := s.commit.land
		s.commit = commit{}
		s.failWrites(errUntold(err))
		s.breakOff(err)
		if land != nil {
			s.landingEnds(land, false, err)
		}
		return
	default:
		s.unsure(err)
		return
	}
	s.turn(resting)
	s.failures = 0
	s.storageRecovered()
	records := log.Records
	switch {
	case anew != nil: // it knows which of the actions are stored
		s.adopt(anew)
		s.notKept(nil)
	case len(records) > 0 && string(records[0]) == string(s.commit.record):
		s.stale = s.stale || len(records) > 1
		s.kept()
	default:
		s.stale = s.stale || len(records) > 0
		s.notKept(nil)
	}
	s.Pump()
}
