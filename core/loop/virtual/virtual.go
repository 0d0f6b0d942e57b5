// Package virtual carries out a loop's plans on virtual time: one thread, no goroutine, no clock. What happens is a function of
// the seed and of what is scheduled, so that a test of an hour takes a millisecond and a failing one replays.
package virtual

import (
	"container/heap"
	"math/rand/v2"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
)

// World is the time that its hosts share.
type World struct {
	now    int64
	queue  events
	serial uint64
	rand   *rand.Rand

	// Latency is how many milliseconds the next Do takes: half before its work is done, half after. Nil: none.
	Latency func(*rand.Rand) int64
}

type event struct {
	at     int64
	serial uint64 // events of one moment happen in the order in which they were scheduled
	f      func()
}

type events []*event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].serial < q[j].serial
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(x any)   { *q = append(*q, x.(*event)) }
func (q *events) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}

// New makes a world whose clock starts in 2026.
func New(seed uint64) *World {
	return &World{now: 1_767_225_600_000, rand: rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15))}
}

// Now is the virtual time in Unix milliseconds.
func (w *World) Now() int64 { return w.now }

// Rand is the world's only source of chance.
func (w *World) Rand() *rand.Rand { return w.rand }

// After schedules f.
func (w *World) After(ms int64, f func()) (cancel func()) {
	w.serial++
	e := &event{at: w.now + max(0, ms), serial: w.serial, f: f}
	heap.Push(&w.queue, e)
	return func() { e.f = nil }
}

// Step runs the next event; false when there is none up to the given time.
func (w *World) Step(until int64) bool {
	for len(w.queue) > 0 && w.queue[0].at <= until {
		e := heap.Pop(&w.queue).(*event)
		if e.f == nil {
			continue
		}
		w.now = e.at
		e.f()
		return true
	}
	return false
}

// Run lets ms milliseconds pass.
func (w *World) Run(ms int64) {
	until := w.now + ms
	for w.Step(until) {
	}
	w.now = until
}

// Host makes one more host in this world.
func (w *World) Host() *Host { return &Host{w: w} }

// Host is one context: a tab, a process. After Kill nothing of it happens any more; between Freeze and Thaw nothing does.
type Host struct {
	w      *World
	dead   bool
	frozen bool
	late   []func() // what would have happened meanwhile

	// Latency, where not nil, is this host's own.
	Latency func(*rand.Rand) int64
	// Skew is by how many milliseconds its clock is off.
	Skew int64
}

var _ plan.Sources = (*Host)(nil)

// Kill ends the context at once, as kill -9 does: what it scheduled does not happen.
func (h *Host) Kill() { h.dead = true }

// Freeze stops the context as browsers stop a tab: what was begun outside of it goes on, and is told at the thaw.
func (h *Host) Freeze() { h.frozen = true }

// Thaw lets it go on.
func (h *Host) Thaw() {
	h.frozen = false
	late := h.late
	h.late = nil
	for _, f := range late {
		h.After(0, f)
	}
}

// Now implements plan.Sources.
func (h *Host) Now() int64 { return h.w.now + h.Skew }

// After runs f on the host in ms milliseconds, unless cancelled before.
func (h *Host) After(ms int64, f func()) (cancel func()) {
	cancelled := false
	stop := h.w.After(ms, func() {
		switch {
		case h.dead:
		case h.frozen:
			h.late = append(h.late, func() {
				if !cancelled {
					f()
				}
			})
		default:
			f()
		}
	})
	return func() { cancelled = true; stop() }
}

// Do runs work in the middle of a latency, and what it gives at the end, on the host. Work that has begun is done even if the host dies: a request that was sent arrives.
func (h *Host) Do(work func() (then func())) {
	var before, after int64
	latency := h.Latency
	if latency == nil {
		latency = h.w.Latency
	}
	if latency != nil {
		all := latency(h.w.rand)
		before, after = all/2, all-all/2
	}
	h.w.After(before, func() {
		then := work()
		h.After(after, then)
	})
}

// NewID implements plan.Sources: a version 7 UUID of the virtual time.
func (h *Host) NewID() (u action.UUID) {
	hi, lo := h.w.rand.Uint64(), h.w.rand.Uint64()
	for i := range 8 {
		u[i], u[8+i] = byte(hi>>(8*i)), byte(lo>>(8*i))
	}
	ms := uint64(h.w.now)
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	u[6], u[8] = 0x70|u[6]&0x0f, 0x80|u[8]&0x3f
	return u
}

// NewClient implements plan.Sources.
func (h *Host) NewClient() action.UUID { return h.NewID() }

// Random implements plan.Sources.
func (h *Host) Random() float64 { return h.w.rand.Float64() }
