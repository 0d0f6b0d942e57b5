package journal

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
)

// life is what a stream is in. become makes the transitions.
type life uint8

const (
	opening   life = iota // its local log is read, or made
	abandoned             // and it was closed meanwhile
	open
	closing // what is written becomes durable
	ended
)

// lives are the transitions: to which, as bits.
var lives = [...]uint16{
	opening:   1<<open | 1<<abandoned | 1<<ended,
	abandoned: 1 << ended,
	open:      1<<closing | 1<<ended,
	closing:   1 << ended,
	ended:     0,
}

func (s *Journal) become(next life) {
	if lives[s.life]>>next&1 == 0 {
		panic("journal: a stream's life took a turn that does not exist")
	}
	s.life = next
}

// Opening tells whether the local log is being read, or made.
func (s *Journal) Opening() bool { return s.life == opening }

// Open tells whether the stream can be written to.
func (s *Journal) Open() bool { return s.life == open }

// Closed tells whether nothing new begins.
func (s *Journal) Closed() bool { return s.life != opening && s.life != open }

// usable tells whether the stream is open, or has to bring to an end what it has begun.
func (s *Journal) usable() bool { return s.life == open || s.life == closing }

// opened ends the opening.
func (s *Journal) opened(err error) {
	if err == nil && s.User() != s.p.User {
		err = action.Fail(action.CodeInvalid, "/user", "this local log belongs to another user")
	}
	if free := s.options.ConflictFree; err == nil && free != nil && *free != s.ConflictFree() {
		err = action.Fail(action.CodeInvalid, "/conflictFree", "the stream was first opened with the other value in this browser")
	}
	if err == nil && s.life == abandoned {
		err = ErrClosed
	}
	if err != nil {
		s.failed = err
		s.end(nil)
		return
	}
	s.become(open)
	s.signal(Signal{What: Opened, Call: s.opener})
	s.opener = 0
	s.StatusChanged()
	s.Weigh()
	s.Pump() // a hint may have come meanwhile
}

// Close lets what is written become durable, then ends the stream. Pending actions stay in the local log.
func (s *Journal) Close(call plan.Call) {
	if s.life == ended {
		s.p.Done(call, nil)
		return
	}
	s.closers = append(s.closers, call)
	switch s.life {
	case opening:
		s.become(abandoned)
	case open:
		s.become(closing)
	}
	s.endInstall()
	s.Pump()
}

// End ends it as it is. With an error its local log was destroyed under it, or cannot be reached to the last.
func (s *Journal) End(err error) {
	if err != nil {
		s.failWrites(err)
	}
	s.end(err)
}

// end tells that the stream is closed, and lets go of all that waits.
func (s *Journal) end(err error) {
	if s.life == ended {
		return
	}
	s.endInstall()
	if s.usable() && !s.Attended {
		s.p.Closed(s.ID, err)
	}
	s.become(ended)
	s.endSlot()
	s.p.End(s.op) // what is in flight goes down with the rest
	s.access, s.op, s.commit, s.place, s.moving = resting, 0, commit{}, nil, nil
	for _, kind := range [...]plan.TimerKind{plan.StoreTimer, plan.CompactTimer, plan.LookTimer, plan.MendTimer} {
		s.p.ClearTimer(plan.TimerID{Kind: kind, Stream: s.ID})
	}
	if err == nil {
		err = ErrClosed
	}
	s.told(err)
	s.landingsEnd(nil)
	s.letGo(err)
	if s.opener != 0 {
		if s.failed == nil {
			s.failed = ErrClosed // a forced destroy did not wait
		}
		s.signal(Signal{What: Opened, Call: s.opener, Err: s.failed})
	}
	for _, call := range s.closers {
		s.p.Done(call, nil)
	}
	s.closers = nil
	s.signal(Signal{What: Ended})
}
