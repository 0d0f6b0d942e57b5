package loop

import (
	"context"
	"errors"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/state"
)

// install is a checkpoint of the server on its way under what is pending here. It is fetched, read and cut into pages
// beside the running stream, in steps; then one commit puts it, with what becomes of the pending actions, in the place
// of the whole local log. Other contexts meet it as any local checkpoint that has taken the place of their records.
type install struct {
	offer protocol.CheckpointOffer
	abort context.CancelFunc
	state *state.State
	snap  *replica.Snapshot
	tries int
}

const (
	readStep     = 64 << 10 // bytes of it that are read in one task
	installTries = 5
)

// wants tells whether the checkpoint of an answer is worth more than its entries.
func (s *Stream) wants(it *protocol.SyncItem, a *protocol.SyncAnswer) bool {
	o := a.Offer
	reach := it.After + uint64(len(a.Entries))
	return o != nil && s.installing == nil && o.Index > reach && (len(a.Entries) == 0 || o.Index != s.declined)
}

// install begins one.
func (s *Stream) install(o protocol.CheckpointOffer) {
	ctx, abort := context.WithCancel(context.Background())
	in := &install{offer: o, abort: abort}
	s.installing = in
	transport, name := s.db.transport, s.Name()
	s.db.host.Do(func() func() {
		text, err := transport.Checkpoint(ctx, name, &o, idleFor(0))
		var r *state.CheckpointReader
		if err == nil {
			r, err = checkOffer(&o, name, text)
		}
		return func() {
			abort()
			if err != nil {
				s.installed(in, err)
				return
			}
			s.readInstall(in, r)
		}
	})
}

// checkOffer looks whether a text is the checkpoint that was offered.
func checkOffer(o *protocol.CheckpointOffer, stream string, text []byte) (*state.CheckpointReader, error) {
	r, err := state.NewCheckpointReader(action.View(text))
	if err != nil || uint64(len(text)) != o.Bytes || r.Stream != stream ||
		r.State.Head != o.Index || r.State.Epoch != o.Epoch || r.State.Chain != o.Chain {
		return nil, &action.Error{Code: action.CodeBadAnswer, Path: "/checkpoint", Cause: err,
			Message: "it is not the checkpoint that was offered"}
	}
	return r, nil
}

// readInstall reads the next part, each in a task of its own.
func (s *Stream) readInstall(in *install, r *state.CheckpointReader) {
	if s.closed || s.broken != nil {
		s.installed(in, errClosed)
		return
	}
	done, err := r.Step(readStep)
	switch {
	case err != nil:
		s.installed(in, &action.Error{Code: action.CodeBadAnswer, Path: "/checkpoint", Message: "it cannot be read", Cause: err})
	case !done:
		s.db.host.After(0, func() { s.readInstall(in, r) })
	default:
		in.state, in.snap = r.State, replica.TakeSnapshot(r.State, nil, s.LogID())
		s.cutInstall(in)
	}
}

// cutInstall writes the next pages.
func (s *Stream) cutInstall(in *install) {
	if s.closed || s.broken != nil {
		s.installed(in, errClosed)
		return
	}
	if !in.snap.Step() {
		s.db.host.After(0, func() { s.cutInstall(in) })
		return
	}
	s.landings = append(s.landings, s.plannedInstall(in))
	s.Pump()
}

// plannedInstall waits for the commit slot.
func (s *Stream) plannedInstall(in *install) *planned {
	return &planned{install: in, done: func(bool, error) { s.installed(in, errClosed) }}
}

// landInstall commits it, in the place of the local log as it is now.
func (s *Stream) landInstall(in *install) {
	if in.offer.Index <= s.State().Head { // another context has brought more
		s.installed(in, nil)
		s.Pump()
		return
	}
	next := s.PlanInstall(in.state, s.db.newClient(), s.db.host.Now())
	in.snap.Place(s.NextLSN(), next)
	c := in.snap.Seal(s.Base())
	c.Record = locallog.Finish(locallog.NewRecord(locallog.KindInstall, 0))
	s.busy = true
	store, name := s.db.store, s.Name()
	s.db.host.Do(func() func() {
		err := store.Checkpoint(context.Background(), name, c)
		var raw []byte
		if errors.Is(err, locallog.ErrLost) {
			raw, _ = store.Manifest(context.Background(), name) // where that fails, the next try loses again
		}
		return func() { s.landedInstall(in, next, raw, err) }
	})
}

func (s *Stream) landedInstall(in *install, next *replica.Replica, raw []byte, err error) {
	s.busy = false
	switch {
	case s.ended:
	case err == nil:
		s.failures = 0
		next.MovedTo(&in.snap.Next)
		s.unsure = 0
		s.adopt(next)
		s.db.tell('m', s.Name())
		s.installed(in, nil)
		s.Pump()
	case errors.Is(err, locallog.ErrLost) && in.tries < installTries:
		in.tries++
		if m, merr := locallog.DecodeManifest(raw); merr == nil && string(m.Raw) != string(s.Base().Raw) {
			s.Checkpointed(m)
		}
		s.landings = append([]*planned{s.plannedInstall(in)}, s.landings...)
		s.Refresh()
	case s.takeRefuge(err, func() { s.installed(in, err) }):
	case action.CodeOf(err) == action.CodeClosed:
		s.gone(err)
		s.installed(in, err)
	default: // also where the outcome is unknown: what the log holds now tells
		s.installed(in, action.AsError(err, action.CodeStorage))
		s.Refresh()
	}
}

// installed ends it. Where it failed, the entries will do, if the server still has them.
func (s *Stream) installed(in *install, err error) {
	in.abort()
	s.installing = nil
	if code := action.CodeOf(err); err != nil && code != action.CodeUnreachable && code != action.CodeTimeout {
		s.declined = in.offer.Index
	}
	if s.closed {
		s.db.wake(becauseMore, true) // a turn may have found nothing but this one
		return
	}
	s.db.installed(s, err)
}
