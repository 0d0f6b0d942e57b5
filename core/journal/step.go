package journal

import (
	"github.com/strandline-sync/strandline/core/plan"
)

// Step takes an event of this stream: what comes of something that the journal has begun, and what somebody wants of it.
func (s *Journal) Step(of plan.Matter, e plan.Event) {
	switch e := e.(type) {
	case *plan.Loaded:
		s.loaded(&e.Log, e.Err)
	case *plan.ManifestRead:
		switch of {
		case plan.OfCompaction:
			s.looked(e.Raw, e.Err)
		case plan.OfInstall:
			s.pagesKnown(e.Raw, e.Err)
		default:
			s.outrun(e.Raw)
		}
	case *plan.PagesRead:
		s.pagesRead(e.Pages, e.Err)
	case *plan.RemainsRead:
		if of == plan.OfInstall {
			s.remainsRead(&e.Remains, e.Err)
		} else {
			s.salvaged(&e.Remains, e.Err)
		}
	case *plan.Repair:
		s.repair(e.Call)
	case *plan.Stored:
		if of == plan.OfCompaction {
			s.compacted(e.Err)
		} else {
			s.stored(e.Err)
		}
	case *plan.Answered:
		s.fetched(e)
	case *plan.Wrote:
		s.Pump()
	case *plan.Fired:
		s.fired(e.Timer.Kind)
	case *plan.More:
		s.more()
	case *plan.Granted:
		s.granted()
	case *plan.Settled:
		s.settled(e.Call)
	case *plan.Persisted:
		s.persisted(e.ID, e.Call)
	case *plan.Lacking:
		s.lacking(e.Lack)
	case *plan.Discard:
		s.discard(e.ID, e.Call)
	}
}

// fired goes on when a timer's time has come.
func (s *Journal) fired(kind plan.TimerKind) {
	switch kind {
	case plan.StoreTimer:
		s.askStore()
	case plan.CompactTimer:
		s.compact()
	case plan.LookTimer:
		s.News()
	case plan.MendTimer:
		s.beginRepair()
	}
}

// more goes on with what takes several tasks.
func (s *Journal) more() {
	s.installMore()
	s.compactMore()
	if s.State().Untidy() {
		s.State().Tidy()
	}
}

// Unfinished tells whether something is left for the next task.
func (s *Journal) Unfinished() bool {
	return s.install != nil && s.install.state.hasMore() || s.compaction.state == compactCutting || s.State().Untidy()
}
