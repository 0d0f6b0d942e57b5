package core

// adopt goes on with a replica that was read anew in the place of the stream's.
func (s *Stream) adopt(next *Replica) {
	land, committed := next.takeOver(s.Replica)
	s.Replica = next
	s.lives.Over(s.State())
	if committed > 0 {
		s.observer.Committed(committed)
	}
	s.tell(&land, true)
}
