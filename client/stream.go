package client

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/state"
)

// Status is a stream's state.
type Status = loop.Status

// Row is an object as it is shown: what the log has, and what is pending on top of it.
type Row struct {
	ID   action.UUID
	Type string
	JSON json.RawMessage // the fields, and beside them id and type
}

// Fields reads the row's fields into a value, as encoding/json does.
func (r *Row) Fields(into any) error { return json.Unmarshal(r.JSON, into) }

// Stream is an open stream. It is safe for concurrent use.
type Stream struct {
	db      *DB
	in      *loop.Stream
	writes  map[uint64]*Write // by ticket, until it is known what became of them
	fresh   []uint64          // tickets of those that are not durable
	changed chan struct{}     // closed at the next change
	over    bool
	err     error // why it was closed
}

func newStream(db *DB, in *loop.Stream) *Stream {
	return &Stream{db: db, in: in, writes: map[uint64]*Write{}, changed: make(chan struct{})}
}

// Name is the stream's.
func (s *Stream) Name() string { return s.in.Name() }

// Client is the id under which this database writes.
func (s *Stream) Client() action.UUID {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	return s.in.Client()
}

// Row gives an object; false where there is none.
func (s *Stream) Row(id action.UUID) (Row, bool) {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	in := s.in.State()
	if !in.Exists(id) {
		return Row{}, false
	}
	return s.row(in.Object(id)), true
}

func (s *Stream) row(o state.Object) Row {
	return Row{o.ID(), o.Type(), s.in.State().AppendRow(nil, o.ID())}
}

// Rows gives the objects of a type, as they were at one moment, in no order that means anything; of every one where it is empty.
func (s *Stream) Rows(typ string) iter.Seq[Row] {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	var rows []Row
	for o := range s.in.State().Objects() {
		if typ == "" || o.Type() == typ {
			rows = append(rows, s.row(o))
		}
	}
	return func(yield func(Row) bool) {
		for _, r := range rows {
			if !yield(r) {
				return
			}
		}
	}
}

// Len is how many objects there are.
func (s *Stream) Len() int {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	return s.in.State().Len()
}

// Head is the index of the last entry of the log that is here.
func (s *Stream) Head() uint64 { return s.Status().Head }

// Status is the stream's state now.
func (s *Stream) Status() Status {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	return s.in.Status()
}

// Pending gives the actions that the server does not have, as a JSON array.
func (s *Stream) Pending() json.RawMessage {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	return s.in.AppendPending(nil, nil)
}

// Rejected lists what the server has refused for good, until Discard.
func (s *Stream) Rejected() []replica.Rejected {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	return s.in.RejectedList()
}

// Reset tells of a time when another log took the place of the one that was followed, and what became of own actions.
type Reset = own.Reset

// Resets are the last eight of them, the newest last.
func (s *Stream) Resets() []Reset {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	return s.in.ResetList()
}

// Repair reads a stream whose local log is damaged (Status is stopped, for "corrupt") anew from the server, and sends what can be read here of
// what was not sent, once. It returns when the stream can be written to again; Resets tells what became of what.
func (s *Stream) Repair(ctx context.Context) error {
	return s.db.wait(ctx, func(call plan.Call) plan.Event { return &plan.Repair{Stream: s.in.ID, Call: call} })
}

// Discard takes a refused action off the list, for good.
func (s *Stream) Discard(ctx context.Context, id action.UUID) error {
	return s.db.wait(ctx, func(call plan.Call) plan.Event { return &plan.Discard{Stream: s.in.ID, ID: id, Call: call} })
}

// Settled waits until all that is pending now is in the log or refused.
func (s *Stream) Settled(ctx context.Context) error {
	return s.db.wait(ctx, func(call plan.Call) plan.Event { return &plan.Settled{Stream: s.in.ID, Call: call} })
}

// Until waits until something holds of the stream, which is looked at whenever rows or the status change.
func (s *Stream) Until(ctx context.Context, holds func(*Stream) bool) error {
	for {
		s.db.mu.Lock()
		changed, over, err := s.changed, s.over, s.err
		s.db.mu.Unlock()
		if holds(s) {
			return nil
		}
		if over {
			if err == nil {
				err = errClosed
			}
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Changed gives a channel that is closed when rows or the status change after this call.
func (s *Stream) Changed() <-chan struct{} {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	return s.changed
}

// announce lets those go on who wait for a change. The caller holds mu, as below.
func (s *Stream) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Stream) ends(err error) {
	s.over, s.err = true, err
	s.forget()
	if err == nil {
		err = errClosed
	}
	for ticket, w := range s.writes {
		delete(s.writes, ticket)
		w.end(0, err)
	}
	s.announce()
}

// forget has the next one who asks for the stream open it anew. The caller holds mu.
func (s *Stream) forget() {
	if o := s.db.opening[s.in.Name()]; o != nil && o.stream == s {
		delete(s.db.opening, s.in.Name())
	}
}

// Close lets what was written become durable in the store, and closes the stream. What the server does not have stays in the store.
func (s *Stream) Close() error {
	s.db.mu.Lock()
	s.forget()
	s.db.mu.Unlock()
	return s.db.wait(context.Background(), func(call plan.Call) plan.Event { return &plan.CloseStream{Stream: s.in.ID, Call: call} })
}

func now() int64 { return time.Now().UnixMilli() }
