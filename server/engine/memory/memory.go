// Package memory is the reference engine: logs in memory, for tests and simulations. Nothing outlives the process.
package memory

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// Engine implements engine.Engine.
type Engine struct {
	mu     sync.Mutex
	logs   map[string]*log
	claims map[action.UUID]string
	data   *data
	closed bool

	deleted map[action.UUID]bool // epochs
	cursors map[[2]string][]byte // by consumer and stream
}

type log struct {
	epoch       action.UUID
	by          string // who wrote the first entry
	entries     []engine.Entry
	oldest      uint64 // entries below are forgotten, though their places remain
	checkpoints []*engine.Checkpoint
	former      []action.UUID // epochs that it had before it was restored
}

var _ engine.Engine = (*Engine)(nil)

// New makes an engine without logs.
func New() *Engine {
	return &Engine{logs: map[string]*log{}, claims: map[action.UUID]string{}, deleted: map[action.UUID]bool{}, cursors: map[[2]string][]byte{}, data: newData()}
}

// Clone copies every log and data stream: the server as a backup would bring it back.
func (e *Engine) Clone() *Engine {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := New()
	for name, l := range e.logs {
		c.logs[name] = &log{l.epoch, l.by, slices.Clone(l.entries), l.oldest, slices.Clone(l.checkpoints), l.former}
	}
	c.data, c.claims, c.deleted, c.cursors = e.data.clone(), maps.Clone(e.claims), maps.Clone(e.deleted), maps.Clone(e.cursors)
	return c
}

// Restored is a copy as a restore makes it: each log has another epoch, and so have its checkpoints.
func (e *Engine) Restored(newID func() action.UUID) (*Engine, error) {
	c := e.Clone()
	for _, name := range slices.Sorted(maps.Keys(c.logs)) {
		l := c.logs[name]
		l.former = append(slices.Clone(l.former), l.epoch)
		l.epoch = newID()
		for i, was := range l.checkpoints {
			renewed := *was
			if err := renewed.Renew(l.epoch); err != nil {
				return nil, err
			}
			l.checkpoints[i] = &renewed
		}
	}
	return c, nil
}

func (e *Engine) get(stream string) (*log, error) {
	if e.closed {
		return nil, engine.ErrClosed
	}
	if l := e.logs[stream]; l != nil {
		return l, nil
	}
	return &log{}, nil
}

// Claim implements engine.Engine.
func (e *Engine) Claim(_ context.Context, client action.UUID, principal string) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return "", engine.ErrClosed
	}
	if owner, known := e.claims[client]; known {
		return owner, nil
	}
	e.claims[client] = principal
	return principal, nil
}

// Log implements engine.Engine.
func (e *Engine) Log(_ context.Context, stream string) (engine.Log, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.get(stream)
	if err != nil || len(l.entries) == 0 {
		return engine.Log{}, err
	}
	n := len(l.entries)
	return engine.Log{Epoch: l.epoch, Head: uint64(n), Chain: l.entries[n-1].Chain, Oldest: max(1, l.oldest)}, nil
}

// Append implements engine.Engine.
func (e *Engine) Append(_ context.Context, stream string, epoch action.UUID, expect uint64, entries []engine.Entry) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.get(stream)
	if err != nil {
		return err
	}
	if uint64(len(l.entries)) != expect || expect > 0 && l.epoch != epoch {
		return engine.ErrConflict
	}
	if len(entries) == 0 {
		return nil
	}
	if l.epoch = epoch; expect == 0 {
		l.by = entries[0].By
	}
	l.entries = append(l.entries, entries...)
	e.logs[stream] = l
	return nil
}

// Read implements engine.Engine.
func (e *Engine) Read(_ context.Context, stream string, after uint64, limit, maxBytes int) ([]engine.Entry, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.get(stream)
	if err != nil || after >= uint64(len(l.entries)) {
		return nil, err
	}
	if after+1 < l.oldest {
		return nil, engine.ErrConflict
	}
	var out []engine.Entry
	for _, entry := range l.entries[after:] {
		if maxBytes -= len(entry.Raw); len(out) == limit || maxBytes < 0 && len(out) > 0 {
			break
		}
		out = append(out, entry)
	}
	return out, nil
}

// Chain implements engine.Engine.
func (e *Engine) Chain(_ context.Context, stream string, index uint64) (action.Chain, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.get(stream)
	if err != nil {
		return 0, err
	}
	if index == 0 || index < l.oldest || index > uint64(len(l.entries)) {
		return 0, engine.ErrConflict
	}
	return l.entries[index-1].Chain, nil
}

// Checkpoint implements engine.Engine.
func (e *Engine) Checkpoint(_ context.Context, stream string, index uint64) (*engine.Checkpoint, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.get(stream)
	if err != nil {
		return nil, err
	}
	for _, c := range slices.Backward(l.checkpoints) {
		if index == 0 || c.Index == index {
			return c, nil
		}
	}
	return nil, nil
}

// Checkpoints implements engine.Engine.
func (e *Engine) Checkpoints(_ context.Context, stream string) (indexes []uint64, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.get(stream)
	if err != nil {
		return nil, err
	}
	for _, c := range slices.Backward(l.checkpoints) {
		indexes = append(indexes, c.Index)
	}
	return indexes, nil
}

// PutCheckpoint implements engine.Engine.
func (e *Engine) PutCheckpoint(_ context.Context, stream string, c *engine.Checkpoint, oldest uint64) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.get(stream)
	if err != nil {
		return err
	}
	if l.epoch != c.Epoch || c.Index == 0 || c.Index > uint64(len(l.entries)) {
		return engine.ErrConflict
	}
	if n := len(l.checkpoints); n == 0 || l.checkpoints[n-1].Index < c.Index {
		l.checkpoints = append(slices.Clone(l.checkpoints[max(0, n-1):]), c)
	}
	for oldest = min(oldest, c.Index); l.oldest < oldest; l.oldest++ {
		if l.oldest > 0 {
			l.entries[l.oldest-1] = engine.Entry{}
		}
	}
	return nil
}

// Delete implements engine.Engine.
func (e *Engine) Delete(_ context.Context, stream string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return engine.ErrClosed
	}
	if l := e.logs[stream]; l != nil {
		e.deleted[l.epoch] = true
		for _, epoch := range l.former {
			e.deleted[epoch] = true
		}
	}
	delete(e.logs, stream)
	return nil
}

// Deleted implements engine.Engine.
func (e *Engine) Deleted(_ context.Context, epoch action.UUID) (bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false, engine.ErrClosed
	}
	return e.deleted[epoch], nil
}

// Streams implements engine.Engine.
func (e *Engine) Streams(_ context.Context, after string, limit int) ([]engine.Head, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, engine.ErrClosed
	}
	var out []engine.Head
	for _, name := range slices.Sorted(maps.Keys(e.logs)) {
		if n := len(e.logs[name].entries); name > after && n > 0 && len(out) < limit {
			out = append(out, engine.Head{Stream: name, Head: uint64(n)})
		}
	}
	return out, nil
}

// Use implements engine.Engine.
func (e *Engine) Use(_ context.Context, principal string) (u engine.Use, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return u, engine.ErrClosed
	}
	if principal == "" {
		return u, nil
	}
	for _, l := range e.logs {
		if l.by == principal {
			u.Streams++
		}
		for i := range l.entries {
			if l.entries[i].By == principal {
				u.Bytes += int64(len(l.entries[i].Raw))
			}
		}
	}
	for _, s := range e.data.streams {
		if s.By == principal {
			u.Streams++
		}
		for i := range s.entries {
			if s.entries[i].By == principal {
				u.Data += s.entries[i].Size
			}
		}
		for producer, part := range s.uploads {
			if strings.HasPrefix(producer, principal+"\x00") {
				u.Parts += part.Size
			}
		}
	}
	return u, nil
}

// Forget implements engine.Engine.
func (e *Engine) Forget(_ context.Context, principal string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return engine.ErrClosed
	}
	if principal == "" || principal == engine.Nobody {
		return errors.New("nobody is named")
	}
	for client, owner := range e.claims {
		if owner == principal {
			e.claims[client] = engine.Nobody
		}
	}
	blank := func(by *string) {
		if *by == principal {
			*by = ""
		}
	}
	for _, l := range e.logs {
		blank(&l.by)
		l.entries = slices.Clone(l.entries) // somebody may be reading them
		for i := range l.entries {
			blank(&l.entries[i].By)
		}
		for i, c := range l.checkpoints {
			disowned := *c
			var err error
			if disowned.Owners, _, err = engine.Disown(c.Owners, principal); err != nil {
				return err
			}
			l.checkpoints[i] = &disowned
		}
	}
	for _, s := range e.data.streams {
		blank(&s.By)
		maps.DeleteFunc(s.producers, func(name string, _ engine.Producer) bool { return strings.HasPrefix(name, principal+"\x00") })
		for name, u := range s.uploads {
			if strings.HasPrefix(name, principal+"\x00") {
				delete(e.data.uploads, u.ID)
				delete(s.uploads, name)
			}
		}
		s.entries = slices.Clone(s.entries)
		for i := range s.entries {
			blank(&s.entries[i].By)
		}
	}
	return nil
}

// Cursor implements engine.Engine.
func (e *Engine) Cursor(_ context.Context, consumer, stream string) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, engine.ErrClosed
	}
	return e.cursors[[2]string{consumer, stream}], nil
}

// PutCursor implements engine.Engine.
func (e *Engine) PutCursor(_ context.Context, consumer, stream string, cursor []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return engine.ErrClosed
	}
	e.cursors[[2]string{consumer, stream}] = slices.Clone(cursor)
	return nil
}

// Close implements engine.Engine.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	return nil
}
