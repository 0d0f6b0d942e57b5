package journal

import (
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/replica"
)

// tell notes a notice to who has the stream open.
func (s *Journal) tell(n plan.Notice) {
	if !s.Attended && s.usable() {
		s.p.Notice(n)
	}
}

// StatusChanged notes that the stream's status may be another.
func (s *Journal) StatusChanged() {
	if !s.Attended && s.usable() {
		s.p.StatusChanged(s.ID)
	}
}

func (s *Journal) changed(remote bool, by replica.Difference) {
	if !s.Attended && s.usable() {
		s.p.Changed(s.ID, remote, by)
	}
}

func (s *Journal) setTimer(kind plan.TimerKind, ms int64) { s.p.SetTimer(s.timer(kind), ms) }

func (s *Journal) timerSet(kind plan.TimerKind) bool { return s.p.TimerSet(s.timer(kind)) }

func (s *Journal) timer(kind plan.TimerKind) plan.TimerID {
	return plan.TimerID{Kind: kind, Stream: s.ID}
}

// landed passes on what a record did to own actions.
func (s *Journal) landed(land *replica.Landing, remote bool) {
	if land.Committed > 0 {
		s.tell(&plan.Committed{Stream: s.ID, UpTo: land.Committed})
	}
	for _, r := range land.Resets {
		s.tell(&plan.Reset{Stream: s.ID, Reset: r})
		s.signal(Signal{What: Anew})
	}
	for _, o := range land.Resolved {
		err := o.Err()
		s.tell(&plan.Resolved{Stream: s.ID, Ticket: o.Ticket, ID: o.ID, Index: o.Index, Err: err})
		s.settle(o.ID)
		s.fate(o.ID, o.Index, nil, err)
	}
	for _, r := range land.Rejected {
		s.tell(&plan.Refused{Stream: s.ID, Ticket: r.Ticket, Rejected: r})
		s.settle(r.ID)
		s.fate(r.ID, 0, &r, r.Err())
	}
	s.answerDiscards(nil)
	for _, d := range land.Dropped {
		s.tell(&plan.Failed{Stream: s.ID, Tickets: []uint64{d.Ticket}, Err: d.Err})
		s.settle(d.ID)
		s.fate(d.ID, 0, nil, d.Err)
	}
	for i := range land.Conflicts {
		s.tell(&plan.Conflicted{Stream: s.ID, Conflict: &land.Conflicts[i]})
	}
	s.changed(remote, land.Difference)
	s.StatusChanged()
}
