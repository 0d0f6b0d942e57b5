package actions

import (
	"github.com/strandline-sync/strandline/server/web"

	"context"
	"errors"
	"fmt"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/server/engine"
)

// load folds the log. The caller holds mu.
func (st *stream) load(ctx context.Context, e engine.Engine) error {
	if st.loaded {
		return nil
	}
	log, err := e.Log(ctx, st.name)
	if err != nil {
		return err
	}
	st.state, st.owners, st.leases, st.heard = state.NewState(), map[action.UUID]string{}, nil, nil
	st.state.Epoch, st.weight, st.work = log.Epoch, 0, 0
	// Without a checkpoint that can be read, the entries will do, if they are all there.
	if err := st.fromCheckpoint(ctx, e, &log); err != nil && st.state.Head == 0 && log.Oldest > 1 {
		return err
	}
	for st.state.Head < log.Head {
		entries, err := e.Read(ctx, st.name, st.state.Head, 1000, 4<<20)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return &action.Error{Code: action.CodeInternal, Message: "the engine lacks entries below its head"}
		}
		for i := range entries {
			a, err := action.DecodeAction(entries[i].Raw)
			if err != nil {
				return err
			}
			st.work += st.state.Work(a)
			st.weight += len(a.Raw)
			st.state.ApplyEntry(a, nil, nil)
			st.own(a.Client, entries[i].By)
			if err := web.WorkOf(ctx).Slice(ctx); err != nil {
				return err
			}
			if st.state.Chain != entries[i].Chain {
				return &action.Error{Code: action.CodeInternal, Message: "a stored entry does not match its chain"}
			}
		}
	}
	st.loaded, st.size = true, st.state.Size()
	return nil
}

// fromCheckpoint begins a fold at the newest checkpoint of the log that is whole, where there is one.
func (st *stream) fromCheckpoint(ctx context.Context, e engine.Engine, log *engine.Log) error {
	indexes, err := e.Checkpoints(ctx, st.name)
	if err != nil {
		return err
	}
	for _, index := range indexes {
		c, rerr := e.Checkpoint(ctx, st.name, index)
		if rerr == nil && (c == nil || c.Epoch != log.Epoch) {
			continue
		}
		if rerr == nil {
			rerr = st.begin(ctx, c)
		}
		if rerr == nil {
			return nil
		}
		err = errors.Join(err, rerr)
	}
	return err
}

// readStep is how many bytes of a checkpoint are read at a time.
const readStep = 128 << 10

// begin puts a checkpoint's state in the place of the fold.
func (st *stream) begin(ctx context.Context, c *engine.Checkpoint) error {
	text, err := unpack(ctx, c)
	if err != nil {
		return err
	}
	r, err := state.NewCheckpointReader(text)
	for done := false; err == nil && !done; {
		if done, err = r.Step(readStep); err == nil {
			err = web.WorkOf(ctx).Slice(ctx)
		}
	}
	if err != nil {
		return fmt.Errorf("read a checkpoint: %v", err)
	}
	name, folded := r.Stream, r.State
	if name != st.name || folded.Epoch != c.Epoch || folded.Head != c.Index || folded.Chain != c.Chain {
		return fmt.Errorf("a stored checkpoint is of another log")
	}
	owners, err := decodeOwners(c.Owners)
	if err != nil {
		return err
	}
	st.state, st.owners, st.heard = folded, owners, decodeLeases(c.Leases)
	st.checkpoints.begins(c)
	return nil
}
