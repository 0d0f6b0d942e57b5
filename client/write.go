package client

import (
	"context"
	"encoding/json"
	"maps"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/replica"
)

// Write is a write that was applied here. It becomes durable in the store, and then an entry of the log.
type Write struct {
	Action action.UUID
	Object action.UUID // of Create, Update and Remove

	durable, done chan struct{}
	index         uint64
	err           error
}

// Durable waits until the write is kept in the store.
func (w *Write) Durable(ctx context.Context) error {
	select {
	case <-w.durable:
	case <-w.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-w.durable:
		return nil
	default:
		return w.err
	}
}

// Persisted waits until the write is in the log and gives its index. It fails where the server refuses it for good, or where the log discards it whole;
// with the code closed where the database was closed first.
func (w *Write) Persisted(ctx context.Context) (uint64, error) {
	select {
	case <-w.done:
		return w.index, w.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (w *Write) end(index uint64, err error) {
	w.index, w.err = index, err
	close(w.done)
}

// Op is one op of an action, as the protocol has it: {"op": "create", "object": …, "type": …, "fields": …}. Values are what encoding/json makes of them.
type Op map[string]any

// NewID makes an id for an object.
func NewID() action.UUID { return sources{}.NewID() }

// Create makes an object.
func (s *Stream) Create(typ string, fields any) (*Write, error) {
	id := NewID()
	return s.write(id, false, Op{"op": "create", "object": id.String(), "type": typ, "fields": fields})
}

// Update changes an object. The parts are those of the protocol: {"set": {…}, "unset": […], "inc": {…}} and others.
func (s *Stream) Update(id action.UUID, parts map[string]any) (*Write, error) {
	op := Op{"op": "update", "object": id.String()}
	maps.Copy(op, parts)
	return s.write(id, false, op)
}

// Set sets fields of an object.
func (s *Stream) Set(id action.UUID, fields map[string]any) (*Write, error) {
	return s.Update(id, map[string]any{"set": fields})
}

// Remove removes an object.
func (s *Stream) Remove(id action.UUID) (*Write, error) {
	return s.write(id, false, Op{"op": "remove", "object": id.String()})
}

// Transact makes one action of several ops: all of them come into effect, or none does.
func (s *Stream) Transact(ops ...Op) (*Write, error) {
	return s.write(action.Nil, true, ops...)
}

func (s *Stream) write(object action.UUID, atomic bool, ops ...Op) (*Write, error) {
	text, err := json.Marshal(ops)
	if err != nil {
		return nil, &action.Error{Code: action.CodeInvalid, Message: "the ops are not JSON", Cause: err}
	}
	db := s.db
	db.mu.Lock()
	defer db.mu.Unlock()
	if s.over || db.closed {
		return nil, errClosed
	}
	d := &queue.Draft{ID: NewID(), At: now(), Ops: string(text), Atomic: atomic}
	ticket, err := s.in.Write(d)
	if err != nil {
		db.step(&plan.Wrote{})
		return nil, err
	}
	w := &Write{Action: d.ID, Object: object, durable: make(chan struct{}), done: make(chan struct{})}
	s.writes[ticket], s.fresh = w, append(s.fresh, ticket)
	s.announce()
	db.step(&plan.Wrote{})
	return w, nil
}

func (s *Stream) committed(n *plan.Committed) {
	for len(s.fresh) > 0 && s.fresh[0] <= n.UpTo {
		if w := s.writes[s.fresh[0]]; w != nil {
			close(w.durable)
		}
		s.fresh = s.fresh[1:]
	}
}

func (s *Stream) failed(n *plan.Failed) {
	for _, ticket := range n.Tickets {
		s.resolved(ticket, 0, n.Err)
	}
	s.announce()
}

func (s *Stream) resolved(ticket, index uint64, err error) {
	if w := s.writes[ticket]; w != nil {
		delete(s.writes, ticket)
		w.end(index, err)
	}
}

// refusal is the error of a refused action.
func refusal(r *replica.Rejected) error {
	return &action.Error{Code: r.Code, Message: r.Message}
}
