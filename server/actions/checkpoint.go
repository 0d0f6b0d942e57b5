package actions

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"

	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/web"
)

// checkpoints are what a stream has of them in memory.
type checkpoints struct {
	mu       sync.Mutex
	newest   *engine.Checkpoint // without what is packed; nil for none
	building bool
	deleted  int // how many logs of the name have been deleted
}

func (c *checkpoints) get() *engine.Checkpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.newest
}

// generation tells logs of the same name apart.
func (c *checkpoints) generation() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deleted
}

// keep takes note of a stored one, unless its log has been deleted meanwhile.
func (c *checkpoints) keep(stored *engine.Checkpoint, generation int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.deleted || c.newest != nil && c.newest.Index > stored.Index { // a later one was stored meanwhile
		return
	}
	c.newest = lightly(stored)
}

// begins takes note of the one that a fold has begun at: what is newer could not be read.
func (c *checkpoints) begins(stored *engine.Checkpoint) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.newest = lightly(stored)
}

// lightly is a checkpoint without what is packed.
func lightly(stored *engine.Checkpoint) *engine.Checkpoint {
	light := *stored
	light.Packed, light.Owners, light.Leases = nil, nil, nil
	return &light
}

func (c *checkpoints) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.newest = nil
	c.deleted++
}

// workForCheckpoint is what folding the entries after a checkpoint may take, a quarter of a second or so: whoever folds them anew pays it again.
const workForCheckpoint = 4 * state.MaxWork

// weigh builds a checkpoint where the entries since the last one outweigh it: each byte of a log is then folded and written
// about twice, and a new client reads about twice the state. The caller holds st.mu. Only the encoding is made here; the
// rest does not hold up the stream.
func (s *Streams) weigh(ctx context.Context, st *stream) {
	last := st.checkpoints.get()
	least := s.CheckpointBytes
	if last != nil {
		least = max(least, last.Bytes)
	}
	if s.CheckpointBytes < 0 || st.weight < least && st.work < workForCheckpoint {
		return
	}
	st.checkpoints.mu.Lock()
	busy := st.checkpoints.building
	st.checkpoints.building = true
	st.checkpoints.mu.Unlock()
	if busy || !s.packing.CompareAndSwap(false, true) { // one at a time: they are large
		st.checkpoints.mu.Lock()
		st.checkpoints.building = busy
		st.checkpoints.mu.Unlock()
		return
	}
	_ = web.WorkOf(ctx).Resume(context.WithoutCancel(ctx))
	weight, work := st.weight, st.work
	st.weight, st.work = 0, 0
	generation := st.checkpoints.generation()
	c, text, err := s.checkpointOf(ctx, st)
	if err != nil { // not now
		st.weight, st.work = weight, work
		st.checkpoints.mu.Lock()
		st.checkpoints.building = false
		st.checkpoints.mu.Unlock()
		s.packing.Store(false)
		return
	}
	oldest := uint64(1)
	if last != nil && s.Keep > 0 && c.Index > s.Keep {
		oldest = min(last.Index, c.Index+1-s.Keep) // who has just read the last one finds what follows it
	}
	s.Background(func() {
		defer s.packing.Store(false)
		if s.Retention != nil {
			retained, err := s.oldest(context.Background(), st.name, engine.Log{Head: c.Index, Oldest: oldest}, s.Retention(st.name))
			if err != nil {
				s.Log.Error("how much of a log is kept could not be looked up", "stream", web.Hashed(st.name), "error", err)
			}
			if last != nil { // who has just read the last one finds what follows it, here too
				oldest = max(oldest, min(last.Index, retained))
			}
		}
		err := s.store(st, c, text, oldest, generation)
		st.checkpoints.mu.Lock()
		st.checkpoints.building = false
		st.checkpoints.mu.Unlock()
		if err != nil {
			s.Log.Error("a checkpoint could not be stored", "stream", web.Hashed(st.name), "error", err)
		}
	})
}

func (s *Streams) store(st *stream, c *engine.Checkpoint, text []byte, oldest uint64, generation int) error {
	c.Bytes, c.SHA256 = len(text), sha256.Sum256(text)
	c.Packed = packed(text)
	if err := s.forgotten.put(c, func() error { return s.engine.PutCheckpoint(context.Background(), st.name, c, oldest) }); err != nil {
		return err
	}
	st.checkpoints.keep(c, generation)
	return nil
}

// unpack gives a checkpoint's text, which is what was stored.
func unpack(ctx context.Context, c *engine.Checkpoint) (string, error) {
	out := make([]byte, 0, c.Bytes)
	if err := eachPart(ctx, c, func(part []byte) { out = append(out, part...) }); err != nil {
		return "", err
	}
	return action.View(out), nil
}

// eachPart unpacks a checkpoint part by part, and others have the processor between; at the end it is checked against its hash.
func eachPart(ctx context.Context, c *engine.Checkpoint, each func(part []byte)) error {
	z, err := gzip.NewReader(bytes.NewReader(c.Packed))
	if err != nil {
		return fmt.Errorf("unpack a checkpoint: %w", err)
	}
	sum, part := sha256.New(), make([]byte, 64<<10)
	for {
		n, err := z.Read(part)
		sum.Write(part[:n])
		each(part[:n])
		if err == io.EOF {
			break
		}
		if err == nil {
			err = web.WorkOf(ctx).Slice(ctx)
		}
		if err != nil {
			return fmt.Errorf("unpack a checkpoint: %w", err)
		}
	}
	if !bytes.Equal(sum.Sum(nil), c.SHA256[:]) {
		return fmt.Errorf("a stored checkpoint does not match its hash")
	}
	return nil
}

func packed(text []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(text) // a bytes.Buffer takes all
	z.Close()
	return out.Bytes()
}
