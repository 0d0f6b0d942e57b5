package actions

import (
	"context"
	"errors"
	"time"

	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// RetainEvery is how often logs are looked at that nobody writes.
const RetainEvery = time.Hour

// Retain forgets what is kept no longer, in all logs: it makes a checkpoint, which stands for it from then on. One log that fails costs the others
// nothing.
func (s *Streams) Retain(ctx context.Context) error {
	if s.Retention == nil {
		return nil
	}
	var wrong []error
	for after := ""; ; {
		heads, err := s.engine.Streams(ctx, after, lookedAt)
		if err != nil || len(heads) == 0 {
			return errors.Join(append(wrong, err)...)
		}
		for _, h := range heads {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := s.retain(ctx, h.Stream); err != nil {
				wrong = append(wrong, err)
			}
		}
		after = heads[len(heads)-1].Stream
	}
}

func (s *Streams) retain(ctx context.Context, name string) error {
	r := s.Retention(name)
	if r == (rights.Retention{}) {
		return nil
	}
	log, err := s.engine.Log(ctx, name)
	if err != nil || log.Head == 0 {
		return err
	}
	oldest, err := s.oldest(ctx, name, log, r)
	if err != nil || oldest <= log.Oldest {
		return err
	}
	return s.checkpointNow(ctx, name, oldest)
}

// oldest is the first entry of a log that is kept: of the last ones, and of those that are not too old, whichever is later. The last entry always stays.
func (s *Streams) oldest(ctx context.Context, name string, log engine.Log, r rights.Retention) (uint64, error) {
	oldest := max(log.Oldest, 1)
	most := log.Head
	if s.Keep > 0 { // which is kept in any case
		most = max(oldest, log.Head+1-min(s.Keep, log.Head))
	}
	if r.Entries > 0 && log.Head > r.Entries {
		oldest = max(oldest, log.Head+1-r.Entries)
	}
	if r.Age == 0 {
		return min(oldest, most), nil
	}
	since := s.Now().Add(-r.Age).UnixMilli()
	for low, high := oldest, log.Head; ; { // the first one that is not too old lies within
		if low >= high {
			return min(low, most), nil
		}
		middle := low + (high-low)/2
		entries, err := s.engine.Read(ctx, name, middle-1, 1, 1)
		forgotten := errors.Is(err, engine.ErrConflict)
		if err != nil && !forgotten || err == nil && len(entries) == 0 { // it cannot be read, or was deleted meanwhile
			return oldest, err
		}
		if forgotten || entries[0].Stored < since {
			low = middle + 1
		} else {
			high = middle
		}
	}
}

// checkpointNow makes a checkpoint of a log as it stands, unless there is one already, and forgets the entries below oldest.
func (s *Streams) checkpointNow(ctx context.Context, name string, oldest uint64) error {
	st := s.stream(name)
	defer s.release(st)
	c, text, generation, err := s.encode(ctx, st)
	if err != nil || c == nil {
		return err
	}
	return s.store(st, c, text, oldest, generation)
}

// encode makes a checkpoint of a stream as it stands; nil where it has no entries.
func (s *Streams) encode(ctx context.Context, st *stream) (c *engine.Checkpoint, text []byte, generation int, err error) {
	st.lock(ctx)
	defer st.mu.Unlock()
	if err = st.load(ctx, s.engine); err == nil {
		err = s.expire(ctx, st)
	}
	if err != nil || st.state.Head == 0 {
		return nil, nil, 0, err
	}
	defer s.folded(st)
	c, text, err = s.checkpointOf(ctx, st)
	return c, text, st.checkpoints.generation(), err
}

// checkpointOf writes the state down. The caller holds st.mu, and st is loaded.
func (s *Streams) checkpointOf(ctx context.Context, st *stream) (*engine.Checkpoint, []byte, error) {
	c := &engine.Checkpoint{Index: st.state.Head, Epoch: st.state.Epoch, Chain: st.state.Chain}
	text, err := st.state.CheckpointInParts(nil, st.name, func() error { return web.WorkOf(ctx).Slice(context.WithoutCancel(ctx)) })
	c.Leases = st.leases.encode(st.heard)
	c.Owners = encodeOwners(st.owners, st.state.LastSeq)
	return c, text, err
}
