package queue

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/pace"
)

// Meeting is what must be unapplied, and applied again, when what lies below some objects changes: the actions that
// name one of them, in ops or guards, and those that come behind and share an object with such a one. What is left out
// commutes with the change, and comes before whatever is applied again on its objects. It costs what it finds.
type Meeting struct {
	q    *Queue
	pace *pace.Pace
	seen map[action.UUID]bool // objects whose actions, from some place on, are in the heap or out of it
	heap []found              // not yet taken, what has the first one on top; some actions are in several
	out  []*Local
}

// found are actions in order.
type found struct {
	first *Local
	rest  []*Local
}

// Meet begins one, which may be part of some work.
func (q *Queue) Meet(p *pace.Pace) *Meeting {
	return &Meeting{q: q, pace: p, seen: map[action.UUID]bool{}}
}

// With adds the actions that name what another action names.
func (m *Meeting) With(a *action.Action) {
	names(a, func(object action.UUID) { m.object(object, 0) })
}

// From adds an action itself, and those behind it that name what it names.
func (m *Meeting) From(l *Local) { m.push(found{first: l}) }

func (m *Meeting) object(id action.UUID, from uint64) {
	if m.seen[id] {
		return
	}
	m.seen[id] = true
	n := m.q.objects[id]
	if n.one != nil && n.one.order > from {
		m.push(found{n.one, n.more})
	} else if more := n.more[behind(n.more, from):]; len(more) > 0 {
		m.push(found{more[0], more[1:]})
	}
}

// All are the actions that were found, in order. Nothing can be added after it.
func (m *Meeting) All() []*Local {
	for len(m.heap) > 0 {
		l := m.pop()
		m.pace.Took(pace.Look)
		if n := len(m.out); n > 0 && m.out[n-1] == l {
			continue
		}
		m.out = append(m.out, l)
		names(&l.Action, func(object action.UUID) { m.object(object, l.order) })
	}
	return m.out
}

func (m *Meeting) push(f found) {
	m.heap = append(m.heap, f)
	for i := len(m.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if m.heap[up].first.order <= m.heap[i].first.order {
			break
		}
		m.heap[up], m.heap[i] = m.heap[i], m.heap[up]
		i = up
	}
}

func (m *Meeting) pop() *Local {
	top := m.heap[0].first
	last := len(m.heap) - 1
	if rest := m.heap[0].rest; len(rest) > 0 {
		m.heap[0] = found{rest[0], rest[1:]}
		last++
	} else {
		m.heap[0] = m.heap[last]
		m.heap = m.heap[:last]
	}
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return top
		}
		if child+1 < last && m.heap[child+1].first.order < m.heap[child].first.order {
			child++
		}
		if m.heap[i].first.order <= m.heap[child].first.order {
			return top
		}
		m.heap[i], m.heap[child] = m.heap[child], m.heap[i]
		i = child
	}
}
