package journal

import "github.com/strandline-sync/strandline/core/plan"

// slotState is what is done for a turn to write.
type slotState uint8

const (
	slotNone slotState = iota
	slotWanted
	slotHeld
)

// Where several contexts write at once, each commit but one loses its race, and is made again after a read of the log. So
// whoever has lost lately waits for a slot that the contexts give one another in turn, and reads and commits while it has it. It is a
// courtesy, not a lock that anything depends on: who does not get it in time commits without it.
type slot struct {
	state slotState
	until int64 // as long as commits wait for a slot
}

const (
	rivalry   = 2_000 // how long after a lost race others are expected to write, in milliseconds
	hintPause = 20    // between two reads of the log that hints of others lead to
)

// lostRace takes note that another context was first.
func (s *Journal) lostRace() {
	if s.p.slots() {
		s.slot.until = s.p.Now() + rivalry
		s.p.Message('r', s.Name())
	}
}

// Rivals takes note that another one has lost a race: who wins them takes turns too.
func (s *Journal) Rivals() {
	if s.p.slots() {
		s.slot.until = s.p.Now() + rivalry
	}
}

// waitsForSlot tells whether the next commit waits for a slot, and asks for it.
func (s *Journal) waitsForSlot() bool {
	if s.slot.state == slotHeld || !s.p.slots() || s.p.Now() >= s.slot.until {
		return false
	}
	if s.slot.state == slotNone {
		s.slot.state = slotWanted
		s.planSlot(true)
	}
	return true
}

func (s *Journal) planSlot(want bool) {
	s.p.Plan.Slots = append(s.p.Plan.Slots, plan.SlotChange{Stream: s.ID, Name: s.Name(), Want: want})
}

// granted says that it is this context's turn.
func (s *Journal) granted() {
	if s.slot.state != slotWanted {
		return
	}
	s.slot.state = slotHeld
	if s.access != resting || !s.queued() {
		s.endSlot()
	} else {
		s.stale, s.read = true, false
	}
	s.Pump()
}

// endSlot gives the slot back.
func (s *Journal) endSlot() {
	if s.slot.state == slotHeld {
		s.slot.state = slotNone
		s.planSlot(false)
	}
}

// News reads what another context says that it has committed. Many such hints lead to few reads.
func (s *Journal) News() {
	now := s.p.Now()
	if wait := s.lookedAt + hintPause - now; wait > 0 && wait <= hintPause { // a clock that was set back must not make it wait for long
		if !s.timerSet(plan.LookTimer) {
			s.setTimer(plan.LookTimer, wait)
		}
		return
	}
	s.lookedAt = now
	s.Refresh()
}
