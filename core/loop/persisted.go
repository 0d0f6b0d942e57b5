package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/replica"
)

// Persisted is what becomes of an own action: its index, or why it has none. A rejected one is given with its error.
type Persisted func(index uint64, rejected *replica.Rejected, err error)

// OnPersisted tells what became of one of this client's own actions, once that is known: also of one that was made before a reload.
// One that this local log does not know, or not any more, is a not-found *Error.
func (s *Stream) OnPersisted(id action.UUID, done Persisted) {
	if s.WaitsFor(id) {
		if s.asked == nil {
			s.asked = map[action.UUID][]Persisted{}
		}
		s.asked[id] = append(s.asked[id], done)
		return
	}
	done(s.Fate(id))
}

// answer tells those who asked for an action.
func (s *Stream) answer(id action.UUID, index uint64, rejected *replica.Rejected, err error) {
	waiting := s.asked[id]
	delete(s.asked, id)
	for _, done := range waiting {
		done(index, rejected, err)
	}
}
