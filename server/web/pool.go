package web

import (
	"context"
	"sync"
	"time"

	"github.com/strandline-sync/strandline/core/action"
)

// Pool is what all may take together: of memory, of a commit. Little is always there: what is under the size of a usual request is not counted.
// Of those who wait, the one goes on whose principal, address and connection hold least.
type Pool struct {
	size    int
	little  int // is not counted
	mu      sync.Mutex
	free    int
	held    [len(Asker{})]map[string]int
	waiting []*claim
}

type claim struct {
	asker Asker
	bytes int
	ready chan struct{}
}

const (
	littleBytes = 64 << 10         // of memory are not counted
	littleRows  = 200              // of a commit
	poolWait    = 15 * time.Second // for how long somebody waits
)

// NewMemory makes a pool of so many bytes.
func NewMemory(bytes int) *Pool { return newPool(bytes, littleBytes) }

// NewCommits makes a pool of rows that wait for their commit, with as much for each row as it has kilobytes.
func NewCommits(rows int) *Pool { return newPool(rows, littleRows) }

// Rows is what entries of so many bytes take of a commit.
func Rows(entries, bytes int) int { return entries + bytes>>10 }

func newPool(size, little int) *Pool {
	p := &Pool{size: size, little: little, free: size}
	for i := range p.held {
		p.held[i] = map[string]int{}
	}
	return p
}

// Hold is a part of a pool that somebody has.
type Hold struct {
	pool  *Pool
	asker Asker
	bytes int
}

// Take waits for so many bytes. Let go of the hold.
func (p *Pool) Take(ctx context.Context, a Asker, bytes int) (*Hold, error) {
	h := &Hold{pool: p, asker: a}
	if p == nil || bytes <= p.little {
		return h, nil
	}
	bytes = min(bytes, p.size/2) // the other half is of what arrives
	p.mu.Lock()
	if len(p.waiting) == 0 && p.free >= bytes {
		p.give(a, bytes)
		p.mu.Unlock()
		h.bytes = bytes
		return h, nil
	}
	c := &claim{asker: a, bytes: bytes, ready: make(chan struct{})}
	p.waiting = append(p.waiting, c)
	p.mu.Unlock()
	late := time.NewTimer(poolWait)
	defer late.Stop()
	var err error
	select {
	case <-c.ready:
		h.bytes = bytes
		return h, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-late.C:
		err = Problem(action.CodeUnavailable, "", "the server has no room for so much now")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.waiting {
		if other == c {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			p.serve() // who is behind it may have room
			return nil, err
		}
	}
	h.bytes = bytes // it was given just now
	return h, nil
}

// Grow adds bytes to a hold that arrive, without waiting: where half of the pool is taken, what arrives is turned away, so that what has arrived can be
// answered.
func (h *Hold) Grow(bytes int) error {
	if h == nil || h.pool == nil {
		return nil
	}
	p := h.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.free-bytes < p.size/2 {
		return Problem(action.CodeUnavailable, "", "the server has no room for so large a request now")
	}
	p.give(h.asker, bytes)
	h.bytes += bytes
	return nil
}

// Set makes the hold so large, without waiting: what is there is there.
func (h *Hold) Set(bytes int) {
	if h == nil || h.pool == nil {
		return
	}
	if bytes <= h.pool.little {
		bytes = 0
	}
	p := h.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	p.give(h.asker, bytes-h.bytes)
	h.bytes = bytes
	p.serve()
}

// End lets go of it.
func (h *Hold) End() { h.Set(0) }

// give moves bytes to an asker, back where they are negative. The caller holds mu.
func (p *Pool) give(a Asker, bytes int) {
	p.free -= bytes
	for i, name := range a {
		if p.held[i][name] += bytes; p.held[i][name] == 0 {
			delete(p.held[i], name)
		}
	}
}

// serve lets those go on for whom there is room.
func (p *Pool) serve() {
	for len(p.waiting) > 0 {
		best := 0
		for i, c := range p.waiting {
			if p.less(c.asker, p.waiting[best].asker) {
				best = i
			}
		}
		c := p.waiting[best]
		if p.free < c.bytes {
			return
		}
		p.give(c.asker, c.bytes)
		p.waiting = append(p.waiting[:best], p.waiting[best+1:]...)
		close(c.ready)
	}
}

func (p *Pool) less(a, b Asker) bool {
	for i := range a {
		if x, y := p.held[i][a[i]], p.held[i][b[i]]; x != y {
			return x < y
		}
	}
	return false
}
