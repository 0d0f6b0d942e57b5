package journal

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/state"
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

// Subscribe keeps a query live until Unsubscribe.
func (s *Journal) Subscribe(q *state.Query) *state.Live { return s.lives.Subscribe(s.State(), q) }

// Unsubscribe ends a live query.
func (s *Journal) Unsubscribe(l *state.Live) { s.lives.Unsubscribe(s.State(), l) }

// Flush gives the live queries that may have another result since the last one.
func (s *Journal) Flush() []*state.Live { return s.lives.Flush(s.State()) }

// Rows is the live result, as of the last Flush.
func (s *Journal) Rows(l *state.Live) []state.Row { return l.Rows(s.State()) }
