package journal

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
)

// ErrClosed is for those who want something of a stream that is closed.
var ErrClosed = action.Fail(action.CodeClosed, "", "the stream is closed")

// Write applies a draft to the visible state at once and gives its ticket. reached tells whether the server was, not long ago.
func (s *Journal) Write(d *queue.Draft, reached bool) (ticket uint64, err error) {
	if err := s.writable(); err != nil {
		return 0, err
	}
	if err := s.Replica.Write(d, s.ticket+1, reached); err != nil {
		return 0, err
	}
	s.ticket++
	return s.ticket, nil
}

// Adopt takes over an action that another profile has not sent: its text.
func (s *Journal) Adopt(raw string) (l *queue.Local, err error) {
	if err := s.writable(); err != nil {
		return nil, err
	}
	if l, err = s.Replica.Adopt(raw, s.ticket+1); err == nil {
		s.ticket++
	}
	return l, err
}

// writable says why nothing can be written.
func (s *Journal) writable() error {
	if s.life != open || s.p.Ending {
		return ErrClosed
	}
	return s.broken
}
