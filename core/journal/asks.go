package journal

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
)

// ErrClosed is for those who want something of a stream that is closed.
var ErrClosed = action.Fail(action.CodeClosed, "", "the stream is closed")

// Write applies a draft to the visible state at once and gives its ticket. reached tells whether the server was, not long ago.
func (s *Journal) Write(d *queue.Draft, reached bool) (ticket uint64, err error) {
	switch {
	case s.life != open || s.p.Ending:
		return 0, ErrClosed
	case s.broken != nil:
		return 0, s.broken
	}
	if err := s.Replica.Write(d, s.ticket+1, reached); err != nil {
		return 0, err
	}
	s.ticket++
	return s.ticket, nil
}
