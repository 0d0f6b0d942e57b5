package loop

// Where several contexts write at once, each commit but one loses its race, and is made again after a read of the log. So
// whoever has lost lately waits for a slot that the contexts give one another in turn, and reads and commits while it has it. It is a
// courtesy, not a lock that anything depends on: who does not get it in time commits without it.
type slot struct {
	until   int64  // as long as commits wait for a slot
	queued  bool   // for one
	release func() // gives the one that is held back; nil where none is
}

const (
	rivalry   = 2_000 // how long after a lost race others are expected to write, in milliseconds
	hintPause = 20    // between two reads of the log that hints of others lead to
)

// lostRace takes note that another context was first.
func (s *Stream) lostRace() {
	if s.db.slots != nil {
		s.slot.until = s.db.host.Now() + rivalry
		s.db.tell('r', s.Name())
	}
}

// waitsForSlot tells whether the next commit waits for a slot, and asks for it.
func (s *Stream) waitsForSlot() bool {
	if s.slot.release != nil || s.db.slots == nil || s.db.host.Now() >= s.slot.until {
		return false
	}
	if !s.slot.queued {
		s.slot.queued = true
		s.db.slots(s.Name(), func(release func()) {
			s.slot.queued = false
			if s.ended || s.busy || !s.waiting() {
				release()
				s.Pump()
				return
			}
			s.slot.release, s.stale, s.read = release, true, false
			s.Pump()
		})
	}
	return true
}

// endSlot gives the slot back.
func (s *Stream) endSlot() {
	if release := s.slot.release; release != nil {
		s.slot.release = nil
		release()
	}
}

// news reads what another context says that it has committed. Many such hints lead to few reads.
func (s *Stream) news() {
	now := s.db.host.Now()
	if wait := s.lookedAt + hintPause - now; wait > 0 && wait <= hintPause { // a clock that was set back must not make it wait for long
		if !s.lookSoon {
			s.lookSoon = true
			s.db.host.After(wait, func() { s.lookSoon = false; s.news() })
		}
		return
	}
	s.lookedAt = now
	s.Refresh()
}
