package actions

import (
	"context"
	"maps"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// Eraser is the name under which objects are erased; its entries name nothing but their ids.
const Eraser = "strandline/erase"

// EraseObject takes an object out of a stream, with all that was ever written to it: it is removed, and checkpoints stand for every entry before. What
// devices have got of it leaves their state when they sync; what they keep of their own actions, and older backups, this does not reach.
func (s *Streams) EraseObject(ctx context.Context, name string, id action.UUID) error {
	for range 2 { // the checkpoint before the last one is kept for those who are reading it
		w, err := s.Append(ctx, Write{Stream: name, Writer: Eraser, Ops: `[{"op":"remove","object":"` + id.String() + `"}]`})
		if err != nil {
			return err
		}
		if err := s.checkpointNow(ctx, name, w.Index); err != nil {
			return err
		}
	}
	return nil
}

// Forget deletes the logs that are a principal's own, and takes its name out of all others. It gives how many were deleted.
func (s *Streams) Forget(ctx context.Context, principal string, theirs func(stream string) bool) (deleted int, err error) {
	for after := ""; ; {
		heads, err := s.engine.Streams(ctx, after, lookedAt)
		if err != nil {
			return deleted, err
		}
		if len(heads) == 0 {
			break
		}
		for _, h := range heads {
			if !theirs(h.Stream) {
				continue
			}
			if err := s.delete(ctx, h.Stream); err != nil {
				return deleted, err
			}
			deleted++
		}
		after = heads[len(heads)-1].Stream
	}
	s.forgotten.add(principal) // waits for what is being stored
	s.mu.Lock()
	all := maps.Clone(s.streams)
	s.mu.Unlock()
	for _, st := range all {
		st.lock(ctx)
		for client, owner := range st.owners {
			if owner == principal {
				st.owners[client] = engine.Nobody
			}
		}
		st.mu.Unlock()
	}
	if err := s.engine.Forget(ctx, principal); err != nil {
		return deleted, err
	}
	s.claims.forget(principal)
	return deleted, nil
}

// forget has those of a principal be looked up again.
func (c *claims) forget(principal string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.known, func(_ action.UUID, owner string) bool { return owner == principal })
}
