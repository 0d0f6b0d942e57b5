package server

import (
	"context"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/web"
)

// EraseObject takes objects out of a stream, with all that was ever written to them: they are removed, and checkpoints stand for every entry before. What
// devices and older backups have, it does not reach.
func (s *Server) EraseObject(ctx context.Context, stream string, ids ...action.UUID) error {
	if log, err := s.engine.Log(ctx, stream); err != nil {
		return err
	} else if log.Head == 0 {
		return web.Problem(action.CodeNotFound, "", "there is no such log; entries of data streams cannot be erased one by one")
	}
	for _, id := range ids {
		if notes, is := s.engine.(interface {
			NoteErased(stream string, object action.UUID) error
		}); is {
			if err := notes.NoteErased(stream, id); err != nil {
				return err
			}
		}
		if err := s.actions.EraseObject(ctx, stream, id); err != nil {
			return err
		}
	}
	return s.scrub()
}

// Use tells what of a principal's is kept.
func (s *Server) Use(ctx context.Context, principal string) (engine.Use, error) {
	return s.engine.Use(ctx, principal)
}

// scrub has an engine that keeps files leave nothing in their gaps.
func (s *Server) scrub() error {
	if e, is := s.engine.(interface{ Scrub() error }); is {
		return e.Scrub()
	}
	return nil
}

// Forget deletes the streams of actions and of data that are a principal's own, as theirs says, and takes its name out of all others: what it wrote there
// stays, by nobody. Its client ids are nobody's for ever. Who may still come in under the name writes under it again: deny it first. It gives how many
// streams were deleted; where it fails in the middle, it can be done again.
func (s *Server) Forget(ctx context.Context, principal string, theirs func(stream string) bool) (deleted int, err error) {
	data, err := s.data.Forget(ctx, principal, theirs)
	if err != nil {
		return data, err
	}
	logs, err := s.actions.Forget(ctx, principal, theirs)
	if err == nil {
		err = s.scrub()
	}
	return logs + data, err
}
