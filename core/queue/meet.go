package queue

import "github.com/strandline-sync/strandline/core/action"

// Meeting is what must be unapplied, and applied again, when what lies below some objects changes: the actions that
// name one of them, in ops or guards, and those that come behind and share an object with such a one. What is left out
// commutes with the change, and comes before whatever is applied again on its objects. It costs what it finds.
type Meeting struct {
	q    *Queue
	seen map[action.UUID]bool // objects whose actions, from some place on, are in the heap or out of it
	heap []*Local             // found and not yet taken, the first on top; some of them twice
	out  []*Local
}

// Meet begins one.
func (q *Queue) Meet() *Meeting { return &Meeting{q: q, seen: map[action.UUID]bool{}} }

// With adds the actions that name what another action names.
func (m *Meeting) With(a *action.Action) {
	names(a, func(object action.UUID) { m.object(object, 0) })
}

// From adds an action itself, and those behind it that name what it names.
func (m *Meeting) From(l *Local) { m.push(l) }

func (m *Meeting) object(id action.UUID, from uint64) {
	if m.seen[id] {
		return
	}
	m.seen[id] = true
	n := m.q.objects[id]
	if n.one != nil && n.one.order > from {
		m.push(n.one)
	}
	for _, l := range n.more[behind(n.more, from):] {
		m.push(l)
	}
}

// All are the actions that were found, in order. Nothing can be added after it.
func (m *Meeting) All() []*Local {
	for len(m.heap) > 0 {
		l := m.pop()
		if n := len(m.out); n > 0 && m.out[n-1] == l {
			continue
		}
		m.out = append(m.out, l)
		names(&l.Action, func(object action.UUID) { m.object(object, l.order) })
	}
	return m.out
}

func (m *Meeting) push(l *Local) {
	m.heap = append(m.heap, l)
	for i := len(m.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if m.heap[up].order <= m.heap[i].order {
			break
		}
		m.heap[up], m.heap[i] = m.heap[i], m.heap[up]
		i = up
	}
}

func (m *Meeting) pop() *Local {
	top := m.heap[0]
	last := len(m.heap) - 1
	m.heap[0] = m.heap[last]
	m.heap = m.heap[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return top
		}
		if child+1 < last && m.heap[child+1].order < m.heap[child].order {
			child++
		}
		if m.heap[i].order <= m.heap[child].order {
			return top
		}
		m.heap[i], m.heap[child] = m.heap[child], m.heap[i]
		i = child
	}
}
