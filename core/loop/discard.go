package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/replica"
)

// discardWaiter waits until a refused action is off the list.
type discardWaiter struct {
	id   action.UUID
	done func(error)
}

// Discard takes a refused action off the list, for good. The host calls Pump after it.
func (s *Stream) Discard(id action.UUID, done func(error)) {
	switch {
	case s.closed:
		done(errClosed)
	case s.broken != nil:
		done(s.broken)
	case s.Refused(id) == nil:
		done(replica.ErrNotRefused())
	default:
		s.DiscardSoon(id)
		s.discard = append(s.discard, discardWaiter{id, done})
	}
}

// answerDiscards tells those whose discard is done; with an error all of them, that it will not be.
func (s *Stream) answerDiscards(err error) {
	var left []discardWaiter
	var done []func(error)
	over := map[action.UUID]bool{}
	for _, w := range s.discard {
		if err == nil && s.IsRejected(w.id) {
			left = append(left, w)
		} else {
			over[w.id] = true
			done = append(done, w.done)
		}
	}
	s.discard = left
	s.Discarded(over)
	for _, f := range done {
		f(err)
	}
}
