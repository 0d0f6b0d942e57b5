package journal

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/replica"
)

// A local log that is damaged is opened as far as it can be read, and cannot be written. A repair is a rebuild from what remains of it: the
// server's log takes its place, under a new client id, and what was not sent is sent.

// salvaged goes on with what remains of a log at its opening.
func (s *Journal) salvaged(remains *locallog.Remains, err error) {
	s.turn(resting)
	if err == nil {
		s.Replica = s.salvage(remains)
	}
	if s.opened(err); s.life == open {
		s.breakOff(s.broken)
	}
}

func (s *Journal) salvage(remains *locallog.Remains) *replica.Replica {
	return replica.Salvage(s.Name(), s.p.User, s.options.Conflicts, remains, s.p.Pace)
}

// mending tells whether a repair is under way.
func (s *Journal) mending() bool {
	return s.install != nil && s.install.rebuild != nil && s.install.rebuild.reason == own.ResetRepaired
}

// Repair begins one, unless nothing is broken, or one is under way.
func (s *Journal) repair(call plan.Call) {
	switch {
	case s.Closed() || s.Opening():
		s.p.Done(call, ErrClosed)
		return
	case s.broken == nil:
		s.p.Done(call, nil)
		return
	case action.CodeOf(s.broken) != action.CodeCorrupt:
		s.p.Done(call, s.broken)
		return
	}
	if s.menders = append(s.menders, call); s.mending() {
		return
	}
	in := &install{state: installGathering, rebuild: &rebuild{reason: own.ResetRepaired, resets: s.Resets()}}
	s.install = in
	in.op = s.p.Access(plan.Flight{Of: plan.OfInstall, Stream: s.ID}, plan.Access{Kind: plan.ReadRemains, Stream: s.Name()})
	s.signal(Signal{What: Mending})
}

// remainsRead goes on with what remains now.
func (s *Journal) remainsRead(remains *locallog.Remains, err error) {
	in := s.install
	switch {
	case in == nil || in.state != installGathering:
		return
	case err != nil:
		s.installed(in, err)
		return
	}
	s.adopt(s.salvage(remains))
	in.rebuild.resets, in.aside = s.Resets(), s.NewAside()
	s.gather(in)
}

// whole takes note that the log can be followed again: here it was repaired, or in another context.
func (s *Journal) whole() {
	if s.broken != nil && s.Unreadable() == 0 {
		s.broken = nil
		s.signal(Signal{What: Mended})
		s.StatusChanged()
	}
}

// mended tells who waits for a repair what came of it.
func (s *Journal) mended(err error) {
	if err == nil {
		err = s.broken
	}
	for _, call := range s.menders {
		s.p.Done(call, err)
	}
	if s.menders = nil; s.broken != nil {
		s.stop(action.CodeOf(s.broken), s.broken)
	}
}

// AsideEnds says that nobody has more of what is folded aside: no server was named.
func (s *Journal) AsideEnds() {
	if s.Following() {
		s.cut(s.install)
	}
}
