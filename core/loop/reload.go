package loop

import (
	"github.com/strandline-sync/strandline/core/replica"
)

// adopt goes on with a replica that was read anew in the place of the stream's.
func (s *Stream) adopt(next *replica.Replica) {
	land, committed := next.TakeOver(s.Replica)
	s.Replica = next
	s.lives.Over(s.State())
	if committed > 0 {
		s.observer.Committed(committed)
	}
	s.tell(&land, true)
}
