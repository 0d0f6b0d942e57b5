package virtual

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/conflict"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/core/undo"
)

// Whole comes before whatever is asked of the database or of a stream.
func (d *Database) Whole() {
	if d.Working() {
		d.Step(&plan.Whole{})
	}
}

// Drop ends a context in the middle of whatever it does: nothing that follows is carried out.
func (d *Database) Drop() {
	d.DB.Step(&plan.Whole{})
}

func (s *Stream) whole() *loop.Stream {
	s.db.Whole()
	return s.Stream
}

// What is asked of a stream, as in loop.Stream.

func (s *Stream) State() *state.State                      { return s.whole().State() }
func (s *Stream) Status() loop.Status                      { return s.whole().Status() }
func (s *Stream) Client() action.UUID                      { return s.whole().Client() }
func (s *Stream) Unsent() int                              { return s.whole().Unsent() }
func (s *Stream) Check() error                             { return s.whole().Check() }
func (s *Stream) Conflicts() []conflict.Conflict           { return s.whole().Conflicts() }
func (s *Stream) RejectedList() []replica.Rejected         { return s.whole().RejectedList() }
func (s *Stream) IsRejected(id action.UUID) bool           { return s.whole().IsRejected(id) }
func (s *Stream) Writable(id action.UUID) replica.Writable { return s.whole().Writable(id) }
func (s *Stream) AppendPending(b []byte, of *action.UUID) []byte {
	return s.whole().AppendPending(b, of)
}
func (s *Stream) Write(d *queue.Draft) (uint64, error)        { return s.whole().Write(d) }
func (s *Stream) Undo(d *queue.Draft) ([]undo.Skipped, error) { return s.whole().Undo(d) }
func (s *Stream) Redo(d *queue.Draft) ([]undo.Skipped, error) { return s.whole().Redo(d) }
func (s *Stream) Retry(d *queue.Draft, id action.UUID, p string) error {
	return s.whole().Retry(d, id, p)
}
