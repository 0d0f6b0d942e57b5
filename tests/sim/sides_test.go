package sim

import (
	"fmt"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/loop/virtual"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/state"
)

// sideNames are the streams that tabs of some histories have open beside their own one: they share its requests, its turns and its store.
var sideNames = []string{"side/1", "side/2", "side/3"}

// side is one of them in a tab.
type side struct {
	*virtual.Stream
	tb        *tab
	name      string
	committed uint64
	failed    map[uint64]bool
	resolved  map[uint64]uint64
	closed    bool
	writes    map[action.UUID]uint64 // by ticket
}

// openSides opens, in a tab, those that are not open.
func (h *history) openSides(tb *tab) {
	if !h.many {
		return
	}
	tb.hear = func(n plan.Notice) { h.sideHears(tb, n) }
	for _, name := range sideNames {
		if s := h.sides[tb][name]; s != nil && !s.closed {
			continue
		}
		s := &side{tb: tb, name: name, failed: map[uint64]bool{}, resolved: map[uint64]uint64{}, writes: map[action.UUID]uint64{}}
		if h.sides[tb] == nil {
			h.sides[tb] = map[string]*side{}
		}
		h.sides[tb][name] = s
		h.allSides = append(h.allSides, s)
		tb.db.Open(name, plan.Options{}, func(opened *virtual.Stream, err error) { s.Stream, s.closed = opened, err != nil })
	}
}

func (h *history) sideHears(tb *tab, n plan.Notice) {
	of := func(id plan.StreamID) *side {
		for _, s := range h.allSides {
			if s.tb == tb && s.Stream != nil && s.ID == id {
				return s
			}
		}
		return nil
	}
	switch n := n.(type) {
	case *plan.Committed:
		if s := of(n.Stream); s != nil {
			s.committed = n.UpTo
		}
	case *plan.Failed:
		if s := of(n.Stream); s != nil {
			for _, t := range n.Tickets {
				s.failed[t] = true
			}
		}
	case *plan.Resolved:
		if s := of(n.Stream); s != nil && n.Ticket > 0 {
			if _, twice := s.resolved[n.Ticket]; twice {
				h.t.Errorf("%s: ticket %d is resolved twice", s.name, n.Ticket)
			}
			s.resolved[n.Ticket] = n.Index
		}
	case *plan.Refused:
		if s := of(n.Stream); s != nil {
			h.t.Errorf("%s: a small write is refused: %+v", s.name, n.Rejected)
		}
	case *plan.Closed:
		if s := of(n.Stream); s != nil {
			s.closed = true
		}
	}
}

// sideStep writes to one of a tab's side streams, and opens what is closed.
func (h *history) sideStep(tb *tab) {
	if !h.many {
		return
	}
	if h.r.IntN(10) == 0 {
		h.openSides(tb)
	}
	s := h.sides[tb][sideNames[h.r.IntN(len(sideNames))]]
	if s == nil || s.Stream == nil || s.closed || h.r.IntN(2) == 0 {
		return
	}
	if h.r.IntN(40) == 0 {
		h.hit("one of many streams is closed")
		s.Close(func() {})
		s.closed = true
		return
	}
	n := h.r.IntN(8)
	ops := []string{create(n, `{"n":0}`), set(n, fmt.Sprintf(`{"k":%d}`, h.r.IntN(9))), remove(n),
		fmt.Sprintf(`[{"op":"update","object":"%s","inc":{"n":1}}]`, object(n))}[h.r.IntN(4)]
	d := &queue.Draft{ID: tb.host.NewID(), At: h.Now(), Ops: ops}
	if ticket, err := s.Write(d); err == nil {
		s.writes[d.ID] = ticket
	}
}

// sidesStuck tells whether one of a tab's side streams cannot go on.
func (h *history) sidesStuck(tb *tab) bool {
	for _, name := range sideNames {
		if s := h.sides[tb][name]; s != nil && s.Stream != nil && !s.closed && stuckAt(s.Status()) {
			return true
		}
	}
	return false
}

// checkSides holds the end to what holds for one stream.
func (h *history) checkSides(tabs []*tab) {
	if !h.many {
		return
	}
	in := map[action.UUID]uint64{}
	want := map[string]string{}
	for _, name := range sideNames {
		fold := state.NewState()
		log, _ := h.engine.Log(h.t.Context(), name)
		fold.Epoch = log.Epoch
		for i, a := range h.engine.actions[name] {
			if in[a.ID] > 0 {
				h.t.Errorf("%s: action %s is in a log at %d and at %d", name, a.ID, in[a.ID], i+1)
			}
			in[a.ID] = uint64(i + 1)
			fold.ApplyEntry(a, nil, nil)
		}
		want[name] = string(fold.AppendCheckpoint(nil, name))
	}
	for _, tb := range tabs {
		for _, name := range sideNames {
			s := h.sides[tb][name]
			if s == nil || s.Stream == nil || s.closed {
				h.t.Errorf("%s is not open", name)
			} else if got := string(s.State().AppendCheckpoint(nil, name)); got != want[name] {
				h.t.Errorf("%s differs from its log: %+v\n%s", name, s.Status(), difference(got, want[name]))
			}
		}
	}
	for _, s := range h.allSides {
		for id, ticket := range s.writes {
			at, resolved := s.resolved[ticket]
			switch {
			case resolved && at != 0 && at != in[id]:
				h.t.Errorf("%s: %s is resolved with index %d, and in the log at %d", s.name, id, at, in[id])
			case resolved && in[id] == 0:
				h.t.Errorf("%s: %s is resolved, and not in the log", s.name, id)
			case h.odd[s.tb.local]:
			case ticket <= s.committed && !s.failed[ticket] && in[id] == 0:
				h.t.Errorf("%s: %s was durable, and is lost", s.name, id)
			}
		}
	}
}
