package actions

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// Entry is one of a log.
type Entry struct {
	Index  uint64
	Stored time.Time
	By     string // the principal that wrote it
	Action *action.Action
}

// Consumed is what a consumer hears of one stream: entries, in order; or an error, which is of the types below, and no entries.
type Consumed struct {
	Stream  string
	Entries []Entry
	Err     error
}

// ErrReset says that another log is in the place of the one that was consumed. What was made of entries above Common is of a log that is not there any
// more; those of this one follow from there on.
type ErrReset struct{ Common uint64 }

func (e *ErrReset) Error() string {
	return fmt.Sprintf("another log is in the place of the one that was consumed, above %d", e.Common)
}

// ErrGap says that entries which were not consumed yet are not kept: a checkpoint stands for them. Those from Oldest on follow.
type ErrGap struct{ Oldest uint64 }

func (e *ErrGap) Error() string { return fmt.Sprintf("entries below %d are not kept", e.Oldest) }

// consumers are those that are at work.
type consumers struct {
	mu    sync.Mutex
	known map[string]*consumer
}

// How many entries a consumer hears at once, and their bytes, about.
const (
	consumedAtOnce = 500
	consumedBytes  = 1 << 20
)

// Pauses of a consumer: of a stream whose function fails, and until all streams are looked at again.
const (
	consumePause = time.Second
	consumeMost  = time.Minute
)

// consumer is one at work.
type consumer struct {
	s     *Streams
	name  string
	is    func(stream string) bool
	fn    func(context.Context, *Consumed) error
	wake  chan struct{}
	mu    sync.Mutex
	dirty map[string]bool // streams that may have moved
}

// Consume has fn hear of every entry of the streams of a pattern, until ctx ends.
func (s *Streams) Consume(ctx context.Context, name, pattern string, fn func(context.Context, *Consumed) error) error {
	is, err := rights.Pattern(pattern)
	if err != nil {
		return err
	}
	if name == "" {
		return web.Bad("/name", "is missing")
	}
	c := &consumer{s: s, name: name, is: is, fn: fn, wake: make(chan struct{}, 1), dirty: map[string]bool{}}
	s.consumers.mu.Lock()
	if s.consumers.known[name] != nil {
		s.consumers.mu.Unlock()
		return fmt.Errorf("the consumer %q is at work already", name)
	}
	if s.consumers.known == nil {
		s.consumers.known = map[string]*consumer{}
	}
	s.consumers.known[name] = c
	s.consumers.mu.Unlock()
	defer func() {
		s.consumers.mu.Lock()
		delete(s.consumers.known, name)
		s.consumers.mu.Unlock()
	}()
	return c.run(ctx)
}

// moved has those look again who consume a stream.
func (s *Streams) moved(stream string) {
	s.consumers.mu.Lock()
	defer s.consumers.mu.Unlock()
	for _, c := range s.consumers.known {
		c.note(stream)
	}
}

func (c *consumer) note(stream string) {
	if !c.is(stream) {
		return
	}
	c.mu.Lock()
	c.dirty[stream] = true
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// failing is a stream whose function has failed.
type failing struct {
	until time.Time
	pause time.Duration
}

func (c *consumer) run(ctx context.Context) error {
	if err := c.lookAtAll(ctx); err != nil {
		return err
	}
	failed, looked := map[string]failing{}, time.Now()
	for {
		if time.Since(looked) >= consumeMost { // whatever was not told
			if err := c.lookAtAll(ctx); err != nil {
				return err
			}
			looked = time.Now()
		}
		c.mu.Lock()
		dirty := c.dirty
		c.dirty = map[string]bool{}
		c.mu.Unlock()
		next := c.s.Now().Add(consumeMost)
		for stream := range dirty {
			if f, is := failed[stream]; is && c.s.Now().Before(f.until) {
				c.again(stream)
				next = earlier(next, f.until)
				continue
			}
			more, err := c.consume(ctx, stream)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, engine.ErrClosed):
				return err
			case err != nil:
				f := failed[stream]
				f.pause = min(max(consumePause, 2*f.pause), consumeMost)
				f.until = c.s.Now().Add(f.pause)
				failed[stream] = f
				c.s.Log.Warn("a consumer failed, and hears it again", "consumer", c.name, "stream", web.Hashed(stream), "pause", f.pause, "error", err)
				c.again(stream)
				next = earlier(next, f.until)
			default:
				delete(failed, stream)
				if more {
					c.note(stream)
				}
			}
		}
		timer := time.NewTimer(next.Sub(c.s.Now()))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-c.s.Done:
			timer.Stop()
			return engine.ErrClosed
		case <-c.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// again keeps a stream for later, and wakes nobody.
func (c *consumer) again(stream string) {
	c.mu.Lock()
	c.dirty[stream] = true
	c.mu.Unlock()
}

// lookAtAll notes every stream that there is.
func (c *consumer) lookAtAll(ctx context.Context) error {
	for after := ""; ; {
		heads, err := c.s.engine.Streams(ctx, after, lookedAt)
		if err != nil || len(heads) == 0 {
			return err
		}
		for _, h := range heads {
			c.note(h.Stream)
		}
		after = heads[len(heads)-1].Stream
	}
}

// consume has fn hear what is next of a stream, and keeps the place. more tells whether there may be something left.
func (c *consumer) consume(ctx context.Context, stream string) (more bool, err error) {
	text, err := c.s.engine.Cursor(ctx, c.name, stream)
	if err != nil {
		return false, err
	}
	at, err := decodeCursor(text)
	if err != nil {
		return false, err
	}
	log, err := c.s.engine.Log(ctx, stream)
	if err != nil {
		return false, err
	}
	if log.Head == 0 && at.Index == 0 {
		return false, nil
	}
	same, err := c.follows(ctx, stream, log, at)
	if err != nil {
		return false, err
	}
	if !same {
		common, chain, err := c.common(ctx, stream, log, at)
		if err != nil {
			return false, err
		}
		if err := c.hear(ctx, &Consumed{Stream: stream, Err: &ErrReset{common}}); err != nil {
			return false, err
		}
		at.backTo(common, chain, log.Epoch)
		return true, c.keep(ctx, stream, at)
	}
	if at.Index == log.Head {
		return false, nil
	}
	entries, err := c.s.engine.Read(ctx, stream, at.Index, consumedAtOnce, consumedBytes)
	if errors.Is(err, engine.ErrConflict) {
		return c.skip(ctx, stream, at)
	}
	if err != nil || len(entries) == 0 {
		return false, err
	}
	if at.Index == 0 || at.known() {
		if err := intact(at.Chain, entries); err != nil {
			return false, err
		}
	}
	heard := &Consumed{Stream: stream}
	for i := range entries {
		a, err := action.DecodeAction(entries[i].Raw)
		if err != nil {
			return false, err
		}
		heard.Entries = append(heard.Entries, Entry{Index: at.Index + uint64(i) + 1, Stored: time.UnixMilli(entries[i].Stored), By: entries[i].By, Action: a})
	}
	if err := c.hear(ctx, heard); err != nil {
		return false, err
	}
	at.moveTo(at.Index+uint64(len(entries)), entries[len(entries)-1].Chain, log.Epoch)
	return at.Index < log.Head, c.keep(ctx, stream, at)
}

// skip goes on behind what is not kept.
func (c *consumer) skip(ctx context.Context, stream string, at *cursor) (bool, error) {
	log, err := c.s.engine.Log(ctx, stream) // anew: it was just forgotten
	if err == nil && log.Oldest <= at.Index+1 {
		err = fmt.Errorf("the engine lacks entries behind %d", at.Index)
	}
	if err != nil {
		return false, err
	}
	if err := c.hear(ctx, &Consumed{Stream: stream, Err: &ErrGap{log.Oldest}}); err != nil {
		return false, err
	}
	at.unknown(log.Oldest-1, log.Epoch)
	return true, c.keep(ctx, stream, at)
}

// follows tells whether a log is the one that was consumed.
func (c *consumer) follows(ctx context.Context, stream string, log engine.Log, at *cursor) (bool, error) {
	switch {
	case at.Index == 0:
		return true, nil
	case at.Index > log.Head:
		return false, nil
	case !at.known(): // behind a gap
		return at.Epoch == log.Epoch, nil
	}
	chain, err := c.s.engine.Chain(ctx, stream, at.Index)
	if errors.Is(err, engine.ErrConflict) { // not kept
		return at.Epoch == log.Epoch, nil
	}
	return chain == at.Chain, err
}

// common is the highest of the consumer's marks that the log still has.
func (c *consumer) common(ctx context.Context, stream string, log engine.Log, at *cursor) (uint64, action.Chain, error) {
	it := protocol.SyncRequest{SyncItem: protocol.SyncItem{Stream: stream, Marks: at.Marks}}
	common, err := c.s.common(ctx, log, &it)
	for _, m := range at.Marks {
		if m.Index == common {
			return common, m.Chain, err
		}
	}
	return 0, 0, err
}

// hear calls fn; a panic is an error.
func (c *consumer) hear(ctx context.Context, what *Consumed) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the consumer panicked: %v\n%s", v, debug.Stack())
		}
	}()
	return c.fn(ctx, what)
}

func (c *consumer) keep(ctx context.Context, stream string, at *cursor) error {
	return c.s.engine.PutCursor(context.WithoutCancel(ctx), c.name, stream, at.encode())
}
