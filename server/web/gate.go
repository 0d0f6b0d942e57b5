package web

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Asker is whose work it is: a principal, an address of it, a connection of that. What is short is shared fairly between principals, then between
// the addresses of one, then between an address's connections.
type Asker [3]string

// AskerOf tells who sends a request.
func AskerOf(r *http.Request, principal string) Asker {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return Asker{principal, host, r.RemoteAddr}
}

// Gate lets so many pieces of work run at a time as there are processors. Who waits is let in by how little was done for him before: one who asks now
// and then is before those who ask all the time, whatever they ask for.
type Gate struct {
	mu   sync.Mutex
	free int
	root share
}

// share is what somebody has had of the processors.
type share struct {
	had      time.Duration // counted from the least of its siblings when it last began to wait
	floor    time.Duration // of its children: what the last one that was let in had had
	children map[string]*share
	waiting  []chan struct{} // of a connection
	ahead    time.Duration   // what its next work is expected to take
	waiters  int             // in it and below
	users    int             // waiting and running, in it and below
}

// NewGate makes a gate for so many processors.
func NewGate(processors int) *Gate { return &Gate{free: processors} }

// slice is how long a piece of work goes on while others wait.
const slice = 10 * time.Millisecond

// manyShares is how many children of a share are remembered while they do nothing.
const manyShares = 1024

// Work is a piece of work: running, or paused while it waits for something else than a processor. A nil Work is always running.
type Work struct {
	gate    *Gate
	asker   Asker
	path    [len(Asker{})]*share
	running bool
	since   time.Time
	ahead   time.Duration // what it is expected to take
	hold    *Hold         // memory, until the end
}

type workKey struct{}

// WorkOf is the work that a context is for; nil where nobody counts.
func WorkOf(ctx context.Context) *Work {
	w, _ := ctx.Value(workKey{}).(*Work)
	return w
}

// Begin makes a work, which is paused. End it.
func (g *Gate) Begin(ctx context.Context, a Asker) (context.Context, *Work) {
	w := &Work{gate: g, asker: a}
	return context.WithValue(ctx, workKey{}, w), w
}

// Resume waits for a processor, once what the work waited for is there. An error is the context's.
func (w *Work) Resume(ctx context.Context) error {
	if w == nil || w.running {
		return nil
	}
	g := w.gate
	g.mu.Lock()
	at := &g.root
	at.users++
	for i, name := range w.asker {
		child := at.children[name]
		if child == nil {
			child = &share{}
			if at.children == nil {
				at.children = map[string]*share{}
			}
			at.children[name] = child
		}
		if child.users == 0 {
			child.had = max(child.had, at.floor)
		}
		child.users++
		w.path[i] = child
		at = child
	}
	if g.free > 0 {
		g.free--
		g.mu.Unlock()
		w.running, w.since = true, time.Now()
		return nil
	}
	at.ahead = w.ahead
	turn := make(chan struct{})
	at.waiting = append(at.waiting, turn)
	g.root.waiters++
	for _, s := range w.path {
		s.waiters++
	}
	g.mu.Unlock()
	select {
	case <-turn:
		w.running, w.since = true, time.Now()
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, other := range at.waiting {
		if other == turn {
			at.waiting = append(at.waiting[:i], at.waiting[i+1:]...)
			g.root.waiters--
			for _, s := range w.path {
				s.waiters--
			}
			g.leave(w)
			return ctx.Err()
		}
	}
	g.pass() // it was let in just now
	g.leave(w)
	return ctx.Err()
}

// Expect says what the work will take: of two who have had as much, the one that comes with less is first. The work is paused.
func (w *Work) Expect(took time.Duration) {
	if w != nil && !w.running {
		w.ahead = took
	}
}

// Pause gives the processor to another one.
func (w *Work) Pause() {
	if w == nil || !w.running {
		return
	}
	w.running, w.ahead = false, 0
	took := time.Since(w.since)
	g := w.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range w.path {
		s.had += took
	}
	g.pass()
	g.leave(w)
}

// End ends the work, and lets go of its memory.
func (w *Work) End() {
	w.Pause()
	if w != nil {
		w.hold.End()
	}
}

// Keep has the work hold memory until its end, in the place of what it held.
func (w *Work) Keep(h *Hold) {
	if w == nil {
		h.End()
		return
	}
	w.hold.End()
	w.hold = h
}

// Hold is the memory that the work holds.
func (w *Work) Hold() *Hold {
	if w == nil {
		return nil
	}
	return w.hold
}

// Asker is whose work it is.
func (w *Work) Asker() (a Asker) {
	if w != nil {
		a = w.asker
	}
	return a
}

// Slice gives others a turn where the work has gone on for a while. An error is the context's.
func (w *Work) Slice(ctx context.Context) error {
	if w == nil || !w.running || time.Since(w.since) < slice {
		return nil
	}
	w.Pause()
	return w.Resume(ctx)
}

// pass lets the next one in. The caller holds mu, and a processor.
func (g *Gate) pass() {
	if g.root.waiters == 0 {
		g.free++
		return
	}
	at := &g.root
	at.waiters--
	for range len(Asker{}) {
		var least *share
		for _, child := range at.children {
			if child.waiters > 0 && (least == nil || child.before(least)) {
				least = child
			}
		}
		at.floor = max(at.floor, least.had/alike*alike) // who comes now is alike to it
		at = least
		at.waiters--
	}
	turn := at.waiting[0]
	at.waiting = at.waiting[1:]
	close(turn)
}

// alike is by how much two may differ in what they have had, and count as if they had had the same: then the one that comes with less is first. Who asks now
// and then, for little, would else wait until each of many who have just come has had as much.
const alike = 50 * time.Millisecond

func (s *share) before(other *share) bool {
	if a, b := s.had/alike, other.had/alike; a != b {
		return a < b
	}
	if s.ahead != other.ahead {
		return s.ahead < other.ahead
	}
	return s.had < other.had
}

// leave takes a work out of its shares; what does nothing is forgotten where there are many. The caller holds mu.
func (g *Gate) leave(w *Work) {
	g.root.users--
	at := &g.root
	for i, s := range w.path {
		if s.users--; s.users == 0 && (at.waiters == 0 || len(at.children) > manyShares || s.had <= at.floor) { // where nobody waits, what was had does not count
			delete(at.children, w.asker[i])
		}
		at = s
	}
}
